import json

import pytest

from cnnzip.errors import TrainingError
from cnnzip.train.runs import Outcome, print_table


def write_log(folder, lines):
    folder.mkdir()
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_a_run_is_summed_up_by_its_last_tenth_and_its_best_validation(tmp_path, capsys):
    steps = [{"step": s, "loss": 5.0 if s <= 180 else 2.0, "seconds": s / 2} for s in range(20, 201, 20)]
    valid = [{"step": s, "valid": loss} for s, loss in ((100, 3.0), (160, 2.5), (200, 2.75))]
    folder = write_log(tmp_path / "one", [*steps, *valid])
    assert Outcome.of(folder) == Outcome(200, 100 / 60, 2.0, ((100, 3.0), (160, 2.5), (200, 2.75)))
    print_table([folder])
    assert capsys.readouterr().out.splitlines()[1].split() == ["one", "200", "1.7", "2.0000", "2.7500", "2.5000", "160"]


def test_a_run_without_validation_has_its_training_loss(tmp_path, capsys):
    print_table([write_log(tmp_path / "plain", [{"step": 20, "loss": 4.0, "seconds": 6}])])
    assert capsys.readouterr().out.splitlines()[1].split() == ["plain", "20", "0.1", "4.0000"]


def test_a_folder_without_a_run_is_said(tmp_path):
    with pytest.raises(TrainingError, match=r"nothing: no run in it$"):
        Outcome.of(tmp_path / "nothing")
