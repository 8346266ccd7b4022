"""A model's bundle: description, header of the weights, tensors and graphs, with their hashes repaired.

An input says what is changed of one of the golden models (`bundle_parts.py`); what it does not name stays. A bundle
that can be loaded codes and decodes a small picture.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from bundle_parts import HEADER, TENSORS, mutate, pack, unpack
from safetensors.numpy import load

from cnnzip.codec.decode import decode_picture
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.model import DESCRIPTION, load_model, model_id, read_description
from cnnzip.denoise.model import load_denoiser
from cnnzip.errors import ModelError
from cnnzip.image import Picture
from cnnzip.networks.weights_file import WEIGHTS

__all__ = ["mutate"]

EXPECTED = (ModelError,)
SECONDS = 1.0
MEGABYTES = 256.0
MAX_BYTES = 1 << 16

MODELS = Path(__file__).parent.parent / "golden" / "models"
BASES = [{path.name: path.read_bytes() for path in (MODELS / name).iterdir()} for name in ("tiny", "tiny-photo")]
SCRATCH = Path(tempfile.mkdtemp(prefix="cnnzip-bundle-"))
PICTURE = Picture(np.random.default_rng(0).integers(0, 256, (40, 24, 3), dtype=np.uint8))


def header_of(weights: bytes) -> bytes:
    """The JSON of a safetensors file."""
    return weights[8 : 8 + int.from_bytes(weights[:8], "little")]


def seeds() -> Iterable[bytes]:
    """Each part of each model by itself, and nothing changed."""
    for number, base in enumerate(BASES):
        yield pack(number, {})
        for name, data in base.items():
            yield pack(number, {HEADER: header_of(data)} if name == WEIGHTS else {name: data})
        header = json.loads(header_of(base[WEIGHTS]))
        yield pack(number, {TENSORS: b"".join(bytes((index, 0, 0, 255)) for index in range(len(header)))})


def one(data: bytes) -> None:
    """What can be loaded codes a picture, and makes one of the same size of that."""
    number, parts = unpack(data)
    base = BASES[number % len(BASES)]
    folder = SCRATCH / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    files = {name: parts.get(name, content) for name, content in base.items()}
    files[WEIGHTS] = _weights(base[WEIGHTS], parts)
    files[DESCRIPTION] = _repaired(files)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    description = read_description(folder)
    if not description.codes:
        load_denoiser(folder)
        return
    model = load_model(folder)
    runtime = model.runtime(threads=1)
    coded = encode_picture(PICTURE, model, runtime)
    decoded = decode_picture(coded, find_model=lambda _: model, open_runtime=lambda _: runtime, threads=1)
    small = decode_picture(coded, find_model=lambda _: model, open_runtime=lambda _: runtime, threads=1, shrink=8)
    assert decoded.color.shape == PICTURE.color.shape
    assert small.color.shape == (5, 3, 3)


def _weights(weights: bytes, parts: dict[str, bytes]) -> bytes:
    """The file with another header, and with bytes of its tensors changed: (tensor, place, place, value) each."""
    header = header_of(weights)
    tensors = bytearray(weights[8 + len(header) :])
    offsets = [entry["data_offsets"] for name, entry in json.loads(header).items() if name != "__metadata__"]
    edits = parts.get(TENSORS, b"")
    for index, high, low, value in zip(*(edits[start::4] for start in range(4)), strict=False):
        first, last = offsets[index % len(offsets)]
        if last > first:
            tensors[first + (high << 8 | low) % (last - first)] = value
    header = parts.get(HEADER, header)
    return len(header).to_bytes(8, "little") + header + tensors


def _repaired(files: dict[str, bytes]) -> bytes:
    """The description with the hashes and the id of what there is, as far as it has places for them."""
    try:
        fields: Any = json.loads(files[DESCRIPTION])
        for name in fields["files"]:
            fields["files"][name] = hashlib.sha256(files[name]).hexdigest()
        told = {name: fields[name] for name in ("family", "options", "prior", "stride")}
        fields["id"] = model_id(told, load(files[WEIGHTS])).hex()
        return json.dumps(fields).encode()
    except Exception:  # whatever a damaged one leads to here is no news
        return files[DESCRIPTION]
