import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

from cnnzip.networks.preview import preview_of  # noqa: E402
from cnnzip.networks.registry import FAMILIES, build  # noqa: E402


@pytest.fixture
def photo(small_options):
    torch.manual_seed(0)
    return build("photo", small_options["photo"]).deployed()


@torch.no_grad()
def test_without_a_branch_it_is_the_mean_of_the_pixels(photo):
    """A fresh branch is zero."""
    channels = photo.config.latent_channels
    latent = torch.randn(2, channels, 5, 7)
    preview = preview_of(photo, torch.zeros(channels))
    assert preview(latent).shape == (2, 3, 40, 56)
    torch.testing.assert_close(preview(latent), F.avg_pool2d(photo.synthesis(latent), 2), atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_branch_counts_as_what_it_makes_of_the_mean_latent(photo):
    for parameter in photo.synthesis.parameters():
        parameter += 0.05 * torch.randn_like(parameter)
    mean = torch.randn(photo.config.latent_channels)
    preview = preview_of(photo, mean)
    flat = mean[None, :, None, None].expand(1, -1, 16, 16)
    middle = (..., slice(48, 80), slice(48, 80))
    expected = F.avg_pool2d(photo.synthesis(flat), 2)[middle]
    torch.testing.assert_close(preview(flat)[middle].mean(dim=(2, 3)), expected.mean(dim=(2, 3)), atol=1e-5, rtol=0)
    bumped = flat + torch.randn_like(flat)
    difference = (preview(bumped) - preview(flat)).abs().mean()
    assert difference > 0.01


def test_who_has_one(small_options):
    means = torch.zeros(1000)
    have = {
        name for name in FAMILIES
        if preview_of(build(name, small_options[name]), means[: small_options[name]["latent_channels"]])
    }  # fmt: skip
    assert have == {"photo"}
