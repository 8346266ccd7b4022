"""What holds for every family, and what is peculiar to `pool`, `dense` and `deconv`."""

import pytest

torch = pytest.importorskip("torch")

from cnnzip.errors import ModelError  # noqa: E402
from cnnzip.networks.dense import Deblocking  # noqa: E402
from cnnzip.networks.layers import Transform, lapped_analysis, lapped_synthesis  # noqa: E402
from cnnzip.networks.registry import FAMILIES, build  # noqa: E402

WITH_SHORTCUT = ("pool", "dense", "deconv")

VARIANTS = [
    *((name, {}) for name in FAMILIES),
    *((name, {"channels": 1}) for name in FAMILIES),
    *((name, {"shortcut": 0}) for name in WITH_SHORTCUT),
    *((name, {"blocks": 2, "kernel": 5}) for name in WITH_SHORTCUT),
    *((name, {"stride": stride}) for name in ("pool", "deconv") for stride in (8, 32)),
    *((name, {"stride": stride, "shortcut": 0}) for name in ("pool", "deconv") for stride in (8, 32)),
    *((name, {"pooling": "max"}) for name in ("pool", "dense")),
    ("dense", {"deblocking": 0}),
]


@pytest.fixture
def make(small_options):
    def made(name, **options):
        torch.manual_seed(0)
        return build(name, {**small_options[name], **options})

    return made


def stir(network):
    """Weights that are nowhere zero; some start there."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return network


def test_every_family_is_tested_here(small_options):
    assert small_options.keys() == FAMILIES.keys()


@torch.no_grad()
@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_shapes(make, name, options):
    network = make(name, **options).eval()
    config = network.config
    for size in ((1, 1), (2, 3)):
        height, width = (config.stride * side for side in size)
        latent = network.analysis(torch.rand(2, config.channels, height, width))
        assert latent.shape == (2, 16, *size)
        assert network.synthesis(latent).shape == (2, config.channels, height, width)


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_a_gradient_reaches_every_weight(make, name, options):
    network = stir(make(name, **options))
    latent = network.analysis(torch.rand(2, network.config.channels, 64, 64))
    loss = network.synthesis(latent).square().sum()
    if network.hyper_analysis is not None:
        loss = loss + network.hyper_analysis(latent).square().sum()
    loss.backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().max() > 0, parameter_name


@torch.no_grad()
@pytest.mark.parametrize("name", FAMILIES)
def test_dropout_is_for_training_alone(make, name):
    network = stir(make(name))
    pixels = torch.rand(2, 3, 64, 64)
    network.train()
    assert torch.equal(network(pixels), network(pixels))
    network.eval()
    before = network(pixels)
    network.set_dropout(0.5)
    assert torch.equal(network(pixels), before)
    network.train()
    assert not torch.equal(network(pixels), network(pixels))


@torch.no_grad()
@pytest.mark.parametrize("name", WITH_SHORTCUT)
@pytest.mark.parametrize("stride", [8, 16, 32])
def test_a_fresh_transform_with_a_shortcut_is_linear(make, name, stride):
    if name == "dense" and stride != 32:
        pytest.skip("dense has blocks of 32×32 alone")
    network = make(name, stride=stride).eval()
    for part, x in ((network.analysis[1], torch.rand(1, 3, 64, 96)), (network.synthesis[0], torch.rand(1, 16, 2, 3))):
        assert isinstance(part, Transform)
        assert torch.equal(part(x), part.shortcut(x))
    plain = make(name, stride=stride, shortcut=0)
    assert not any(isinstance(module, Transform) for module in plain.modules())


@torch.no_grad()
@pytest.mark.parametrize("stride", [8, 16, 32])
def test_a_lapped_transform_merges_without_a_loss(stride):
    """The merging alone is orthonormal; beside it both ends have one convolution each."""
    down, up = lapped_analysis(3, 64, stride)[2:], lapped_synthesis(3, 64, stride)[:-1]
    inner = torch.randn(1, 64 * 64 // stride**2, 8, 12)
    merged = down(inner)
    assert merged.shape == (1, 64, 8 * 8 // stride, 8 * 12 // stride)
    torch.testing.assert_close(merged.square().sum(), inner.square().sum())
    torch.testing.assert_close(up(merged), inner)


@torch.no_grad()
def test_without_deblocking_the_blocks_know_nothing_of_one_another(make):
    latent = torch.randn(1, 16, 3, 3)
    other = latent.clone()
    other[:, :, 1, 1] += 1
    for deblocking, beyond in ((0, False), (1, True)):
        network = stir(make("dense", deblocking=deblocking, shortcut=0)).eval()
        changed = (network.synthesis(latent) != network.synthesis(other)).any(dim=1)[0]
        assert changed[32:64, 32:64].all()
        changed[32:64, 32:64] = False
        assert changed.any() == beyond
        # It is a light one: what lies further than a few pixels from the seam stays.
        assert not changed[:24].any()


@torch.no_grad()
def test_a_fresh_deblocking_changes_nothing():
    pixels = torch.rand(1, 3, 8, 6)
    assert torch.equal(Deblocking(3)(pixels), pixels)


@torch.no_grad()
@pytest.mark.parametrize("name", ["pool", "dense"])
def test_the_kinds_of_pooling(make, name):
    pixels = torch.rand(1, 3, 64, 64)
    average, most = (make(name, pooling=kind, shortcut=0).eval() for kind in ("average", "max"))
    most.load_state_dict(average.state_dict())
    assert not torch.equal(average.analysis(pixels), most.analysis(pixels))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("pool", {"pooling": "median"}, "pooling must be average or max, not 'median'"),
        ("pool", {"shortcut": 2}, "shortcut must be 1 or 0, not 2"),
        ("pool", {"shortcut": True}, "shortcut must be 1 or 0, not True"),
        ("pool", {"shortcut": [1]}, r"shortcut must be 1 or 0, not \[1\]"),
        ("pool", {"kernel": 2}, "kernel must be odd, not 2"),
        ("pool", {"stride": 4}, "stride must be 8, 16 or 32"),
        ("pool", {"width": 12}, "width must be a multiple of 8, half the stride"),
        ("pool", {"shortcut": 1, "latent_channels": 6}, "with a shortcut latent_channels must be a multiple of 4"),
        ("dense", {"stride": 16}, "stride must be 32, not 16"),
        ("dense", {"width": 6}, "width must be a multiple of 4"),
        ("dense", {"kernel": 4}, "kernel must be odd, not 4"),
        ("dense", {"shortcut": 1, "latent_channels": 8}, "with a shortcut latent_channels must be a multiple of 16"),
        ("deconv", {"kernel": 1}, "kernel must be odd and 3 at least, not 1"),
        ("deconv", {"stride": 12}, "stride must be 8, 16 or 32"),
        ("deconv", {"shortcut": 1, "latent_channels": 6}, "with a shortcut latent_channels must be a multiple of 4"),
        ("residual", {"channels": 2}, "channels must be 3 or 1, not 2"),
        ("photo", {"channels": "3"}, "channels must be 3 or 1, not '3'"),
    ],
)
def test_options_that_do_not_fit(name, options, message):
    with pytest.raises(ModelError, match=rf"^family '{name}': {message}$"):
        build(name, options)
