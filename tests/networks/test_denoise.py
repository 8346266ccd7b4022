"""The family `denoise`: what a network without biases promises, and how far it sees."""

import pytest

torch = pytest.importorskip("torch")

from cnnzip.errors import ModelError  # noqa: E402
from cnnzip.networks.cost import cost, cost_of  # noqa: E402
from cnnzip.networks.denoise import MULTIPLE  # noqa: E402
from cnnzip.networks.registry import build  # noqa: E402


@pytest.fixture
def make():
    """A small network with random weights, in double precision."""

    def made(**options):
        torch.manual_seed(0)
        network = build("denoise", {"width": 4, **options}).double().eval()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
        return network

    return made


def picture(network, height, width):
    torch.manual_seed(1)
    noisy = torch.rand(1, network.config.channels, height, width, dtype=torch.float64)
    return noisy, torch.full((1, 1, height, width), 0.1, dtype=torch.float64)


@torch.no_grad()
@pytest.mark.parametrize("channels", [3, 1])
@pytest.mark.parametrize("size", [(1, 1), (2, 3)])
def test_shapes(make, channels, size):
    network = make(channels=channels)
    noisy, level = picture(network, *(MULTIPLE * side for side in size))
    assert network(noisy, level).shape == noisy.shape


def test_a_gradient_reaches_every_weight(make):
    network = make(blocks=2)
    network(*picture(network, 32, 32)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@torch.no_grad()
def test_a_fresh_network_changes_nothing():
    network = build("denoise", {"width": 4})
    noisy, level = torch.rand(1, 3, 16, 24), torch.rand(1, 1, 16, 24)
    assert torch.equal(network(noisy, level), noisy)


@torch.no_grad()
@pytest.mark.parametrize("factor", [0.01, 0.5, 7.0])
def test_what_is_scaled_comes_back_scaled(make, factor):
    network = make()
    noisy, level = picture(network, 40, 32)
    assert not any("bias" in name for name, _ in network.named_parameters())
    assert not torch.allclose(network(noisy, level), noisy, atol=0.01)
    torch.testing.assert_close(network(factor * noisy, factor * level), factor * network(noisy, level))


@torch.no_grad()
@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_a_tile_with_its_halo_is_what_it_is_in_the_whole(make, blocks):
    network = make(blocks=blocks)
    halo, side = network.halo, 2 * MULTIPLE
    assert halo % MULTIPLE == 0
    noisy, level = picture(network, 2 * halo + side, 2 * halo + side + 6 * MULTIPLE)
    whole = network(noisy, level)[:, :, halo : halo + side]

    def tile(around):
        left, right = halo + 3 * MULTIPLE - around, halo + 3 * MULTIPLE + side + around
        cut = network(noisy[:, :, :, left:right], level[:, :, :, left:right])
        return cut[:, :, halo : halo + side, around : around + side]

    expected = whole[:, :, :, halo + 3 * MULTIPLE :][:, :, :, :side]
    torch.testing.assert_close(tile(halo), expected, rtol=0, atol=1e-12)
    # And no wider than it need be.
    assert (tile(halo - MULTIPLE) - expected).abs().max() > 1e-12


def test_its_size_and_cost():
    found = cost_of("denoise")
    assert found.parameters < 2_400_000  # 5 MB in half precision
    assert len(found.passes) == 1
    assert 30 < found.passes[0] < 70
    assert found.latent is None
    with torch.device("meta"):
        small = build("denoise", {"width": 8})
    assert cost(small).parameters == sum(tensor.numel() for tensor in small.state_dict().values())
    assert cost(small).passes[0] < found.passes[0] / 25


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": 8}, " has no option 'stride'; there are: channels, width, blocks"),
        ({"channels": 2}, ": channels must be 3 or 1, not 2"),
        ({"width": 0}, ": width must be a whole number in 1 … 4096, not 0"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ModelError, match=rf"^family 'denoise'{message}$"):
        build("denoise", options)
