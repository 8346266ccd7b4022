import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from cnnzip.networks.export import network_arrays, round_weights  # noqa: E402
from cnnzip.networks.folding import norm_arrays, unfolded  # noqa: E402
from cnnzip.networks.registry import FAMILIES, build  # noqa: E402


@pytest.fixture
def trained(small_options):
    """A `deconv` whose normalisations have seen data, and one whose γ is negative and one whose γ is zero."""
    torch.manual_seed(0)
    network = build("deconv", small_options["deconv"])
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
        first = network.get_submodule("analysis.1.branch.1")
        first.weight[0], first.weight[1] = -0.7, 0.0
        for _ in range(30):
            network(torch.rand(4, 3, 64, 64))
    return network


def norms(network):
    return [name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)]


@torch.no_grad()
def test_what_is_deployed_has_no_normalisation_and_computes_the_same(trained):
    plain = trained.deployed()
    assert norms(trained)
    assert not norms(plain)
    assert not list(plain.buffers())
    assert not plain.training
    pixels = torch.rand(1, 3, 64, 32)
    torch.testing.assert_close(plain(pixels), trained.eval()(pixels), rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_deployed_as_plain_weights(small_options, name):
    network = build(name, small_options[name]).eval()
    plain, pixels = network.deployed(), torch.rand(1, 3, 64, 64)
    round_weights(plain)
    assert all(array.dtype == np.float16 for array in network_arrays(plain).values())
    torch.testing.assert_close(plain(pixels), network(pixels), rtol=0, atol=5e-3)
    assert plain is not network


@torch.no_grad()
def test_unfolding_brings_back_what_training_goes_on_from(small_options, trained):
    plain = trained.deployed()
    arrays = {name: tensor.numpy() for name, tensor in plain.state_dict().items()}
    state = unfolded(trained, arrays, norm_arrays(trained))
    assert state.keys() == trained.state_dict().keys()
    again = build("deconv", small_options["deconv"])
    again.load_state_dict({name: torch.from_numpy(np.asarray(array)) for name, array in state.items()})
    pixels = torch.rand(4, 3, 64, 64)
    torch.testing.assert_close(again.eval()(pixels), trained.eval()(pixels), rtol=0, atol=1e-4)
    # Also where the statistics are those of the batch; no dead channel among them, whose deviation is not a number's.
    assert norm_arrays(again)["analysis.1.branch.1"][0, 0] == pytest.approx(0.7)
    torch.testing.assert_close(again.train()(pixels), trained.train()(pixels), rtol=0, atol=2e-2)


def test_unfolding_misses_what_is_not_there(trained):
    plain = trained.deployed()
    arrays = {name: tensor.numpy() for name, tensor in plain.state_dict().items()}
    with pytest.raises(KeyError, match=r"analysis\.1\.branch\.1"):
        unfolded(trained, arrays, {})


def test_a_family_without_normalisations_has_nothing_to_unfold(small_options):
    network = build("residual", small_options["residual"])
    arrays = network_arrays(network)
    assert norm_arrays(network) == {}
    assert unfolded(network, arrays, {}).keys() == arrays.keys()


def test_folding_works_without_storage(small_options):
    """As the torch runtime needs it: the shape of what is stored, before anything is read."""
    with torch.device("meta"):
        plain = build("deconv", small_options["deconv"]).deployed()
    assert {tensor.device.type for tensor in plain.state_dict().values()} == {"meta"}
    assert "analysis.1.branch.0.bias" in plain.state_dict()
