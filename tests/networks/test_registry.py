import pytest

torch = pytest.importorskip("torch")

from cnnzip.errors import ModelError  # noqa: E402
from cnnzip.networks.family import Family  # noqa: E402
from cnnzip.networks.registry import DENOISERS, FAMILIES, build, family_type  # noqa: E402

SMALL = {"width": 8, "blocks": 1, "latent_channels": 8}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_what_its_name_says(name):
    kind = family_type(name)
    assert kind.name == name
    assert kind.summary
    assert issubclass(kind, Family)
    assert kind.prior == ("hyper" if name == "photo" else "factorised")


@pytest.mark.parametrize("name", DENOISERS)
def test_a_denoiser_is_no_codec(name):
    kind = family_type(name)
    assert (kind.name, kind.prior) == (name, "none")
    assert not issubclass(kind, Family)


def test_an_unknown_family():
    with pytest.raises(
        ModelError, match=r"^no family is called 'nosuch'; there are: pool, dense, deconv, residual, photo, denoise$"
    ):
        build("nosuch", {})


def test_an_unknown_option():
    message = (
        r"^family 'residual' has no option 'depth'; "
        r"there are: channels, latent_channels, stride, width, blocks, kernel$"
    )
    with pytest.raises(ModelError, match=message):
        build("residual", {"depth": 3})


@pytest.mark.parametrize("option", ["width", "blocks", "latent_channels", "stride", "kernel"])
@pytest.mark.parametrize("value", ["abc", -3, 0, 1.5, 64.0, True, None, [8], 4097, 10**30])
def test_a_value_that_no_option_can_have(option, value):
    with pytest.raises(ModelError, match=rf"^family 'residual': {option} must be a whole number in 1 … 4096, not "):
        build("residual", {option: value})


def test_an_even_kernel():
    with pytest.raises(ModelError, match=r"^family 'residual': kernel must be odd, not 4$"):
        build("residual", {"kernel": 4})


@pytest.mark.parametrize("options", [{"stride": 12}, {"stride": 32}, {"stride": 16, "latent_channels": 6}])
def test_a_stride_that_does_not_fit(options):
    with pytest.raises(ModelError, match=r"^family 'residual': stride must be 8 or 16, and with 16 latent_channels a "):
        build("residual", options)


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("size", [(1, 1), (2, 3)])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_shapes(stride, size, kernel):
    network = build("residual", {**SMALL, "stride": stride, "kernel": kernel}).eval()
    height, width = (stride * side for side in size)
    with torch.no_grad():
        latent = network.analysis(torch.rand(2, 3, height, width))
        assert latent.shape == (2, 8, *size)
        assert network.synthesis(latent).shape == network(torch.rand(2, 3, height, width)).shape
        assert network.synthesis(latent).shape == (2, 3, height, width)


@pytest.mark.parametrize("stride", [8, 16])
def test_a_gradient_reaches_every_weight(stride):
    torch.manual_seed(0)
    network = build("residual", {**SMALL, "stride": stride})
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.02 * torch.randn_like(parameter)  # some start at zero
    network(torch.rand(1, 3, 64, 64)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
