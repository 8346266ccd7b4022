"""Noise for training: plain Gaussian, and what is left of a camera's noise in a photograph.

All is drawn and computed by torch on the device of the pictures, from its default generator or the one given.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnzip.train.jpeg import jpeg

NOISES = ("mixed", "gaussian", "camera")
"""What `noise` may be; see `noisy_pictures`."""

MAX_SIGMA = 55.0
"""Levels are drawn evenly from 0 to this, on the scale 0…255."""

CLEAN = 1 / 16
"""Share of the pictures that get no noise and level 0, so that a clean picture comes back clean."""

CAMERA = 1 / 4
"""Share of camera noise in a mixed run."""

EIGHT_BITS = 1 / 4
"""Share of the pictures with Gaussian noise that are then clipped and rounded to 8 bits, as files have it."""

MISJUDGED, MISJUDGEMENT = 1 / 5, 0.15
"""A share of the levels is told with an error of up to this fraction: levels that are estimated will have one."""

MAX_CAMERA_SIGMA = 40.0
GAMMA = 2.2
DARKEST = 0.06
"""Of the tone curve's slope: no camera lifts its shadows without end."""

READ_NOISE = 0.01
"""Variance of the noise that does not depend on the light, where that is all there is, in shot noise of white."""

MAX_BLUR = 0.7
"""Largest σ, in pixels, of the blur that demosaicing and scaling leave on the noise."""

QUALITIES = (60, 95)
"""Of JPEG."""


def noisy_pictures(clean: Tensor, kind: str) -> tuple[Tensor, Tensor]:
    """Pictures with noise, each of a level of its own.

    Args:
        clean: (B, C, H, W) in 0…1, H and W multiples of 16.
        kind: "gaussian": white noise, independent of the picture, not clipped but for some pictures; "camera": see
            `with_camera_noise`; "mixed": a quarter of the pictures as "camera", the others as "gaussian".

    Returns:
        The noisy pictures, and the levels told with them: (B,), σ / 255.
    """
    device, count = clean.device, len(clean)
    share = {"gaussian": 0.0, "mixed": CAMERA, "camera": 1.0}[kind]
    camera = torch.rand(count, device=device) < share
    limit = torch.where(camera, MAX_CAMERA_SIGMA, MAX_SIGMA)
    sigma = torch.rand(count, device=device) * limit / 255
    noise = torch.randn_like(clean)
    noisy = clean + _each(sigma) * noise
    rounded = (torch.rand(count, device=device) < EIGHT_BITS) & ~camera
    noisy = torch.where(_each(rounded), to_8_bits(noisy), noisy)
    if camera.any():
        noisy[camera], sigma[camera] = with_camera_noise(clean[camera], noise[camera], sigma[camera])
    spared = torch.rand(count, device=device) < CLEAN
    noisy = torch.where(_each(spared), clean, noisy)
    error = MISJUDGEMENT * (2 * torch.rand(count, device=device) - 1)
    error = torch.where(torch.rand(count, device=device) < MISJUDGED, error, 0.0)
    return noisy, torch.where(spared, 0.0, sigma * (1 + error))


def with_camera_noise(clean: Tensor, noise: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """Photographs as they come: Poisson–Gaussian noise, correlated between planes and neighbours, then JPEG.

    Args:
        clean: (B, C, H, W) in 0…1, H and W multiples of 16.
        noise: the same shape, white, of deviation 1.
        sigma: (B,) in 0…1, the deviation that the noise is to have on the mean over a picture.

    Returns:
        The photographs, 8 bits, and the level of each: the deviation of its noise before JPEG, as clipping has left it.
        What JPEG itself does to a picture is no part of the level: a photograph without noise has level 0,
        whatever its quality.
    """
    device, count = clean.device, len(clean)
    # From noise that planes share, after a camera's own work on colour, to the opposite, after its colour matrix.
    correlation = _each(torch.rand(count, device=device) - 0.2)
    shared = noise.mean(dim=1, keepdim=True)
    apart = (1 - correlation).sqrt()
    if clean.shape[1] > 1:
        noise = apart * noise + ((1 + 2 * correlation).sqrt() - apart) * shared
    noise = _blurred(noise, torch.rand(count, device=device) * MAX_BLUR)
    gain = _gain(clean, torch.rand(count, device=device))
    exposed = to_8_bits(clean + _each(sigma) * gain * noise)
    level = (exposed - clean).square().mean(dim=(1, 2, 3)).sqrt()
    low, high = QUALITIES
    quality = torch.randint(low, high + 1, (count,), device=device)
    subsampled = torch.rand(count, device=device) < 0.5
    return jpeg(exposed, quality, subsampled), level


def with_fixed_noise(clean: Tensor, sigma: int, number: int) -> Tensor:
    """`clean` with white noise of `sigma`, 0…255, not clipped: for validation, picture `number` always has the same."""
    generator = torch.Generator().manual_seed((number << 8) + sigma)
    # Drawn on the CPU: the same noise on every device.
    return clean + sigma / 255 * torch.randn(clean.shape, generator=generator).to(clean.device)


def to_8_bits(pixels: Tensor) -> Tensor:
    """Clipped to 0…1 and rounded to the 256 levels of a file."""
    return (pixels.clamp(0, 1) * 255).round() / 255


def _each(values: Tensor) -> Tensor:
    """(B,) as (B, 1, 1, 1)."""
    return values[:, None, None, None]


def _gain(clean: Tensor, shot: Tensor) -> Tensor:
    """How strong the noise is at each value, with mean square 1 over a picture.

    In linear light its variance is shot·light + (1 − shot)·READ_NOISE (Foi et al., TIP 2008); the tone curve's
    slope then turns it into that of the picture's values.
    """
    value = clean.clamp(min=DARKEST)
    light = value**GAMMA
    slope = value / light
    gain = (_each(shot) * light + _each(1 - shot) * READ_NOISE).sqrt() * slope
    return gain / gain.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()


def _blurred(noise: Tensor, sigma: Tensor) -> Tensor:
    """Noise (B, C, H, W) after a Gaussian blur of `sigma` (B,) pixels, with its deviation from before."""
    count, channels, height, width = noise.shape
    at = torch.arange(-2, 3, device=noise.device)
    taps = torch.exp(-(at**2) / (2 * (sigma[:, None] ** 2).clamp(min=1e-4)))
    taps = taps / taps.square().sum(dim=1, keepdim=True).sqrt()
    kernels = (taps[:, :, None] * taps[:, None, :]).repeat_interleave(channels, dim=0)[:, None]
    padded = F.pad(noise, (2, 2, 2, 2), mode="circular").reshape(1, count * channels, height + 4, width + 4)
    return F.conv2d(padded, kernels, groups=count * channels).reshape(noise.shape)
