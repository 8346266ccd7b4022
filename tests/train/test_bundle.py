import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnzip.codec.model import load_model
from cnnzip.errors import FileError, OutputExistsError, TrainingError
from cnnzip.train import bundle
from cnnzip.train.bundle import bundle_target, write_bundle
from cnnzip.train.data import load
from cnnzip.train.model import TrainingModel

TINY = Path(__file__).parents[1] / "golden" / "models" / "tiny"


@pytest.fixture
def write(photos, small_config):
    config = small_config()
    torch.manual_seed(0)
    model = TrainingModel(config)
    data = load(photos)

    def run(folder, name="fresh", force=False):
        return write_bundle(folder, name, model, config, data, {"steps": 3}, force=force)

    return run


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def models(tmp_path):
    """A folder of models that holds one already, `old`."""
    shutil.copytree(TINY, tmp_path / "models" / "old")
    return tmp_path / "models"


def test_a_bundle(write, tmp_path):
    target = write(tmp_path / "new" / "models")
    assert target == tmp_path / "new" / "models" / "fresh"
    assert [p.name for p in target.parent.iterdir()] == ["fresh"]
    assert sorted(content(target)) == ["analysis.onnx", "model.json", "synthesis.onnx", "weights.safetensors"]
    described = json.loads((target / "model.json").read_text(encoding="utf-8"))
    assert described["options"] == {
        "latent_channels": 8, "stride": 8, "channels": 3, "width": 8, "blocks": 1, "kernel": 3
    }  # fmt: skip
    assert described["training"]["steps"] == 3
    assert described["training"]["config"]["crop"] == 32
    model = load_model(target)
    onnx, other = model.runtime("onnx", 1), model.runtime("torch", 1)
    pixels = np.random.default_rng(0).random((1, 3, 40, 24), dtype=np.float32)
    np.testing.assert_allclose(onnx.analysis(pixels), other.analysis(pixels), rtol=0, atol=1e-5)


def test_force_replaces_a_bundle_whole_and_the_same_weights_give_the_same_bytes(write, models):
    target = write(models, "old", force=True)
    first = content(target)
    assert load_model(target).description.name == "old"
    assert json.loads(first["model.json"])["training"]["steps"] == 3
    assert [p.name for p in models.iterdir()] == ["old"]
    assert content(write(models, "old", force=True)) == first


def no_graph(*arguments):
    """Stands for `export_graph` where the graphs do not matter: it takes a second each."""
    path = arguments[-1]
    path.write_bytes(b"graph")


@pytest.mark.parametrize(
    ("failure", "expected"),
    [(OSError(errno.ENOSPC, "No space left on device"), FileError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
@pytest.mark.parametrize("broken", ["export_graph", "load_model", "_rename"])
def test_a_failure_leaves_all_as_it_was(write, models, monkeypatch, broken, failure, expected):
    before = content(models)

    def fail(*_arguments, **_options):
        raise failure

    monkeypatch.setattr(bundle.GraphRuntime, "check", lambda _: None)
    if broken == "_rename":
        rename = Path.rename
        monkeypatch.setattr(
            Path, "rename", lambda self, to: fail() if self.parent.name[0] == "." and to.name == "old" and
            self.name == "old" else rename(self, to)
        )  # fmt: skip
        monkeypatch.setattr(bundle, "export_graph", no_graph)
    else:
        monkeypatch.setattr(bundle, broken, fail)
        monkeypatch.setattr(bundle, "export_graph", fail if broken == "export_graph" else no_graph)
    with pytest.raises(expected) as caught:
        write(models, "old", force=True)
    if expected is FileError:
        assert str(caught.value) == f"{models / 'old'}: the model cannot be written: No space left on device"
    assert content(models) == before
    assert [p.name for p in models.iterdir()] == ["old"]


@pytest.mark.parametrize("name", ["", "A", "a b", "../up", ".hidden", "x" * 33, "ä"])
def test_impossible_names(tmp_path, name):
    with pytest.raises(TrainingError, match=r"cannot be a model's name: a-z, 0-9, "):
        bundle_target(tmp_path, name, force=True)


def test_what_exists_is_not_replaced(models):
    with pytest.raises(OutputExistsError, match=r"old: exists; use --force to overwrite, or --name for another one$"):
        bundle_target(models, "old", force=False)
    assert bundle_target(models, "old", force=True) == models / "old"


def test_what_is_no_bundle_is_never_replaced(models):
    (models / "photos").mkdir()
    (models / "file").touch()
    for name in ("photos", "file"):
        with pytest.raises(OutputExistsError, match=rf"{name}: exists and is no model bundle; choose another --name$"):
            bundle_target(models, name, force=True)
