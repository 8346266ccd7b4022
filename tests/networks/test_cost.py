import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from cnnzip.networks.cost import cost, cost_of, multiplications  # noqa: E402
from cnnzip.networks.registry import FAMILIES, build  # noqa: E402

STUDIED = ("pool", "dense", "deconv", "residual")


@pytest.mark.parametrize(
    ("layer", "given", "expected"),
    [
        (nn.Conv2d(3, 8, 3, padding=1), (1, 3, 6, 4), 6 * 4 * 3 * 8 * 9),
        (nn.Conv2d(3, 8, 5, stride=2, padding=2), (1, 3, 6, 4), 3 * 2 * 3 * 8 * 25),
        (nn.Conv2d(8, 8, 3, padding=1, groups=8), (1, 8, 6, 4), 6 * 4 * 8 * 9),
        (nn.ConvTranspose2d(3, 8, 5, stride=2, padding=2, output_padding=1), (1, 3, 6, 4), 6 * 4 * 3 * 8 * 25),
        (nn.Linear(10, 7), (4, 10), 4 * 10 * 7),
        (nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Conv2d(2, 1, 1)), (1, 1, 5, 5), 2 * 2 * 25),
    ],
)
def test_multiplications(layer, given, expected):
    assert multiplications(layer, torch.zeros(given)) == expected
    assert multiplications(layer.to("meta"), torch.zeros(given, device="meta")) == expected


def test_no_hook_is_left_behind():
    layer = nn.Conv2d(3, 8, 3)
    with pytest.raises(RuntimeError):
        multiplications(layer, torch.zeros(1, 4, 8, 8))
    assert not layer._forward_hooks


@pytest.mark.parametrize("name", FAMILIES)
def test_the_cost_is_that_of_the_network_that_runs(small_options, name):
    with torch.device("meta"):
        network = build(name, small_options[name])
    found = cost(network)
    assert found.parameters == sum(tensor.numel() for tensor in network.deployed().state_dict().values())
    stride = network.config.stride
    assert found.latent == (16, 512 // stride, 768 // stride)
    assert len(found.passes) == 2
    assert all(0 < rate < 2 for rate in found.passes)


@pytest.mark.parametrize("name", STUDIED)
def test_the_families_of_the_study_are_of_a_size(name):
    """At most 5 MB a bundle in half precision, and none buys its quality with a multiple of the others' work."""
    found = cost_of(name)
    assert found.parameters < 2_400_000
    assert max(found.passes) < 15
