"""The model bundle: what its id depends on, and every way in which it can be damaged."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from cnnzip.codec.decode import decode_picture
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.model import FILES as FILES_OF
from cnnzip.codec.model import Model, load_model, model_id, read_description
from cnnzip.errors import BadModelError
from cnnzip.image import Picture

FILES = FILES_OF["factorised"]


@pytest.fixture
def bundle(tiny: Model, tmp_path: Path) -> Path:
    """A copy of the tiny bundle, to be damaged."""
    return Path(shutil.copytree(tiny.folder, tmp_path / "tiny"))


@pytest.fixture(scope="module")
def arrays(tiny: Model) -> dict[str, np.ndarray]:
    return load_file(tiny.folder / "weights.safetensors")


def describe(bundle: Path, **changes: object) -> None:
    """Change fields of model.json; None removes one."""
    path = bundle / "model.json"
    fields = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in fields.items() if value is not None}))


def seal(bundle: Path) -> None:
    """Make the digests in model.json those of the files."""
    files = {name: hashlib.sha256((bundle / name).read_bytes()).hexdigest() for name in FILES}
    describe(bundle, files=files)


def reweigh(bundle: Path, arrays: dict[str, np.ndarray]) -> None:
    """Replace the weights, and the digests and the id so that they are those of the model."""
    save_file(arrays, bundle / "weights.safetensors")
    seal(bundle)
    describe(bundle, id=model_id(read_description(bundle).decoding, arrays).hex())


def test_the_description_round_trips(tiny: Model) -> None:
    assert tiny.description.to_json() == (tiny.folder / "model.json").read_text(encoding="utf-8")


def test_the_id_depends_on_every_array_that_decoding_needs(tiny: Model, arrays: dict[str, np.ndarray]) -> None:
    decoding = tiny.description.decoding
    assert model_id(decoding, arrays) == tiny.description.id
    needed, encoder = set(), set()
    for name, array in arrays.items():
        changed = array.copy()
        changed.flat[-1] += 1
        same = model_id(decoding, arrays | {name: changed}) == tiny.description.id
        (encoder if same else needed).add(name)
    assert {name.split(".")[0] for name in encoder} == {"analysis", "encoder"}
    assert {name.split(".")[0] for name in needed} == {"synthesis", "prior", "tables", "huffman"}


def test_the_id_depends_on_names_shapes_and_types(tiny: Model, arrays: dict[str, np.ndarray]) -> None:
    decoding, mean = tiny.description.decoding, arrays["prior.mean"]
    others = [
        arrays | {"prior.mean": mean.reshape(1, -1)},
        arrays | {"prior.mean": mean.view(np.int32)},
        {name: array for name, array in arrays.items() if name != "prior.mean"},
        {name: array for name, array in arrays.items() if name != "prior.mean"} | {"prior.median": mean},
        arrays | {"extra": mean[:0]},
    ]
    ids = {model_id(decoding, other) for other in [arrays, *others]}
    assert len(ids) == 1 + len(others)


@pytest.mark.parametrize("field", ["family", "options", "prior", "stride"])
def test_the_id_depends_on_what_is_decoded_how(field: str, tiny: Model, arrays: dict[str, np.ndarray]) -> None:
    assert model_id(tiny.description.decoding | {field: 8}, arrays) != tiny.description.id


def test_the_id_does_not_depend_on_the_order(tiny: Model, arrays: dict[str, np.ndarray]) -> None:
    turned = dict(reversed(arrays.items()))
    assert model_id(dict(reversed(tiny.description.decoding.items())), turned) == tiny.description.id


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "bundle format 2 is not known; upgrade cnnzip"),
        ({"format": None}, "not a model's description ('format')"),
        ({"name": None}, "not a model's description ('name')"),
        ({"name": "../tiny"}, "describes no model that this version can use"),
        ({"files": {}}, "not a model's description ('weights.safetensors')"),
        ({"id": "00"}, "describes no model that this version can use"),
        ({"prior": "hyper"}, "not a model's description ('hyper_analysis.onnx')"),
        ({"prior": "nosuch"}, "describes no model that this version can use"),
        ({"stride": 7}, "describes no model that this version can use"),
        ({"stride": 16.0}, "describes no model that this version can use"),
        ({"family": ["residual"]}, "describes no model that this version can use"),
        ({"family": "\x1b[2J"}, "describes no model that this version can use"),
        ({"format": "\n"}, r"bundle format '\n' is not known; upgrade cnnzip"),
        ({"halo": -16}, "describes no model that this version can use"),
        ({"halo": 40}, "describes no model that this version can use"),
        ({"halo": 1 << 20}, "describes no model that this version can use"),
        ({"halo": True}, "describes no model that this version can use"),
        ({"stride": 8}, "describes no model that this version can use"),
        (
            {"training": [1]},
            "not a model's description (cannot convert dictionary update sequence element #0 to a sequence)",
        ),
    ],
)
def test_bad_descriptions(changes: dict[str, object], message: str, bundle: Path) -> None:
    describe(bundle, **changes)
    with pytest.raises(BadModelError, match=f"^{re.escape(f'{bundle}/model.json: {message}')}$"):
        load_model(bundle)


@pytest.mark.parametrize(
    "option",
    [
        {"width": -1},
        {"width": 4097},
        {"width": 8.0},
        {"width": True},
        {"width": None},
        {"width": [8]},
        {"width": "A word"},
        {"A width": 8},
        {"latent_channels": 0},
        {"latent_channels": "many"},
        {"channels": 2},
        {"channels": 1.0},
        {"stride": 32},
        {"hyper_channels": 4},  # its prior has none
    ],
)
def test_options_out_of_range(option: dict[str, object], bundle: Path) -> None:
    describe(bundle, options=json.loads((bundle / "model.json").read_text())["options"] | option)
    with pytest.raises(BadModelError, match=r"/model\.json: describes no model that this version can use$"):
        load_model(bundle)


def test_options_that_are_no_object(bundle: Path) -> None:
    describe(bundle, options=list(json.loads((bundle / "model.json").read_text())["options"].items()))
    with pytest.raises(BadModelError, match=r"/model\.json: describes no model that this version can use$"):
        load_model(bundle)


@pytest.mark.parametrize("place", ['"format": 1', '"stride": 16,\n  "files"', '"width": 8'])
def test_a_name_twice(place: str, bundle: Path) -> None:
    text = (bundle / "model.json").read_text()
    assert place in text
    field = place.partition(",")[0]
    (bundle / "model.json").write_text(text.replace(place, f"{field}, {place}", 1))
    with pytest.raises(BadModelError, match=r"/model\.json: not a model's description \(a name is there twice\)$"):
        load_model(bundle)


@pytest.mark.parametrize("changes", [{"id": "xyz"}, {"id": 5}, {"name": 5}, {"options": 5}, {"training": None}])
def test_descriptions_of_wrong_types(changes: dict[str, object], bundle: Path) -> None:
    describe(bundle, **changes)
    with pytest.raises(BadModelError, match=r"/model\.json: not a model's description \("):
        load_model(bundle)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": 1e999}'])
def test_descriptions_that_are_none(text: bytes, bundle: Path) -> None:
    (bundle / "model.json").write_bytes(text)
    with pytest.raises(BadModelError, match=r"/model\.json: "):
        load_model(bundle)


def test_a_description_that_is_too_large(bundle: Path) -> None:
    (bundle / "model.json").write_bytes(b" " * (1 << 20) + (bundle / "model.json").read_bytes())
    with pytest.raises(BadModelError, match=r"/model\.json: too large for a model's description$"):
        load_model(bundle)


@pytest.mark.parametrize("name", ["model.json", *FILES])
def test_a_file_is_missing_or_a_folder(name: str, bundle: Path) -> None:
    (bundle / name).unlink()
    with pytest.raises(BadModelError, match=f"/{name}: cannot be read: No such file or directory$"):
        load_model(bundle)
    (bundle / name).mkdir()
    with pytest.raises(BadModelError, match=f"/{name}: cannot be read: Is a directory$"):
        load_model(bundle)


@pytest.mark.parametrize("name", ["model.json", *FILES])
def test_a_pipe_is_not_waited_for(name: str, bundle: Path) -> None:
    (bundle / name).unlink()
    os.mkfifo(bundle / name)
    with pytest.raises(BadModelError, match=f"/{name}: is no file$"):
        load_model(bundle)


def test_a_device_is_not_read(bundle: Path) -> None:
    (bundle / "analysis.onnx").unlink()
    (bundle / "analysis.onnx").symlink_to("/dev/zero")
    with pytest.raises(BadModelError, match=r"/analysis\.onnx: is no file$"):
        load_model(bundle)


@pytest.mark.parametrize(
    ("name", "limit"), [("model.json", "a model's description"), ("weights.safetensors", "a part of a model")]
)
def test_what_claims_to_be_huge_is_not_read(name: str, limit: str, bundle: Path) -> None:
    os.truncate(bundle / name, 1 << 40)  # without taking room on the disk
    with pytest.raises(BadModelError, match=f"/{name}: too large for {limit}$"):
        load_model(bundle)


def test_a_preview_that_the_description_does_not_know(bundle: Path) -> None:
    shutil.copy(bundle / "synthesis.onnx", bundle / "preview.onnx")
    with pytest.raises(BadModelError, match=r"/preview\.onnx: model\.json knows nothing of it$"):
        load_model(bundle)


@pytest.mark.parametrize("name", FILES)
def test_any_change_of_a_file_is_found(name: str, bundle: Path) -> None:
    path = bundle / name
    good = path.read_bytes()
    message = f"/{re.escape(name)}: damaged: its SHA-256 is not the one in model.json$"
    middle = bytearray(good)
    middle[len(good) // 2] ^= 1
    for bad in (b"", good[:-1], good + b"\0", bytes(middle)):
        path.write_bytes(bad)
        with pytest.raises(BadModelError, match=message):
            load_model(bundle)


def test_weights_that_are_no_safetensors(bundle: Path) -> None:
    path = bundle / "weights.safetensors"
    good = path.read_bytes()
    for bad in (*(good[:size] for size in (0, 7, 8, 100, len(good) // 2, len(good) - 1)), good + b"\0"):
        path.write_bytes(bad)
        seal(bundle)
        with pytest.raises(BadModelError, match=r"/weights\.safetensors: damaged weights \("):
            load_model(bundle)


def test_a_header_that_claims_more_than_there_is(bundle: Path) -> None:
    path = bundle / "weights.safetensors"
    good = path.read_bytes()
    for claim in (100 << 30, 1 << 63, (1 << 64) - 1, (1 << 20) + 1):
        path.write_bytes(claim.to_bytes(8, "little") + good[8:])
        seal(bundle)
        with pytest.raises(BadModelError, match=rf"damaged weights \('a header of {claim} bytes'\)$"):
            load_model(bundle)


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [1 << 40, 1 << 40]},
        {"shape": [1 << 62, 0]},
        {"shape": [-1]},
        {"data_offsets": [0, 1 << 40]},
        {"data_offsets": [8, 4]},
        {"dtype": "F64"},
        {"dtype": "BF16"},
        {"dtype": "\x1b"},
    ],
)
def test_a_header_that_lies(change: dict[str, object], bundle: Path) -> None:
    path = bundle / "weights.safetensors"
    good = path.read_bytes()
    length = int.from_bytes(good[:8], "little")
    header = json.loads(good[8 : 8 + length])
    header["analysis.1.shortcut.1.weight"] |= change
    told = json.dumps(header).encode()
    path.write_bytes(len(told).to_bytes(8, "little") + told + good[8 + length :])
    seal(bundle)
    with pytest.raises(BadModelError, match=r"/weights\.safetensors: ") as caught:
        load_model(bundle)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["analysis.1.shortcut.1.weight", "synthesis.0.bias", "training.new", "prior.mean"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_what_is_no_number_anywhere(
    name: str, value: float, kind: type, bundle: Path, arrays: dict[str, np.ndarray]
) -> None:
    array = arrays.get(name, np.zeros((2, 3))).astype(kind)
    array.flat[-1] = value
    reweigh(bundle, arrays | {name: array})
    message = rf"/weights\.safetensors: '{re.escape(name)}' holds what is no number, or no finite one$"
    with pytest.raises(BadModelError, match=message):
        load_model(bundle)


@pytest.mark.parametrize("name", ["", "a name", "a\nb <f4 [1]\n", "ä", "x" * 200, "\x1b[2J"])
def test_names_that_no_array_may_have(name: str, bundle: Path, arrays: dict[str, np.ndarray]) -> None:
    """With such names two bundles could be hashed to one id."""
    reweigh(bundle, arrays | {name: np.zeros(1, dtype=np.float32)})
    with pytest.raises(BadModelError, match=r"/weights\.safetensors: '.* cannot be an array's name$") as caught:
        load_model(bundle)
    assert str(caught.value).isprintable()


def test_a_network_whose_output_is_no_number(
    bundle: Path, arrays: dict[str, np.ndarray], tiny: Model, photo: Picture
) -> None:
    huge = {name: a * 0 + np.float32(3e38) for name, a in arrays.items() if name.startswith("synthesis.")}
    data = encode_picture(photo, tiny, tiny.runtime(threads=1))
    reweigh(bundle, arrays | huge)
    model = load_model(bundle)
    with pytest.raises(BadModelError, match=r"/synthesis\.onnx: made numbers that are not finite$"):
        decode_picture(data, find_model=lambda _: model)


def test_the_largest_halves_are_numbers(bundle: Path, arrays: dict[str, np.ndarray]) -> None:
    largest = np.array([65504, -65504, 6e-8, -0.0], dtype=np.float16)
    reweigh(bundle, arrays | {"training.new": largest, "training.none": largest[:0]})
    assert load_model(bundle).description == read_description(bundle)


def test_a_prior_for_other_latents(bundle: Path) -> None:
    options = read_description(bundle).options | {"latent_channels": 16}
    describe(bundle, options=options)
    decoding = read_description(bundle).decoding
    describe(bundle, id=model_id(decoding, load_file(bundle / "weights.safetensors")).hex())
    message = r"the prior is for \(32, 0\) channels of the latents, model\.json says \(16, 0\)$"
    with pytest.raises(BadModelError, match=message):
        load_model(bundle)


def test_weights_of_another_model(bundle: Path, arrays: dict[str, np.ndarray]) -> None:
    save_file(arrays | {"prior.mean": arrays["prior.mean"] + 1}, bundle / "weights.safetensors")
    seal(bundle)
    with pytest.raises(BadModelError, match=r"these are not the weights of model [0-9a-f]{16}$"):
        load_model(bundle)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("tables.low", lambda a: a[:-1]),
        ("tables.size", lambda a: a * 0),
        ("tables.frequencies", lambda a: a + 1),
        ("huffman.lengths", lambda a: a[:-1]),
        ("huffman.layouts", lambda a: a + 100),
        ("huffman.parameters", lambda a: a - 100),
        ("prior.mean", lambda a: a * np.nan),
        ("prior.mean", lambda a: a[:-1]),
        ("prior.inverse_gain", lambda a: -a),
        ("prior.inverse_gain", lambda a: a * 0),
        ("prior.inverse_gain", lambda a: a * np.float32(1e30)),
        ("encoder.gain", lambda a: a * np.float32(1e-30)),
        ("prior.mean", lambda a: a + np.float32(1e30)),
        ("prior.table_index", lambda a: a[:1]),
        ("tables.size", lambda a: a + (1 << 30)),
        ("tables.size", lambda a: -a),
        ("tables.low", lambda a: a - (1 << 20)),
        ("tables.low", lambda a: np.tile(a, 20)),
        ("tables.frequencies", lambda a: a * 0),
        ("huffman.lengths", lambda a: a * 0),
        ("huffman.lengths", lambda a: a * 0 + 16),
        ("huffman.lengths", lambda a: a + 17),
        ("huffman.parameters", lambda a: a + (1 << 30)),
        ("prior.table_index", lambda a: a | 255),
        ("encoder.gain", lambda a: a.astype(np.float64)),
    ],
)
def test_arrays_that_are_no_model_under_a_right_id(
    name: str, change: Callable[[np.ndarray], np.ndarray], bundle: Path, arrays: dict[str, np.ndarray]
) -> None:
    reweigh(bundle, arrays | {name: change(arrays[name])})
    with pytest.raises(BadModelError, match=r"/weights\.safetensors: "):
        load_model(bundle)


@pytest.mark.parametrize("name", ["prior.mean", "encoder.gain", "tables.low", "huffman.lengths"])
def test_an_array_is_missing(name: str, bundle: Path, arrays: dict[str, np.ndarray]) -> None:
    reweigh(bundle, {other: array for other, array in arrays.items() if other != name})
    with pytest.raises(BadModelError, match=rf"safetensors: the (model has no array|prior lacks) '?{name}'?$"):
        load_model(bundle)


@pytest.mark.parametrize("content", [None, b"", b"no graph"])
def test_a_damaged_graph(content: bytes | None, bundle: Path, photo: Picture) -> None:
    def damage(name: str) -> None:
        (bundle / name).unlink()
        if content is not None:
            (bundle / name).write_bytes(content)

    model = load_model(bundle)
    data = encode_picture(photo, model, model.runtime(threads=1))
    damage("synthesis.onnx")
    with pytest.raises(BadModelError, match=r"/synthesis\.onnx: not a usable network: "):
        decode_picture(data, find_model=lambda _: model)
    damage("analysis.onnx")
    with pytest.raises(BadModelError, match=r"/analysis\.onnx: not a usable network: "):
        encode_picture(photo, model, model.runtime(threads=1))
