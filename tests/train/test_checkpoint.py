import pickle
import resource

import pytest
import torch

from cnnzip.errors import FileError, TrainingError
from cnnzip.train import checkpoint
from cnnzip.train.config import TrainConfig

CONFIG = TrainConfig(options={"width": 8}, steps=3)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "last.pt"
    checkpoint.save(path, {"config": CONFIG.as_json(), "step": 1, "weights": torch.arange(4000.0)})
    return path


def test_round_trip(saved):
    state = checkpoint.load(saved, CONFIG)
    assert state["step"] == 1
    assert torch.equal(state["weights"], torch.arange(4000.0))
    assert TrainConfig(**state["config"]) == CONFIG


def test_a_full_disk_leaves_the_old_checkpoint(saved):
    before = saved.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(FileError, match=r"last\.pt: file too large$"):
            checkpoint.save(saved, {"config": {}, "weights": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_an_interrupt_while_writing_leaves_the_old_checkpoint(saved, monkeypatch):
    before = saved.read_bytes()

    def interrupted(_descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(saved, {"config": {}, "step": 2})
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_missing_checkpoint(tmp_path):
    for path in (tmp_path / "last.pt", tmp_path):
        with pytest.raises(FileError, match=r": no checkpoint there$"):
            checkpoint.load(path)


def test_a_checkpoint_cut_off_anywhere(saved):
    whole = saved.read_bytes()
    for length in range(0, len(whole), 611):
        saved.write_bytes(whole[:length])
        with pytest.raises(TrainingError, match=r"last\.pt: damaged checkpoint \(\w+\)$"):
            checkpoint.load(saved)


class Evil:
    def __reduce__(self):
        return print, ("this must not run",)


@pytest.mark.parametrize("content", [b"junk", pickle.dumps({"config": {}}, 2), pickle.dumps(Evil(), 2)])
def test_a_file_that_is_no_checkpoint(saved, content, capsys):
    saved.write_bytes(content)
    with pytest.raises(TrainingError, match=r"last\.pt: damaged checkpoint"):
        checkpoint.load(saved)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("other", [{"step": 1}, [1, 2], {"config": None}])
def test_a_torch_file_of_something_else(saved, other):
    torch.save(other, saved)
    with pytest.raises(TrainingError, match=r"last\.pt: damaged checkpoint"):
        checkpoint.load(saved, CONFIG)


def test_other_settings_are_refused_by_name(saved):
    other = TrainConfig(options={"width": 16}, steps=3, seed=7, levels=4)
    message = r"last\.pt: belongs to a run with other settings \(options, levels, seed\)$"
    with pytest.raises(TrainingError, match=message):
        checkpoint.load(saved, other)


def test_more_time_and_another_rate_are_no_other_run(saved):
    checkpoint.load(saved, TrainConfig(options={"width": 8}, minutes=5.0, rate=1e-4, crop=256, batch=4, sent=True))


def test_a_setting_that_is_newer_than_the_checkpoint(tmp_path):
    path, old = tmp_path / "old.pt", CONFIG.as_json()
    del old["average"]
    checkpoint.save(path, {"config": old})
    checkpoint.load(path, CONFIG)
    with pytest.raises(TrainingError, match=r"other settings \(average\)$"):
        checkpoint.load(path, TrainConfig(options={"width": 8}, steps=3, average=0.9))
