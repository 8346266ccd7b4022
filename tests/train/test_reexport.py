import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load

from cnnzip.codec.model import load_model
from cnnzip.errors import ModelError
from cnnzip.train.reexport import reexport

TINY = Path(__file__).parents[1] / "golden" / "models" / "tiny"
MODELS = Path(__file__).parents[2] / "models"
NETWORKS = ("analysis.", "synthesis.")


def arrays(bundle):
    return load((bundle / "weights.safetensors").read_bytes())


def test_weights_are_halved_and_all_else_stays(tmp_path):
    target = reexport(TINY, tmp_path)
    assert target == tmp_path / "tiny"
    before, after = arrays(TINY), arrays(target)
    assert before.keys() == after.keys()
    for name, array in after.items():
        expected = before[name].astype(np.float16) if name.startswith(NETWORKS) else before[name]
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)
    one, other = load_model(TINY).description, load_model(target).description
    assert (one.name, one.family, one.options, one.training) == (
        other.name,
        other.family,
        other.options,
        other.training,
    )
    assert one.halo is None
    assert other.halo % one.stride == 0
    pixels = np.random.default_rng(0).random((1, 3, 32, 32), dtype=np.float32)
    latents = [load_model(bundle).runtime(threads=1).analysis(pixels) for bundle in (TINY, target)]
    np.testing.assert_allclose(*latents, atol=0.01)


def test_what_is_as_it_should_be_comes_out_the_same(tmp_path):
    first = reexport(TINY, tmp_path / "first")
    second = reexport(first, tmp_path / "second")
    for file in sorted(first.iterdir()):
        assert (second / file.name).read_bytes() == file.read_bytes(), file.name


def test_in_place(tmp_path):
    bundle = shutil.copytree(TINY, tmp_path / "tiny")
    reexport(bundle, tmp_path)
    assert json.loads((bundle / "model.json").read_text())["halo"] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def test_a_denoiser_is_none(tmp_path):
    with pytest.raises(ModelError, match="codes no pictures"):
        reexport(MODELS / "denoise", tmp_path)
