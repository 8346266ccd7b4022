import numpy as np
import pytest

from cnnzip.prior.gains import Gains
from cnnzip.prior.hyper import HyperPrior
from cnnzip.prior.rounding import to_nearest
from cnnzip.prior.scales import LAST_SCALE

CHANNELS, HYPER_CHANNELS, WIDTH, TABLES = 6, 3, 5, 70


@pytest.fixture(scope="session")
def hyper_prior():
    """A hyperprior of 6 channels with random weights, for 70 tables."""
    rng = np.random.default_rng(7)

    def weights(*shape):
        inputs = np.prod(shape[1:])
        weight = np.rint(rng.normal(0, 2**12 * (2 / inputs) ** 0.5, shape)).astype(np.int16)
        return weight, rng.integers(-(2**18), 2**18, shape[0], dtype=np.int32)

    layers = {
        "hyper_synthesis.0": weights(4 * WIDTH, HYPER_CHANNELS),
        "hyper_synthesis.3": weights(WIDTH, 3, 3),
        "hyper_synthesis.4": weights(4 * WIDTH, WIDTH),
        "hyper_synthesis.7": weights(WIDTH, 3, 3),
        "hyper_synthesis.8": weights(WIDTH, WIDTH),
        "first": weights(2 * CHANNELS, WIDTH),
        "context.0": weights(WIDTH, CHANNELS),
        "context.1": weights(WIDTH, 3, 3),
        "second.0": weights(WIDTH, 2 * WIDTH),
        "second.2": weights(2 * CHANNELS, WIDTH),
    }
    for name in ("first", "second.2"):
        layers[name][1][CHANNELS:] += 20 << 20  # scales amid the tables
    mean = np.linspace(-1, 1, CHANNELS, dtype=np.float32)
    gain = np.geomspace(0.5, 4, 3, dtype=np.float32)[:, None].repeat(CHANNELS, axis=1)
    hyper_index = np.arange(64, 70, dtype=np.uint8).reshape(2, HYPER_CHANNELS)
    return HyperPrior.make(Gains(mean, gain, 1 / gain), to_nearest(LAST_SCALE + 1), hyper_index, layers)


@pytest.fixture(scope="session")
def hyper_analysis():
    """A network from (1, 6, h, w) to (1, 3, h/4, w/4), as an encoder might have."""
    mixing = np.random.default_rng(8).normal(0, 0.2, (HYPER_CHANNELS, CHANNELS)).astype(np.float32)

    def run(scaled):
        _, channels, height, width = scaled.shape
        assert channels == CHANNELS
        assert height % 4 == width % 4 == 0
        blocks = scaled.reshape(1, channels, height // 4, 4, width // 4, 4).sum(axis=(3, 5))
        return np.einsum("zc,bchw->bzhw", mixing, blocks)

    return run
