"""Files that must decode for ever, and bad files with the error that each must give; see make.py."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnzip import errors
from cnnzip.codec.contents import read_contents
from cnnzip.codec.decode import decode_picture, decode_values
from cnnzip.codec.inspect import verify
from cnnzip.codec.models import model_for
from cnnzip.image import to_pil

HERE = Path(__file__).parent
GOOD = json.loads((HERE / "good" / "index.json").read_text(encoding="utf-8"))
BAD = json.loads((HERE / "bad" / "index.json").read_text(encoding="utf-8"))

# A float may differ in its last bits between machines: by at most 1 of 8 bits, and as much of 16.
TOLERANCE = {8: 1, 16: 257}

pytestmark = pytest.mark.usefixtures("installed_tiny")


def cnz_error_leaves() -> set[str]:
    return {kind.__name__ for kind in errors.CnzError.__subclasses__()}


def test_the_indices_and_the_folders_agree() -> None:
    assert {file.stem for file in (HERE / "good").glob("*.cnz")} == set(GOOD)
    assert {file.stem for file in (HERE / "good").glob("*.png")} == set(GOOD)
    assert {file.stem for file in (HERE / "bad").glob("*.cnz")} == set(BAD)


def test_there_is_a_bad_file_for_every_error() -> None:
    assert {entry["error"] for entry in BAD.values()} == cnz_error_leaves() | {"ModelNotFoundError"}
    assert all(name.split("-")[0] == entry["error"] for name, entry in BAD.items())


@pytest.mark.parametrize("name", GOOD)
def test_symbols(name: str) -> None:
    data = (HERE / "good" / f"{name}.cnz").read_bytes()
    contents = read_contents(data)
    model = model_for(contents.header)
    assert verify(data) == GOOD[name]["symbols_sha256"]
    for threads in (1, 2, 8):
        values = decode_values(contents, model, threads)
        assert list(values.shape) == GOOD[name]["symbols"]
        assert sha256(values.astype("<i4").tobytes()).hexdigest() == GOOD[name]["symbols_sha256"]


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
@pytest.mark.parametrize("name", GOOD)
def test_pixels(name: str, runtime: str) -> None:
    if runtime == "torch":
        pytest.importorskip("torch")
    entry = GOOD[name]
    data = (HERE / "good" / f"{name}.cnz").read_bytes()
    picture = decode_picture(data, open_runtime=lambda model: model.runtime(runtime, threads=1), threads=1)
    assert (list(picture.color.shape), picture.depth) == (entry["shape"], entry["depth"])
    blocks = {key: block.hex() for key, block in vars(picture.metadata).items() if block is not None}
    assert blocks == entry["metadata"]
    with Image.open(HERE / "good" / f"{name}.png") as image:
        expected = np.asarray(image).astype(int)
    found = np.asarray(to_pil(picture)).astype(int)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= TOLERANCE[picture.depth]
    assert (picture.alpha is not None) == entry["alpha"]
    if picture.alpha is not None:
        np.testing.assert_array_equal(found[..., -1], expected[..., -1])


@pytest.mark.parametrize("name", BAD)
def test_bad_files(name: str) -> None:
    data = (HERE / "bad" / f"{name}.cnz").read_bytes()
    with pytest.raises(errors.CnnzipError) as caught:
        verify(data)
    assert type(caught.value) is getattr(errors, BAD[name]["error"])
    assert str(caught.value) == BAD[name]["message"]


@pytest.mark.parametrize("name", BAD)
def test_decoding_bad_files_gives_the_same_error(name: str) -> None:
    with pytest.raises(getattr(errors, BAD[name]["error"])) as caught:
        decode_picture((HERE / "bad" / f"{name}.cnz").read_bytes())
    assert str(caught.value) == BAD[name]["message"]
