"""The model that users get by default, on a real photo: what its qualities promise."""

from pathlib import Path

import numpy as np
import pytest

from cnnzip.codec.decode import decode_picture
from cnnzip.codec.encode import Encoder
from cnnzip.codec.models import DEFAULT_MODEL, find_model
from cnnzip.codec.rate_control import psnr
from cnnzip.image import Picture, read
from cnnzip.prior.quality import MAX_QUALITY

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        # Not what the user of this machine has put into the places that are searched first.
        patch.delenv("CNNZIP_MODELS", raising=False)
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
        return find_model(DEFAULT_MODEL)


@pytest.fixture(scope="module")
def runtime(model):
    return model.runtime(threads=1)


@pytest.fixture(scope="module")
def crop():
    """Part of Kodak 23, 288×224: the parrots' heads."""
    picture = read((DOCS / "kodim23.png").read_bytes())
    return Picture(np.ascontiguousarray(picture.color[64:288, 160:448]))


@pytest.fixture
def there_and_back(model, runtime):
    def run(picture, units=7500):
        data = Encoder(picture, model, runtime).at(units)
        return data, decode_picture(data, find_model=lambda _: model, open_runtime=lambda _: runtime)

    return run


def test_size_and_psnr_rise_with_the_quality(crop, there_and_back):
    measured = []
    for units in range(0, MAX_QUALITY + 1, 500):
        data, decoded = there_and_back(crop, units)
        measured.append((len(data), psnr(crop.color, decoded.color, 8)))
    sizes, psnrs = zip(*measured, strict=True)
    assert list(sizes) == sorted(set(sizes))
    assert list(psnrs) == sorted(set(psnrs))
    assert sizes[-1] > 8 * sizes[0]
    assert psnrs[0] < 31 < 38 < psnrs[-1]


def test_a_gray_picture_costs_no_colour(crop, there_and_back):
    """A gray picture, and the same as RGB: the same latent, so the same bytes but for a flag."""
    gray = Picture(np.rint(crop.color.mean(axis=2, keepdims=True)).astype(np.uint8))
    as_colour = Picture(np.repeat(gray.color, 3, axis=2))
    data, decoded = there_and_back(gray)
    assert decoded.channels == 1
    assert len(data) == len(there_and_back(as_colour)[0])
    assert len(data) < len(there_and_back(crop)[0])
    assert psnr(gray.color, decoded.color, 8) >= psnr(as_colour.color, there_and_back(as_colour)[1].color, 8) - 0.01


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 5), (17, 64), (1, 300), (700, 2)])
def test_tiny_and_narrow_pictures_keep_their_size_and_look(crop, there_and_back, width, height):
    pixel = Picture(np.resize(crop.color[100, 100:164], (height, width, 3)))
    data, decoded = there_and_back(pixel)
    assert decoded.color.shape == (height, width, 3)
    assert psnr(pixel.color, decoded.color, 8) > 20
    assert len(data) < 200 + 3 * width * height


def test_alpha_costs_the_colour_nothing(crop, there_and_back):
    alpha = np.zeros(crop.color.shape[:2], np.uint8)
    alpha[50:100] = 200
    data, decoded = there_and_back(Picture(crop.color, alpha))
    plain, without = there_and_back(crop)
    assert np.array_equal(decoded.alpha, alpha)
    assert np.array_equal(decoded.color, without.color)
    assert len(plain) < len(data) < len(plain) + 300
