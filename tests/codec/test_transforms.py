"""Networks run in windows: the same latents and pixels as in one piece."""

from typing import Any

import numpy as np
import pytest

from cnnzip.codec.model import Model
from cnnzip.codec.transforms import AT_ONCE, WHOLE_PIXELS, Synthesis, analyse, side_of
from cnnzip.image import Picture
from cnnzip.networks import graph
from cnnzip.networks.runtime import Runtime


@pytest.fixture(scope="module")
def large(photo: Picture) -> Picture:
    """The photo several times, 437×331."""
    return Picture(np.ascontiguousarray(np.tile(photo.color, (6, 5, 1))[:331, :437]))


class Counting:
    """A runtime that notes how large its inputs are."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.largest = 0

    def sharing(self, runs: int) -> "Counting":
        assert 1 <= runs <= AT_ONCE
        return self

    def preload(self, *names: str) -> None:
        self.runtime.preload(*names)

    def analysis(self, pixels: np.ndarray) -> np.ndarray:
        self.largest = max(self.largest, *pixels.shape[2:])
        return self.runtime.analysis(pixels)

    def synthesis(self, latent: np.ndarray) -> np.ndarray:
        self.largest = max(self.largest, *(16 * side for side in latent.shape[2:]))
        return self.runtime.synthesis(latent)


def synthesise(latent: np.ndarray, model: Model, runtime: Runtime, **options: Any) -> np.ndarray:
    """The samples that the windows of a synthesis make, one after the other, each of what it sees."""
    synthesis = Synthesis(latent.shape[1:], model, runtime, **options)
    for number, seen in enumerate(synthesis.seen):
        synthesis.make(number, np.ascontiguousarray(latent[:, *seen]))
    return synthesis.samples


@pytest.mark.parametrize("side", [64, 100, 250])
def test_windows_change_nothing(side: int, large: Picture, photo_model: Model, photo_runtime: Runtime) -> None:
    whole = analyse(large, photo_model, photo_runtime)
    watched = Counting(photo_runtime)
    latent = analyse(large, photo_model, watched, side=side)
    assert photo_model.halo
    assert watched.largest <= side + 2 * photo_model.halo + 2 * photo_model.stride
    assert latent.shape == whole.shape == photo_model.latent_shape(437, 331)
    np.testing.assert_allclose(latent, whole, rtol=0, atol=1e-4 * np.abs(whole).max())

    region = slice(0, 331), slice(0, 437)
    pixels = [
        synthesise(whole, photo_model, runtime, channels=3, depth=8, region=region, side=wide)
        for runtime, wide in ((photo_runtime, 2048), (watched, side))
    ]
    assert watched.largest <= side + 2 * photo_model.halo + 2 * photo_model.stride
    assert pixels[0].shape == large.color.shape
    assert np.abs(pixels[0].astype(int) - pixels[1]).max() <= 1
    assert len(np.unique(pixels[0])) > 50


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_region(channels: int, depth: int, large: Picture, photo_model: Model, photo_runtime: Runtime) -> None:
    latent = analyse(large, photo_model, photo_runtime)
    options = {"channels": channels, "depth": depth}
    whole = synthesise(latent, photo_model, photo_runtime, **options)
    assert (whole.shape, whole.dtype) == ((336, 448, channels), np.dtype(f"u{depth // 8}"))
    for region in ((slice(5, 6), slice(0, 437)), (slice(100, 331), slice(33, 301))):
        part = synthesise(latent, photo_model, photo_runtime, **options, region=region, side=48)
        assert np.abs(part.astype(int) - whole[region]).max() <= 2 ** (depth - 8)


def test_a_model_that_tells_no_reach_runs_in_one_piece(large: Picture, tiny: Model, tiny_runtime: Runtime) -> None:
    assert tiny.halo is None
    watched = Counting(tiny_runtime)
    latent = analyse(large, tiny, watched, side=64)
    assert watched.largest == 448
    watched.largest = 0
    pixels = synthesise(latent, tiny, watched, channels=3, depth=8, region=(slice(0, 20), slice(0, 30)), side=64)
    assert pixels.shape == (20, 30, 3)
    assert watched.largest == 448


@pytest.mark.parametrize("shrink", [2, 4, 8])
@pytest.mark.parametrize("side", [64, 2048])
def test_a_preview_without_a_network_for_it_is_the_mean_of_the_pixels(
    shrink: int, side: int, large: Picture, tiny: Model, tiny_runtime: Runtime
) -> None:
    latent = analyse(large, tiny, tiny_runtime)
    region = slice(0, 331), slice(0, 437)
    whole = synthesise(latent, tiny, tiny_runtime, channels=3, depth=8)
    small = synthesise(latent, tiny, tiny_runtime, channels=3, depth=8, region=region, side=side, shrink=shrink)
    height, width = -(-331 // shrink), -(-437 // shrink)
    assert small.shape == (height, width, 3)
    cells = whole[: height * shrink, : width * shrink].reshape(height, shrink, width, shrink, 3)
    # The mean of what was clipped and rounded is not quite what is rounded and clipped of the mean.
    assert np.abs(cells.mean(axis=(1, 3)) - small).mean() < 1


@pytest.mark.parametrize("shrink", [2, 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_previews_in_windows(
    shrink: int, channels: int, large: Picture, photo_model: Model, photo_runtime: Runtime
) -> None:
    latent = analyse(large, photo_model, photo_runtime)
    options = {"channels": channels, "depth": 8, "region": (slice(0, 331), slice(0, 437)), "shrink": shrink}
    small = [synthesise(latent, photo_model, photo_runtime, **options, side=side) for side in (2048, 64)]
    assert small[0].shape == (-(-331 // shrink), -(-437 // shrink), channels)
    assert np.abs(small[0].astype(int) - small[1]).max() <= 1
    other = synthesise(latent, photo_model, photo_model.runtime("torch", 1), **options)
    assert np.abs(small[0].astype(int) - other).max() <= 1


@pytest.mark.parametrize(
    ("height", "width", "side", "count"),
    [(512, 768, 1152, 1), (1024, 1024, 1152, 1), (1024, 1088, 1152, 2), (1024, 2048, 1152, 2), (4000, 3000, 1152, 12)],
)
def test_larger_pictures_have_windows_to_share(height: int, width: int, side: int, count: int) -> None:
    found = side_of(height, width, side)
    assert -(-height // found) * -(-width // found) == count
    assert (count == 1) == (height * width <= WHOLE_PIXELS)
    assert found <= side


@pytest.mark.parametrize("name", ["onnx", "torch", "openvino"])
def test_windows_side_by_side(name: str, large: Picture, photo_model: Model) -> None:
    pytest.importorskip({"onnx": "onnxruntime"}.get(name, name))
    runtime = photo_model.runtime(name, threads=2)
    alone, together = (analyse(large, photo_model, runtime, side=100, threads=threads) for threads in (1, 2))
    assert np.array_equal(alone, together)


def test_giving_memory_back_changes_nothing(
    large: Picture, photo_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = analyse(large, photo_model, photo_model.runtime(threads=1), side=100)
    monkeypatch.setattr(graph, "LARGE_INPUT", 0)
    assert np.array_equal(analyse(large, photo_model, photo_model.runtime(threads=1), side=100), kept)
