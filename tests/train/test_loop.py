import math
import resource
import signal

import pytest
import torch

from cnnzip.errors import FileError, TrainingError
from cnnzip.train import checkpoint, loop
from cnnzip.train.coding import Coding
from cnnzip.train.data import load
from cnnzip.train.distributed import Ranks
from cnnzip.train.loop import BEST, LAST, Interrupted, learning_rate
from cnnzip.train.task import Validation
from cnnzip.train.validate import to_batch

SMALL = {"width": 8, "blocks": 1, "latent_channels": 8, "stride": 8}


class Recorder:
    """A reporter that remembers, and may do something after a step."""

    def __init__(self, after=lambda step: None):
        self.after = after
        self.begun, self.steps, self.validations, self.ends = [], [], [], []

    def begin(self, step):
        self.begun.append(step)

    def step(self, values):
        self.steps.append(values)
        self.after(values["step"])

    def validation(self, step, result, best):
        self.validations.append((step, result.loss, best))

    def exhausted(self, step, patience):
        self.ends.append((step, patience))


@pytest.fixture
def train(photos, tmp_path):
    data = load(photos)

    def run(config, name, *, after=lambda step: None, resume=False, valid=None, validate_every=1000, **more):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        recorder = Recorder(after)
        arguments = {"device": torch.device("cpu"), "ranks": Ranks(), "reporter": recorder, "start": None}
        arguments |= {"resume": resume, "validate_every": validate_every, **more}
        best = loop.train(config, data, valid, folder, **arguments)
        assert best == folder / BEST
        return recorder, folder

    return run


def same(first, second):
    """Whether two states are equal to the last bit, tensors within lists and dicts included."""
    if isinstance(first, torch.Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


def tensors(state):
    return {name: state[name] for name in ("step", "model", "average", "optimizers")}


def interrupt_at(step, number=signal.SIGINT):
    return lambda now: signal.raise_signal(number) if now == step else None


@pytest.mark.parametrize(
    ("settings", "steps", "stop"),
    [
        # SOAP renews its bases at its step 40: once before the interruption, once after it.
        ({}, 84, 43),
        ({"bf16": True}, 4, 1),
        ({"optimizer": "adam"}, 6, 3),
        ({"family": "denoise", "options": {"width": 4}, "noise": "camera", "bf16": True}, 5, 2),
    ],
)
def test_a_resumed_run_is_the_unbroken_run_bit_for_bit(train, small_config, settings, steps, stop):
    config = small_config(steps=steps, **settings)
    unbroken, whole = train(config, "whole")
    with pytest.raises(Interrupted, match=rf"^stopped at step {stop}; --resume goes on from .*broken/last\.pt$"):
        train(config, "broken", after=interrupt_at(stop))
    assert checkpoint.load(whole.parent / "broken" / LAST, config)["step"] == stop
    resumed, broken = train(config, "broken", resume=True)
    assert resumed.begun == [stop]
    assert [s["step"] for s in resumed.steps] == list(range(stop + 1, steps + 1))
    for one, other in zip(resumed.steps, unbroken.steps[stop:], strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    for name in (LAST, BEST):
        first, second = (tensors(checkpoint.load(folder / name)) for folder in (whole, broken))
        assert same(first, second)


def test_crops_of_the_device_are_resumed_bit_for_bit(train, small_config):
    config = small_config(family="denoise", options={"width": 4}, steps=4)
    unbroken, _ = train(config, "whole", crops_on_device=True)
    with pytest.raises(Interrupted):
        train(config, "broken", crops_on_device=True, after=interrupt_at(2))
    resumed, _ = train(config, "broken", crops_on_device=True, resume=True)
    assert [s["loss"] for s in resumed.steps] == [s["loss"] for s in unbroken.steps[2:]]
    host, _ = train(config, "host")
    assert [s["loss"] for s in host.steps] == pytest.approx([s["loss"] for s in unbroken.steps], rel=1e-3)


@pytest.mark.parametrize(
    ("family", "options", "parts"), [("denoise", {"width": 4}, ["Body"]), ("residual", SMALL, ["Sequential"] * 2)]
)
def test_what_is_compiled(small_config, monkeypatch, family, options, parts):
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda module: compiled.append(type(module).__name__))
    config = small_config(family=family, options=options)
    names = loop.Run(config, torch.device("cpu"), Ranks()).model.state_dict().keys()
    assert compiled == []
    run = loop.Run(config, torch.device("cpu"), Ranks(), compiled=True)
    assert compiled == parts
    assert run.model.state_dict().keys() == names


def test_states_that_differ_are_not_the_same(train, small_config):
    (_, one), (_, two) = train(small_config(), "one"), train(small_config(seed=1), "two")
    first, second = (checkpoint.load(folder / LAST) for folder in (one, two))
    for name in ("model", "average", "optimizers"):
        assert not same(first[name], second[name])


def test_sigterm_is_an_interruption_too(train, small_config, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted):
        train(small_config(), "run", after=interrupt_at(2, signal.SIGTERM))
    assert checkpoint.load(tmp_path / "run" / LAST)["step"] == 2
    assert signal.getsignal(signal.SIGTERM) is before


def test_minutes(train, small_config, monkeypatch):
    clock = iter(range(0, 10_000, 3))
    monkeypatch.setattr(loop.time, "monotonic", lambda: float(next(clock)))
    recorder, _ = train(small_config(steps=None, minutes=1.0), "run")
    progress = [s["progress"] for s in recorder.steps]
    assert progress == sorted(progress)
    assert progress[-1] >= 1 > progress[-2]
    assert recorder.steps[-1]["seconds"] == 60 * progress[-1]


def test_learning_rate(small_config):
    config = small_config(rate=1.0, warmup=10, last_rate=0.02)
    assert learning_rate(config, 0, 0.0) == pytest.approx(0.1)
    assert learning_rate(config, 9, 0.0) == 1.0
    assert learning_rate(config, 50, 0.5) == pytest.approx(0.51)
    assert learning_rate(config, 50, 1.0) == learning_rate(config, 50, 1.3) == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("losses", "best_step"), [([3.0, 1.0, 2.0, 1.5], 4), ([3.0, 2.0, 1.0, 0.5], 7), ([1.0, 1.0, 1.0, 1.0], 2)]
)
def test_the_best_weights_are_kept(train, small_config, photos, monkeypatch, losses, best_step):
    script = iter(losses)
    monkeypatch.setattr(Coding, "validate", lambda *_: Validation(next(script), ((0.1, 30.0),)))
    recorder, folder = train(small_config(steps=7), "run", valid=load(photos), validate_every=2)
    assert [(step, loss) for step, loss, _ in recorder.validations] == list(zip([2, 4, 6, 7], losses, strict=True))
    best = checkpoint.load(folder / BEST)
    assert best["step"] == best_step
    assert best["best"] == min(losses)
    assert checkpoint.load(folder / LAST)["best"] == min(losses)


