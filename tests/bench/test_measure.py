import math

import numpy as np
import pytest

from cnnzip.bench.codecs.pillow import Jpeg
from cnnzip.bench.measure import RUNS, check, measure
from cnnzip.bench.metrics import METRICS
from cnnzip.errors import BenchError

from .conftest import Broken, Gray

PSNR = [METRICS["psnr_rgb"]]


@pytest.fixture
def crop(kodim):
    return np.ascontiguousarray(kodim[100:164, 300:396])


def test_what_is_measured_is_the_decoded_file(crop):
    codec = Jpeg()
    measured = measure(codec, crop, 50, PSNR)
    data = codec.encode(crop, 50)
    assert measured.bytes == len(data)
    assert measured.metrics == {"psnr_rgb": METRICS["psnr_rgb"].measure(crop, codec.decode(data))}
    assert measured.encode_seconds > 0
    assert measured.decode_seconds > 0


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        (0, "^ZeroDivisionError: no way$"),
        (1, "^decoded as 96×63 uint8, and the picture is 96×64 uint8$"),
        (2, "^decoded to something else: PSNR"),
        (3, "^decoded as 96×64 float32"),
    ],
)
def test_a_codec_that_fails_or_decodes_rubbish_is_found_out(quality, message, crop):
    with pytest.raises(BenchError, match=message):
        measure(Broken(), crop, quality, PSNR)


def test_a_bad_picture_is_still_one(crop):
    assert measure(Gray(), crop, 50, PSNR).metrics["psnr_rgb"] < 25
    # Of a chequered board, its mean colour is as bad as a picture can honestly get.
    board = np.indices((32, 32)).sum(axis=0)[..., None].repeat(3, axis=2) % 2 * 255
    check(board.astype(np.uint8), np.full((32, 32, 3), 127, np.uint8))
    with pytest.raises(BenchError, match="something else"):
        check(board.astype(np.uint8), 255 - board.astype(np.uint8))


def test_a_lossless_file_is_infinitely_good(crop):
    check(crop, crop)
    assert METRICS["psnr_rgb"].measure(crop, crop) == math.inf


def test_quick_runs_are_repeated_and_slow_ones_are_not(crop):
    class Timed(Gray):
        runs = 0

        def timed_encode(self, picture, quality):
            self.runs += 1
            return self.encode(picture, quality), [0.3, 0.1, 0.2, 9][self.runs - 1] * quality

    quick, slow = Timed(), Timed()
    assert measure(quick, crop, 1, PSNR).encode_seconds == 0.2
    assert quick.runs == RUNS
    assert measure(slow, crop, 10, PSNR).encode_seconds == 3
    assert slow.runs == 1
