import numpy as np
import pytest

from cnnzip.prior.checkerboard import FIRST, SECOND, Checkerboard

SHAPES = [(2, 1, 1), (6, 3, 4), (8, 5, 7), (384, 9, 13)]


@pytest.mark.parametrize(("channels", "height", "width"), SHAPES)
def test_the_first_half_has_half_the_channels_at_every_position(channels, height, width):
    mask = np.zeros((channels, height, width), dtype=bool)
    Checkerboard(height, width).put(mask, FIRST, np.ones(mask.size // 2, dtype=bool))
    assert (mask.sum(axis=0) == channels // 2).all()
    # A checkerboard in each channel, with the other parity in the second half of them.
    assert (mask[:, 1:] != mask[:, :-1]).all()
    assert (mask[:, :, 1:] != mask[:, :, :-1]).all()
    assert mask[: channels // 2, 0, 0].all()
    assert not mask[channels // 2 :, 0, 0].any()


@pytest.mark.parametrize(("channels", "height", "width"), SHAPES)
def test_the_halves_together_are_the_whole(channels, height, width):
    latent = np.arange(channels * height * width).reshape(channels, height, width)
    board, again = Checkerboard(height, width), np.zeros_like(latent)
    for half in (FIRST, SECOND):
        taken = board.take(latent, half)
        assert taken.shape == (latent.size // 2,)
        assert (np.diff(taken) > 0).all()  # channel by channel, row by row
        board.put(again, half, taken)
    assert np.array_equal(again, latent)
