import math

import pytest

torch = pytest.importorskip("torch")

from cnnzip.prior.density import FactorisedDensity  # noqa: E402

CHANNELS, LEVELS = 4, 3


@pytest.fixture
def density():
    torch.manual_seed(1)
    density = FactorisedDensity(CHANNELS, LEVELS)
    with torch.no_grad():
        for parameter in density.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return density


def test_mass_of_all_integers_is_one(density):
    integers = torch.arange(-400.0, 401.0).repeat(1, CHANNELS, 1)[..., None]
    for shift in (0.0, 0.37):
        gain, _ = density.gains(torch.tensor([1.3]))
        total = density.mixture.likelihood(integers + shift, gain).sum(dim=(2, 3))
        torch.testing.assert_close(total, torch.ones(1, CHANNELS), atol=1e-4, rtol=0)


def test_gains_at_levels_and_geometrically_between(density):
    at = [density.gains(torch.tensor([level]))[0] for level in (0.0, 1.0, 2.0)]
    for level in range(LEVELS):
        torch.testing.assert_close(at[level][0, :, 0, 0], density.log_gain[level].exp())
    between, inverse = density.gains(torch.tensor([0.25, 1.5]))
    assert between.shape == inverse.shape == (2, CHANNELS, 1, 1)
    torch.testing.assert_close(between[:1], at[0] ** 0.75 * at[1] ** 0.25)
    torch.testing.assert_close(between[1:], (at[1] * at[2]).sqrt())


def test_fresh_gains_cancel_and_step_with_the_square_root_of_lambda():
    density = FactorisedDensity(CHANNELS, LEVELS)
    gain, inverse = density.gains(torch.tensor([0.0, 0.5, 2.0]))
    torch.testing.assert_close(gain * inverse, torch.ones(3, CHANNELS, 1, 1))
    torch.testing.assert_close(gain[:, 0, 0, 0], 2 ** torch.tensor([-0.5, -0.25, 0.5]))


def test_bits_in_evaluation_are_those_of_the_rounded_latent(density):
    density.eval()
    latent = 5 * torch.randn(2, CHANNELS, 3, 2)
    level = torch.tensor([0.5, 2.0])
    quantised, bits = density(latent, level)
    gain, inverse = density.gains(level)
    mean = density.mean[:, None, None]
    symbols = ((latent - mean) * gain).round()
    torch.testing.assert_close(quantised, symbols * inverse + mean)
    expected = -density.mixture.likelihood(symbols, gain).log2().sum(dim=(1, 2, 3))
    assert torch.equal(bits, expected)
    assert bits.shape == (2,)


def test_impossible_symbols_cost_thirty_bits_at_most(density):
    gain, _ = density.gains(torch.tensor([0.0]))
    mass = density.mixture.likelihood(torch.full((1, CHANNELS, 1, 1), 1e6), gain)
    assert -math.log2(mass.max().item()) == pytest.approx(-math.log2(1e-9))


def test_training_adds_noise_to_the_rate_only(density):
    density.train()
    latent = torch.randn(1, CHANNELS, 8, 8)
    (first, bits), (second, other) = (density(latent, torch.tensor([1.0])) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(bits, other)


def test_a_gradient_reaches_every_parameter_and_the_latent(density):
    density.train()
    latent = torch.randn(2, CHANNELS, 4, 4, requires_grad=True)
    quantised, bits = density(latent, torch.tensor([0.5, 1.5]))
    (bits.sum() + quantised.square().sum()).backward()
    for name, tensor in [("latent", latent), *density.named_parameters()]:
        assert tensor.grad is not None, name
        assert torch.isfinite(tensor.grad).all(), name
        assert (tensor.grad != 0).all(), name
