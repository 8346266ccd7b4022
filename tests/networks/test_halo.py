import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from cnnzip.errors import TrainingError  # noqa: E402
from cnnzip.networks.family import Family, FamilyConfig  # noqa: E402
from cnnzip.networks.halo import halo  # noqa: E402
from cnnzip.networks.registry import FAMILIES, build  # noqa: E402


def inside(x, border):
    return x[..., border:-border, border:-border]


@torch.no_grad()
def differences(network, x, before, after):
    """What differs of the outputs for two inputs, alike but for a border `before`, at least `after` from the edge."""
    other = torch.rand_like(x)
    inside(other, before)[:] = inside(x, before)
    one, two = network(torch.cat([x, other]))
    assert not torch.equal(one, two)
    return (inside(one, after) - inside(two, after)).abs().max()


@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_beyond_the_halo_counts(name, small_options):
    torch.manual_seed(0)
    family = build(name, small_options[name]).deployed()
    for parameter in family.parameters():
        nn.init.normal_(parameter, std=0.05)  # some start at zero, which would hide a change
    reach, stride = halo(family), family.config.stride
    assert reach % stride == 0
    positions, side = reach // stride, 4 * reach + 4 * stride
    pixels = torch.rand(1, 3, side, side)
    assert differences(family.analysis, pixels, reach, 2 * positions) < 1e-5
    latent = torch.rand(1, family.config.latent_channels, side // stride, side // stride)
    assert differences(family.synthesis, latent, positions, 2 * reach) < 1e-5


class Everywhere(Family):
    """Each latent depends on a whole column."""

    name = "everywhere"
    config_type = FamilyConfig

    def __init__(self, config):
        super().__init__(config)
        self.analysis = nn.Sequential(nn.PixelUnshuffle(config.stride), nn.Softmax(dim=2))
        self.synthesis = nn.PixelShuffle(config.stride)


def test_a_reach_without_an_end_is_refused():
    with pytest.raises(TrainingError, match="no convolution"):
        halo(Everywhere(FamilyConfig(latent_channels=3 * 64, stride=8)))
