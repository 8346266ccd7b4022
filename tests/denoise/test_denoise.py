"""Denoising pixels and pictures, whatever network does it; and what the one that comes with cnnzip gains."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cnnzip.denoise.denoise import denoise_picture, denoise_pixels
from cnnzip.denoise.level import estimate_level
from cnnzip.denoise.model import Denoiser, load_denoiser
from cnnzip.denoise.preview import preview
from cnnzip.errors import PictureError
from cnnzip.image import Metadata, Picture, read

from .conftest import with_noise

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models" / "denoise"


@pytest.fixture
def pixels(photo: Picture) -> NDArray[np.float32]:
    """(64, 96, 3), noise of level 20."""
    return with_noise(photo.color.astype(np.float32) / 255, 20)


@pytest.fixture
def noisy(pixels: NDArray[np.float32]) -> Picture:
    samples = np.clip(np.rint(255 * pixels), 0, 255).astype(np.uint8)
    return Picture(samples, metadata=Metadata(icc=b"icc", exif=b"exif", xmp=b"xmp"), notes=("a note",))


def luma(color: NDArray[np.float32]) -> NDArray[np.float32]:
    return color @ np.array([0.299, 0.587, 0.114], dtype=np.float32)


@pytest.mark.parametrize("options", [{}, {"keep_detail": True}, {"chroma": True}])
@pytest.mark.parametrize("size", [(64, 96), (61, 93), (33, 8), (7, 90)])
def test_tiles_leave_no_seams(size: tuple[int, int], options: dict[str, bool], pixels, smoother) -> None:
    cut = pixels[: size[0], : size[1]]
    whole = denoise_pixels(cut, smoother, sigma=20, **options)
    assert {shape[2:] for shape in smoother.shapes} == {(-(-size[0] // 8) * 8, -(-size[1] // 8) * 8)}
    smoother.shapes.clear()
    tiled = denoise_pixels(cut, smoother, sigma=20, tile_side=24, **options)
    assert len(smoother.shapes) >= 2
    np.testing.assert_array_equal(tiled, whole)
    assert np.abs(whole - cut).max() > 0.02


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (1, 20), (3, 5), (8, 8)])
def test_any_size(size: tuple[int, int], channels: int, smoother) -> None:
    color = np.full((*size, channels), 0.5, dtype=np.float32)
    result = denoise_pixels(color, smoother, sigma=20, keep_detail=True, chroma=True)
    assert result.shape == color.shape
    assert result.dtype == np.float32


@pytest.mark.parametrize("options", [{"strength": 0.0, "sigma": 20}, {"sigma": 0}])
def test_nothing_to_do_gives_the_input(options: dict[str, float], pixels, noisy, smoother) -> None:
    np.testing.assert_array_equal(denoise_pixels(pixels, smoother, keep_detail=True, **options), pixels)
    same, level = denoise_picture(noisy, smoother, chroma=True, **options)
    assert same is noisy
    assert level == options["sigma"]
    assert not smoother.shapes


def test_strength_blends(pixels, smoother) -> None:
    full = denoise_pixels(pixels, smoother, sigma=20)
    half = denoise_pixels(pixels, smoother, sigma=20, strength=0.5)
    np.testing.assert_allclose(half, (pixels + full) / 2, atol=1e-6)


def test_the_network_is_told_the_level(pixels, smoother) -> None:
    denoise_pixels(pixels, smoother, sigma=20)
    denoise_pixels(pixels, smoother, sigma=20, chroma=True)
    assert smoother.levels == pytest.approx([20, 20, 35])


def test_chroma_changes_colour_alone(pixels, smoother) -> None:
    plain = denoise_pixels(pixels, smoother, sigma=20)
    both = denoise_pixels(pixels, smoother, sigma=20, chroma=True)
    stronger = denoise_pixels(pixels, smoother, sigma=35)
    np.testing.assert_allclose(luma(both), luma(plain), atol=1e-6)
    np.testing.assert_allclose(both - luma(both)[..., None], stronger - luma(stronger)[..., None], atol=1e-6)
    assert np.abs(both - plain).max() > 0.005


def test_detail_is_kept_where_there_is_some(smoother) -> None:
    # Flat on the left, an edge on the right.
    clean = np.full((40, 80, 3), 0.4, dtype=np.float32)
    clean[:, 60:] = 0.9
    noisy = with_noise(clean, 10)
    plain = denoise_pixels(noisy, smoother, sigma=10)
    kept = denoise_pixels(noisy, smoother, sigma=10, keep_detail=True)
    put_back = np.abs(luma(kept - plain)) / np.abs(luma(noisy - plain))
    assert np.median(put_back[8:-8, 58:62]) == pytest.approx(0.49, abs=0.02)
    assert np.median(put_back[8:-8, 8:50]) < 0.2


def test_gray_stays_gray(noisy, smoother) -> None:
    gray = replace(noisy, color=noisy.color[..., 1:2])
    result, _ = denoise_picture(gray, smoother, sigma=20, chroma=True)
    as_color = replace(gray, color=np.repeat(gray.color, 3, axis=2))
    expected, _ = denoise_picture(as_color, smoother, sigma=20)
    np.testing.assert_array_equal(result.color, expected.color[..., :1])
    assert (result.color != gray.color).any()


def test_the_rest_of_the_picture_stays(noisy, smoother) -> None:
    alpha = np.full((64, 96), 255, dtype=np.uint8)
    alpha[:20] = 0
    alpha[20:30] = 7
    given = replace(noisy, alpha=alpha)
    result, level = denoise_picture(given, smoother)
    assert level == pytest.approx(20, rel=0.2)
    assert (result.metadata, result.notes, result.alpha is alpha) == (given.metadata, given.notes, True)
    np.testing.assert_array_equal(result.color[:20], given.color[:20])
    assert (result.color[20:] != given.color[20:]).mean() > 0.5
    nothing_seen, _ = denoise_picture(replace(given, alpha=np.zeros_like(alpha)), smoother)
    np.testing.assert_array_equal(nothing_seen.color, given.color)


def test_hidden_colours_do_not_tell_the_level(photo, smoother) -> None:
    alpha = np.zeros((64, 96), dtype=np.uint8)
    alpha[:, :60] = 255
    color = np.array(photo.color)
    color[:, 60:] = np.random.default_rng(0).integers(0, 256, (64, 36, 3))
    given = Picture(color, alpha)
    result, level = denoise_picture(given, smoother)
    assert level == 0
    assert result is given


def test_16_bits_stay_16_bits(pixels, smoother) -> None:
    deep = Picture(np.rint(np.clip(pixels, 0, 1) * 65535).astype(np.uint16))
    result, level = denoise_picture(deep, smoother)
    assert result.depth == 16
    expected = denoise_pixels(deep.color.astype(np.float32) / 65535, smoother, sigma=level)
    assert np.abs(result.color - 65535 * np.clip(expected, 0, 1)).max() <= 0.51
    assert len(np.unique(result.color % 257)) > 200  # not 8 bits, spread


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sigma": -1}, r"^sigma must lie in 0 … 255, not -1$"),
        ({"sigma": math.nan}, r"^sigma must lie in 0 … 255, not nan$"),
        ({"sigma": 1, "strength": 1.5}, r"^strength must lie in 0 … 1, not 1.5$"),
    ],
)
def test_numbers_that_cannot_be_meant(options: dict[str, float], message: str, pixels, noisy, smoother) -> None:
    with pytest.raises(ValueError, match=message):
        denoise_pixels(pixels, smoother, **options)
    with pytest.raises(ValueError, match=message):
        denoise_picture(noisy, smoother, **options)


def test_a_denoiser_of_gray(noisy, smoother) -> None:
    class GraySmoother:
        multiple, halo, channels, description = 8, 8, 1, smoother.description

        def run(self, noisy: NDArray[np.float32], level: NDArray[np.float32]) -> NDArray[np.float32]:
            return smoother.run(noisy.repeat(3, axis=1), level)[:, :1]

    gray = replace(noisy, color=noisy.color[..., 1:2])
    result, _ = denoise_picture(gray, GraySmoother(), sigma=20)
    expected, _ = denoise_picture(gray, smoother, sigma=20)
    assert np.abs(result.color.astype(int) - expected.color).max() <= 1
    with pytest.raises(PictureError, match=r"^a colour picture, and model 'smoother' knows gray alone$"):
        denoise_picture(noisy, GraySmoother(), sigma=20)


def test_preview(noisy, smoother) -> None:
    denoised, _ = denoise_picture(noisy, smoother)
    drawn = preview(noisy, denoised)
    assert (drawn.width, drawn.height, drawn.metadata) == (3 * 96 + 2 * 8, 64, Metadata(icc=b"icc"))
    np.testing.assert_array_equal(drawn.color[:, :96], noisy.color)
    np.testing.assert_array_equal(drawn.color[:, 104:200], denoised.color)
    taken = noisy.color.astype(int) - denoised.color
    np.testing.assert_array_equal(drawn.color[:, 208:], np.clip(128 + 4 * taken, 0, 255))


def test_preview_shows_the_middle_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    color = np.arange(300 * 500).reshape(300, 500, 1).astype(np.uint16)
    picture = Picture(color, metadata=Metadata(exif=exif.tobytes().removeprefix(b"Exif\0\0")))
    drawn = preview(picture, picture)
    assert (drawn.width, drawn.height, drawn.depth) == (3 * 256 + 2 * 8, 256, 8)
    turned = np.rot90(color[..., 0], -1)
    middle = turned[122:378, 22:278]
    np.testing.assert_allclose(drawn.color[:, :256, 0], middle / 257, atol=0.51)


@pytest.fixture(scope="module")
def shipped() -> Denoiser:
    if not SHIPPED.is_dir():
        pytest.skip("models/denoise is not there: train one with cnnzip train --family denoise")
    return load_denoiser(SHIPPED, threads=1)


@pytest.mark.parametrize(
    ("name", "box"),
    [
        ("docs/kodim23.png", (200, 60, 392, 252)),
        ("tests/data/parrots-96x64.png", None),
        ("tests/data/lighthouse-64x96.png", None),
    ],
)
def test_the_shipped_denoiser_gains_4_db(name: str, box: tuple[int, ...] | None, shipped: Denoiser) -> None:
    with Image.open(ROOT / name) as image:
        clean = np.asarray(image.crop(box) if box else image, dtype=np.float32) / 255
    noisy = with_noise(clean, 25)
    blind = denoise_pixels(noisy, shipped, sigma=estimate_level(noisy))
    told = denoise_pixels(noisy, shipped, sigma=25)
    before, blind_after, after = (-10 * math.log10(np.square(x - clean).mean()) for x in (noisy, blind, told))
    assert after - before >= 4
    assert blind_after - before >= 4


def test_the_shipped_denoiser_leaves_no_seams(shipped: Denoiser) -> None:
    clean = read((ROOT / "docs" / "kodim23.png").read_bytes()).color[:200, :300].astype(np.float32) / 255
    noisy = with_noise(clean, 25)
    whole = denoise_pixels(noisy, shipped, sigma=25)
    tiled = denoise_pixels(noisy, shipped, sigma=25, tile_side=100)
    np.testing.assert_allclose(tiled, whole, atol=1e-4)
