import numpy as np
import pytest

from cnnzip.entropy import Codebook, Tables


def laplace(sigma, reach):
    letters = np.arange(-reach, reach + 1)
    weights = np.exp(-np.sqrt(2) / sigma * np.abs(letters))
    return -reach, np.append(weights, weights[-1] / 2)


@pytest.fixture(scope="session")
def tables():
    """From near-certain zero to broad; two that do not cover zero, and one with a single covered symbol."""
    shapes = [(0.05, 1), (0.3, 2), (0.7, 3), (1.5, 7), (4, 20), (30, 100)]
    odd = [(3, np.array([5.0, 2.0, 1.0])), (-9, np.array([1.0, 9.0])), (0, np.array([7.0, 1.0]))]
    return Tables.from_weights([*(laplace(*shape) for shape in shapes), *odd])


@pytest.fixture(scope="session")
def codebook(tables):
    return Codebook.build(tables)
