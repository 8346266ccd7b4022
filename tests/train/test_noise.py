"""The noise that denoisers are trained with."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from cnnzip.train import noise
from cnnzip.train.jpeg import jpeg
from cnnzip.train.noise import CLEAN, MAX_CAMERA_SIGMA, MAX_SIGMA, noisy_pictures, with_camera_noise

FLAT = torch.full((512, 3, 16, 16), 0.5)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture
def photo(photo_file):
    """(1, 3, 64, 96) in 0…1."""
    with Image.open(photo_file) as image:
        samples = np.asarray(image.convert("RGB"))
    return torch.from_numpy(samples.copy()).permute(2, 0, 1)[None] / 255


def deviations(noisy, clean):
    return (noisy - clean).square().mean(dim=(1, 2, 3)).sqrt()


@pytest.mark.parametrize("kind", noise.NOISES)
@pytest.mark.parametrize("channels", [3, 1])
def test_the_same_seed_gives_the_same_noise(kind, channels):
    clean = torch.rand(16, channels, 16, 32)
    torch.manual_seed(7)
    first, levels = noisy_pictures(clean, kind)
    torch.manual_seed(7)
    second, again = noisy_pictures(clean, kind)
    assert first.shape == clean.shape
    assert levels.shape == (16,)
    assert torch.equal(first, second)
    assert torch.equal(levels, again)
    assert not torch.equal(noisy_pictures(clean, kind)[0], first)


@pytest.mark.parametrize("kind", noise.NOISES)
def test_a_share_is_left_clean(kind):
    noisy, levels = noisy_pictures(FLAT, kind)
    spared = levels == 0
    assert spared.float().mean() == pytest.approx(CLEAN, abs=0.03)
    assert torch.equal(noisy[spared], FLAT[spared])
    assert (deviations(noisy, FLAT)[~spared] > 0).float().mean() > 0.98


def test_the_level_of_gaussian_noise():
    noisy, levels = noisy_pictures(FLAT, "gaussian")
    noised = levels > 3 / 255
    ratio = deviations(noisy, FLAT)[noised] / levels[noised]
    # 768 values a picture: within 10 % but for clipping, and the fifth that is told with up to 15 % of error.
    assert ((ratio - 1).abs() < 0.1).float().mean() > 0.8
    assert ((ratio - 1).abs() > 0.09).float().mean() > 0.04
    assert ((ratio > 0.7) & (ratio < 1.35)).all()
    assert 0.9 * MAX_SIGMA / 255 < levels.max() < 1.16 * MAX_SIGMA / 255
    assert levels.mean() == pytest.approx((1 - CLEAN) * MAX_SIGMA / 255 / 2, rel=0.1)
    eight_bits = (noisy * 255 - (noisy * 255).round()).abs().amax(dim=(1, 2, 3)) < 1e-3
    assert eight_bits[noised].float().mean() == pytest.approx(noise.EIGHT_BITS, abs=0.07)
    assert noisy[eight_bits].min() >= 0
    assert noisy.min() < 0
    assert noisy.max() > 1


def test_the_level_of_camera_noise_is_that_before_jpeg():
    sigma = torch.linspace(2, MAX_CAMERA_SIGMA, 64) / 255
    clean = torch.full((64, 3, 64, 64), 0.4)
    noisy, levels = with_camera_noise(clean, torch.randn_like(clean), sigma)
    assert ((noisy * 255 - (noisy * 255).round()).abs() < 1e-3).all()
    assert (levels / sigma - 1).abs().median() < 0.05
    # JPEG takes much of the noise away, or makes a little more of it; that depends on its quality.
    assert (deviations(noisy, clean) < 1.2 * levels + 1 / 255).all()
    assert (deviations(noisy, clean) < 0.95 * levels).float().mean() > 0.2
    with torch.no_grad():
        unharmed, levels = with_camera_noise(clean, torch.randn_like(clean), torch.zeros(64))
    assert levels.max() < 0.3 / 255
    assert deviations(unharmed, clean).max() < 1 / 255


def test_camera_noise_depends_on_the_light_and_is_correlated():
    count = 48
    clean = torch.cat((torch.full((count, 3, 32, 32), 0.15), torch.full((count, 3, 32, 32), 0.75)), dim=3)
    noisy, _ = with_camera_noise(clean, torch.randn_like(clean), torch.full((count,), 12 / 255))
    error = noisy - clean
    dark, bright = error[..., :32].std(dim=(1, 2, 3)), error[..., 32:].std(dim=(1, 2, 3))
    ratio = dark / bright
    assert ratio.max() > 2 * ratio.min()
    assert ratio.median() > 1
    red, green = error[:, 0], error[:, 1]
    between = (red * green).mean(dim=(1, 2)) / (red.std(dim=(1, 2)) * green.std(dim=(1, 2)))
    assert between.max() > 0.5
    assert between.min() < 0.15
    along = (error[..., 1:] * error[..., :-1]).mean(dim=(1, 2, 3)) / error.square().mean(dim=(1, 2, 3))
    assert along.max() > 0.15


@pytest.mark.parametrize("subsampled", [True, False])
@pytest.mark.parametrize("quality", [30, 75, 95])
def test_jpeg_is_what_libjpeg_makes(photo, quality, subsampled):
    file = io.BytesIO()
    pixels = (photo[0] * 255).byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=2 if subsampled else 0)
    expected = torch.from_numpy(np.asarray(Image.open(file)).copy()).permute(2, 0, 1)[None] / 255
    found = jpeg(photo, torch.tensor([quality]), torch.tensor([subsampled]))
    own = deviations(expected, photo)
    assert deviations(found, photo) == pytest.approx(float(own), rel=0.05)
    assert deviations(found, expected) < 0.6 * own


def test_jpeg_of_gray_pictures():
    gray = torch.rand(2, 1, 16, 32)
    found = jpeg(gray, torch.tensor([60, 100]), torch.tensor([True, False]))
    assert found.shape == gray.shape
    assert deviations(found, gray)[1] < 1 / 255 < deviations(found, gray)[0]


def test_each_picture_has_its_own_quality(photo):
    both = jpeg(photo.repeat(2, 1, 1, 1), torch.tensor([60, 95]), torch.tensor([False, True]))
    assert torch.equal(both[:1], jpeg(photo, torch.tensor([60]), torch.tensor([False])))
    assert torch.equal(both[1:], jpeg(photo, torch.tensor([95]), torch.tensor([True])))
