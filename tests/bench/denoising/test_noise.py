import numpy as np
import pytest

from cnnzip.bench.denoising.noise import Noise, add_noise, noises, to_pixels


@pytest.mark.parametrize("sigma", [15.0, 50.0])
def test_the_noise_has_the_level_and_no_bounds(kodim, sigma):
    difference = 255.0 * add_noise(kodim, Noise(sigma, eight_bit=False)) - kodim
    assert difference.std() == pytest.approx(sigma, rel=0.01)
    assert abs(difference.mean()) < 0.05
    # Neither channels nor neighbours know of each other.
    assert abs(np.corrcoef(difference[..., 0].ravel(), difference[..., 1].ravel())[0, 1]) < 0.01
    assert abs(np.corrcoef(difference[:, 1:].ravel(), difference[:, :-1].ravel())[0, 1]) < 0.01
    assert add_noise(kodim, Noise(sigma, eight_bit=False)).min() < 0


def test_8_bits_are_the_same_noise_clipped_and_rounded(kodim):
    real, rounded = (add_noise(kodim, Noise(25.0, eight_bit)) for eight_bit in (False, True))
    assert (rounded.min(), rounded.max()) == (0, 1)
    # But for what float32 moves over a half.
    assert np.mean(to_pixels(rounded) != to_pixels(real)) < 1e-4
    assert np.allclose(255 * rounded, to_pixels(rounded), atol=1e-4)


def test_it_depends_on_the_picture_and_sigma_alone(kodim):
    crop = kodim[:64, :64]
    noise = Noise(25.0, eight_bit=False)
    first = add_noise(crop, noise)
    add_noise(kodim, noise)
    assert np.array_equal(add_noise(crop.copy(), noise), first)
    changed = crop.copy()
    changed[0, 0, 0] ^= 1
    assert not np.allclose(add_noise(changed, noise)[32:], first[32:])
    other = 25 * (add_noise(crop, Noise(15.0, eight_bit=False)) - crop / 255) / 15 + crop / 255
    assert not np.allclose(other, first, atol=1e-3)


def test_sigma_0_leaves_the_picture(kodim):
    for noise in noises((0.0,)):
        assert np.array_equal(to_pixels(add_noise(kodim, noise)), kodim)


def test_every_sigma_comes_in_both_kinds():
    kinds = [(noise.sigma, noise.kind) for noise in noises((15.0, 25.0))]
    assert kinds == [(15, "unclipped"), (25, "unclipped"), (15, "8-bit"), (25, "8-bit")]
