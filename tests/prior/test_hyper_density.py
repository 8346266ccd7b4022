"""The hyperprior in training: that it learns what the integers then compute, and that its rate is one."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cnnzip.prior.checkerboard import FIRST, SECOND, Checkerboard  # noqa: E402
from cnnzip.prior.gains import Gains  # noqa: E402
from cnnzip.prior.hyper import HyperPrior  # noqa: E402
from cnnzip.prior.hyper_density import HyperDensity, first_half, normal_mass, pad, sent_symbols  # noqa: E402
from cnnzip.prior.hyper_fit import normal_letters  # noqa: E402
from cnnzip.prior.hyper_network import LAYERS, ONE  # noqa: E402
from cnnzip.prior.prior import whole  # noqa: E402
from cnnzip.prior.rounding import round_to, thresholds, to_nearest  # noqa: E402
from cnnzip.prior.scales import LAST_SCALE, log2_scale  # noqa: E402

CHANNELS, LEVELS, HYPER_CHANNELS, WIDTH = 12, 3, 4, 10


def density_of(seed=0):
    """Random weights that keep the size of what goes through, and scales amid the tables."""
    torch.manual_seed(seed)
    density = HyperDensity(CHANNELS, LEVELS, HYPER_CHANNELS, WIDTH)
    with torch.no_grad():
        for parameter in density.parameters():
            if parameter.ndim == 4:
                torch.nn.init.normal_(parameter, std=(1.5 / parameter[0].numel()) ** 0.5)
        for layer in (density.first, density.second[2]):
            layer.bias[CHANNELS:] += 25
    return density


@pytest.fixture
def density():
    return density_of()


def hyper_analysis(scaled):
    """(B, M, h, w) to (B, Z, h/4, w/4): sums of neighbours."""
    return 0.5 * torch.nn.functional.avg_pool2d(scaled, 4)[:, :HYPER_CHANNELS]


def rounded_prior(density):
    """The integer prior with the weights of `density`."""

    def integers(convolution):
        weight = (convolution.weight.detach().double().numpy() * 2**12).round()
        weight = weight[:, 0] if convolution.groups > 1 else weight[:, :, 0, 0]
        return weight.astype(np.int16), (convolution.bias.detach().double().numpy() * 2**20).round().astype(np.int32)

    ones = np.ones((2, CHANNELS), dtype=np.float32)
    index = np.zeros((2, HYPER_CHANNELS), dtype=np.uint8)
    return HyperPrior.make(
        Gains(ones[0], ones, ones),
        to_nearest(64),
        index,
        {name: integers(density.get_submodule(name)) for name in LAYERS},
    )


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 5), (4, 8), (9, 13)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_integers_compute_what_was_learnt(height, width, seed):
    density = density_of(seed)
    prior = rounded_prior(density)
    symbols = torch.randint(-6, 7, (1, HYPER_CHANNELS, -(-height // 4), -(-width // 4)))
    scaled = 5 * torch.randn(1, CHANNELS, height, width)
    with torch.no_grad():
        features = density.hyper_synthesis(symbols.float())[:, :, :height, :width]
        mean, scale = density.parameters_of(features, scaled)
    exact_features = prior.network.features(symbols[0].numpy().astype(np.int32), whole(height, width))
    np.testing.assert_allclose(exact_features / ONE, features[0].numpy(), rtol=0, atol=0.1)

    board = Checkerboard(height, width)
    first_mean, first_index = prior.network.first(exact_features)
    np.testing.assert_allclose(first_mean / ONE, board.take(mean[0].numpy(), FIRST), rtol=0, atol=0.1)
    # One step either way where the float lies between two tables.
    assert np.abs(first_index - board.take(scale[0].numpy(), FIRST)).max() <= 0.6

    # The second pass is given the float's own context: a symbol rounded the other way is no fault of the arithmetic.
    values = scaled[0].numpy() - mean[0].numpy()
    values = np.rint((np.rint(values) + mean[0].numpy()) * ONE)
    known = board.take(values.astype(np.int32), FIRST)
    second_mean, second_index = prior.network.second(exact_features, known)
    np.testing.assert_allclose(second_mean / ONE, board.take(mean[0].numpy(), SECOND), rtol=0, atol=0.1)
    assert np.abs(second_index - board.take(scale[0].numpy(), SECOND)).max() <= 0.6
    assert scale.min() >= 0
    assert scale.max() <= LAST_SCALE
    assert scale.std() > 0.1 or height == 1


def test_scales_stay_within_the_tables(density):
    with torch.no_grad():
        for layer in (density.first, density.second[2]):
            layer.bias[CHANNELS:] = 100 * torch.randn(CHANNELS)
        _, scale = density.parameters_of(torch.randn(1, WIDTH, 4, 4), torch.randn(1, CHANNELS, 4, 4))
    assert (scale.min(), scale.max()) == (0, LAST_SCALE)


def test_the_halves_are_those_of_the_decoder():
    mask = first_half(6, 5, 7, torch.device("cpu"))
    decoders = np.zeros((6, 5, 7), dtype=bool)
    Checkerboard(5, 7).put(decoders, FIRST, np.ones(decoders.size // 2, dtype=bool))
    assert np.array_equal(mask.numpy(), decoders)


@pytest.mark.parametrize("offset", [0.0, 0.3, 0.5])
def test_mass_of_all_integers_is_one(offset):
    distance = torch.arange(-1000.0, 1001.0, dtype=torch.float64)[:, None] + offset
    total = normal_mass(distance, torch.arange(LAST_SCALE + 1.0, dtype=torch.float64)).sum(dim=0)
    torch.testing.assert_close(total, torch.ones_like(total), atol=3e-6, rtol=0)  # the floor's share


def test_the_mass_is_that_of_the_scale():
    mass = normal_mass(torch.zeros(LAST_SCALE + 1), torch.arange(LAST_SCALE + 1.0)).numpy()
    scales = np.array([2 ** log2_scale(index) for index in range(LAST_SCALE + 1)])
    assert scales[0] == pytest.approx(0.105, rel=0.01)
    assert scales[-1] == pytest.approx(114, rel=0.01)
    # Far beyond one the mass of an interval is the density at its centre.
    np.testing.assert_allclose(mass[40:] * scales[40:], (2 * np.pi) ** -0.5, rtol=2e-3)
    # At one standard deviation of a half the interval is ±1 standard deviation; 0.1587 lies beyond on either side.
    middle = -(log2_scale(0) + 1) / (log2_scale(1) - log2_scale(0))
    assert normal_mass(torch.zeros(1), torch.tensor([middle])).item() == pytest.approx(1 - 2 * 0.158655, abs=1e-5)


def test_impossible_symbols_cost_thirty_bits_at_most():
    assert normal_mass(torch.tensor([1e6]), torch.tensor([0.0])).item() == pytest.approx(1e-9)


@pytest.mark.parametrize(("height", "width"), [(8, 4), (5, 7), (1, 1)])
def test_bits_in_evaluation_are_those_of_the_rounded_values(density, height, width):
    density.eval()
    latent = 5 * torch.randn(2, CHANNELS, height, width)
    level = torch.tensor([0.5, 2.0])
    with torch.no_grad():
        quantised, bits = density(latent, level, hyper_analysis)
        gain, inverse = density.gains(level)
        symbols = hyper_analysis(pad(latent * gain)).round()  # fresh means are zero
        features = density.hyper_synthesis(symbols)[:, :, :height, :width]
        mean, scale = density.parameters_of(features, latent * gain)
        residual = (latent * gain - mean).round()
        expected = -density.hyper_mixture.likelihood(symbols, torch.ones(1)).log2().sum(dim=(1, 2, 3))
        expected -= normal_mass(residual, scale).log2().sum(dim=(1, 2, 3))
    assert bits.shape == (2,)
    torch.testing.assert_close(bits, expected)
    torch.testing.assert_close(quantised, (residual + mean) * inverse)
    assert (bits > 0).all()


def test_the_mean_of_the_first_half_does_not_see_the_latent(density):
    """What a decoder does not know yet must not tell a rate that no decoder could have."""
    mask = first_half(CHANNELS, 6, 6, torch.device("cpu"))
    features = torch.randn(1, WIDTH, 6, 6)
    one, other = 5 * torch.randn(2, CHANNELS, 6, 6)
    mixed = torch.where(mask, one, other)
    with torch.no_grad():
        (first, _), (second, _), (third, _) = (density.parameters_of(features, x[None]) for x in (one, other, mixed))
    assert torch.equal(first[0][mask], second[0][mask])
    # The second half's see the first half, and nothing else.
    assert torch.equal(first[0], third[0])
    assert (first[0][~mask] != second[0][~mask]).all()


def test_padding_to_whole_positions_of_the_hyper_latent():
    x = torch.ones(1, 2, 5, 8)
    padded = pad(x)
    assert padded.shape == (1, 2, 8, 8)
    assert torch.equal(padded[:, :, :5], x)
    assert not padded[:, :, 5:].any()
    assert pad(x[:, :, :4]).shape == (1, 2, 4, 8)


def test_training_adds_noise_to_the_rate_only(density):
    density.train()
    latent = torch.randn(1, CHANNELS, 8, 8)
    (first, bits), (second, other) = (density(latent, torch.tensor([1.0]), hyper_analysis) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(bits, other)


def test_a_gradient_reaches_every_parameter_and_the_latent(density):
    density.train()
    network = torch.nn.Conv2d(CHANNELS, HYPER_CHANNELS, 4, stride=4)
    latent = (5 * torch.randn(2, CHANNELS, 10, 7)).requires_grad_()
    quantised, bits = density(latent, torch.tensor([0.5, 1.5]), network)
    (bits.sum() + quantised.square().sum()).backward()
    for name, tensor in [("latent", latent), *density.named_parameters(), *network.named_parameters()]:
        assert tensor.grad is not None, name
        assert torch.isfinite(tensor.grad).all(), name
        assert (tensor.grad != 0).any(), name


def test_what_is_sent_is_what_an_encoder_sends():
    """Symbols by the thresholds of the normal density's own histograms, and the gradient of what they stand for."""
    limits = thresholds(list(normal_letters()[:, :-1]))
    generator = np.random.default_rng(0)
    index = generator.integers(0, LAST_SCALE + 1, 20_000)
    x = (generator.normal(size=index.shape) * [2 ** log2_scale(i) for i in index]).astype(np.float32)
    distance = torch.from_numpy(x).requires_grad_()
    symbols = sent_symbols(distance, torch.from_numpy(index.astype(np.float32)))
    expected = round_to(x, index.astype(np.uint8), limits)
    # Thresholds end at some symbol, and are a little apart where the histograms have been filled up.
    differ = np.abs(symbols.detach().numpy() - expected)
    assert differ.max() <= 1
    assert differ.mean() < 0.003
    assert (expected != np.rint(x)).mean() > 10 * differ.mean()
    symbols.sum().backward()
    assert torch.equal(distance.grad, torch.ones_like(distance))


def test_learning_with_what_is_sent_costs_fewer_bits_and_knows_no_noise(density):
    latent, level = 4 * torch.randn(1, CHANNELS, 8, 8), torch.tensor([1.0])
    _, rounded_bits = density.eval()(latent, level, hyper_analysis)
    density.sent = True
    values, bits = density.train()(latent, level, hyper_analysis)
    again, _ = density(latent, level, hyper_analysis)
    assert torch.equal(values, again)
    assert bits < rounded_bits