def test_a_resumed_run_remembers_the_best(train, small_config, photos, monkeypatch):
    script = iter([1.0, 2.0])
    monkeypatch.setattr(Coding, "validate", lambda *_: Validation(next(script), ()))
    valid = load(photos)
    with pytest.raises(Interrupted):
        train(small_config(steps=4), "run", valid=valid, validate_every=2, after=interrupt_at(3))
    recorder, folder = train(small_config(steps=4), "run", valid=valid, validate_every=2, resume=True)
    assert recorder.validations == [(4, 2.0, False)]
    assert checkpoint.load(folder / BEST)["step"] == 2


@pytest.mark.parametrize(
    ("patience", "losses", "ended"),
    [
        (2, [3.0, 1.0, 2.0, 1.5, 9.0], 8),
        (1, [3.0, 3.0], 4),
        (3, [3.0, 4.0, 5.0, 2.0, 3.0], None),
        (None, [1.0] * 5, None),
    ],
)
def test_patience(train, small_config, photos, monkeypatch, patience, losses, ended):
    script = iter(losses)
    monkeypatch.setattr(Coding, "validate", lambda *_: Validation(next(script), ()))
    config = small_config(steps=10, patience=patience)
    recorder, folder = train(config, "run", valid=load(photos), validate_every=2)
    assert recorder.ends == ([(ended, patience)] if ended else [])
    assert recorder.steps[-1]["step"] == (ended or 10)
    assert checkpoint.load(folder / LAST)["step"] == (ended or 10)
    assert checkpoint.load(folder / BEST)["best"] == min(losses[: (ended or 10) // 2])


def test_a_resumed_run_remembers_how_long_it_has_waited(train, small_config, photos, monkeypatch):
    script = iter([1.0, 2.0, 3.0])
    monkeypatch.setattr(Coding, "validate", lambda *_: Validation(next(script), ()))
    config, valid = small_config(steps=10, patience=2), load(photos)
    with pytest.raises(Interrupted):
        train(config, "run", valid=valid, validate_every=2, after=interrupt_at(5))
    recorder, _ = train(config, "run", valid=valid, validate_every=2, resume=True)
    assert recorder.ends == [(6, 2)]
    # With more patience it goes on from there.
    script = iter([0.5, 0.4])
    recorder, _ = train(small_config(steps=10, patience=3), "run", valid=valid, validate_every=2, resume=True)
    assert [step for step, _, _ in recorder.validations] == [8, 10]


def test_the_average_follows_the_statistics_of_batch_normalisations(small_config):
    config = small_config(family="deconv", options={"width": 8, "latent_channels": 8}, steps=None, minutes=1.0)
    run = loop.Run(config, torch.device("cpu"), Ranks())
    torch.manual_seed(0)
    for _ in range(20):
        run.take_step(torch.rand(2, 3, 64, 64), 0.0)
    for mean, now in zip(run.average.buffers(), run.model.buffers(), strict=True):
        if mean.is_floating_point():
            assert not torch.equal(mean, now)
            torch.testing.assert_close(mean, now, rtol=0.5, atol=0.1)
        else:
            assert mean == now == 20


def test_dropout_and_decay_are_settings_of_a_run(small_config):
    def after_two_steps(**settings):
        run = loop.Run(small_config(**settings), torch.device("cpu"), Ranks())
        torch.manual_seed(0)
        for _ in range(2):  # in a fresh block the branch is zero, with dropout or without
            run.take_step(torch.rand(2, 3, 32, 32), 0.0)
        return run.model.state_dict()

    plain = after_two_steps()
    assert same(plain, after_two_steps(dropout=0.0, weight_decay=0.0))
    assert not same(plain, after_two_steps(weight_decay=0.1))
    assert not same(plain, after_two_steps(dropout=0.5))


def test_without_validation_the_last_weights_are_the_best(train, small_config):
    _, folder = train(small_config(steps=3), "run", validate_every=2)
    assert checkpoint.load(folder / BEST)["step"] == 3


def test_a_loss_that_is_not_finite(train, small_config, tmp_path):
    config = small_config(rate=1e30)
    message = r"^step 2: the loss is nan, its gradient's norm nan; take a lower --rate; --resume goes on from last\.pt$"
    with pytest.raises(TrainingError, match=message):
        train(config, "run")
    assert list((tmp_path / "run").iterdir()) == []


def test_a_step_that_fails_changes_nothing(small_config):
    run = loop.Run(small_config(), torch.device("cpu"), Ranks())
    before = {name: tensor.clone() for name, tensor in run.model.state_dict().items()}
    with pytest.raises(TrainingError):
        run.take_step(torch.full((2, 3, 32, 32), math.nan), 0.0)
    assert same(run.model.state_dict(), before)
    assert same(run.average.state_dict(), before)
    assert run.step == 0


def test_a_full_disk_leaves_the_last_checkpoint(train, small_config, tmp_path):
    with pytest.raises(Interrupted):
        train(small_config(), "run", after=interrupt_at(2))
    before = (tmp_path / "run" / LAST).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(FileError, match=r"last\.pt: file too large$"):
            train(small_config(), "run", resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [p.name for p in (tmp_path / "run").iterdir()] == [LAST]
    assert (tmp_path / "run" / LAST).read_bytes() == before


def test_resuming_with_other_settings(train, small_config):
    train(small_config(), "run")
    with pytest.raises(TrainingError, match=r"other settings \(optimizer, average\)$"):
        train(small_config(optimizer="adam", average=0.9), "run", resume=True)


def test_resuming_for_more_steps_at_another_rate(train, small_config):
    train(small_config(steps=2), "run")
    recorder, _ = train(small_config(steps=3, rate=1e-5), "run", resume=True)
    assert [s["step"] for s in recorder.steps] == [3]
    assert recorder.steps[0]["rate"] < 1e-5


@pytest.mark.parametrize(("height", "width"), [(1, 1), (8, 8), (9, 15), (16, 17)])
def test_validation_pads_by_repeating_the_border(height, width):
    picture = torch.randint(0, 256, (height, width, 3), dtype=torch.uint8)
    batch = to_batch(picture.numpy(), 8, torch.device("cpu"))
    assert batch.shape == (1, 3, -(-height // 8) * 8, -(-width // 8) * 8)
    expected = picture.permute(2, 0, 1).float() / 255
    assert torch.equal(batch[0, :, :height, :width], expected)
    assert torch.equal(batch[0, :, height:, :width], expected[:, -1:].expand(-1, batch.shape[2] - height, -1))
    assert torch.equal(batch[0, :, :, width:], batch[0, :, :, width - 1 :][:, :, :1].expand_as(batch[0, :, :, width:]))
