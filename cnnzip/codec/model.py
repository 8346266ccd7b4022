"""A model bundle: a folder with `model.json`, `weights.safetensors` and the graphs of the networks.

The id is what a file names its model by: the first 8 bytes of a SHA-256 over everything that decoding depends
on. What only the encoder or further training needs (names below `NOT_DECODING`) is left out, so that a better encoder
for the same decoder is the same model.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.codec.header import ID_BYTES, MODEL_NAME
from cnnzip.entropy import Codebook, Coder, Tables, coder
from cnnzip.errors import BadModelError, ModelError
from cnnzip.networks.runtime import WEIGHTS, Runtime, open_runtime
from cnnzip.prior.prior import Prior
from cnnzip.prior.registry import PRIORS, prior_from_arrays

DESCRIPTION = "model.json"
FILES = {
    "factorised": (WEIGHTS, "analysis.onnx", "synthesis.onnx"),
    "hyper": (WEIGHTS, "analysis.onnx", "hyper_analysis.onnx", "synthesis.onnx"),
    "none": (WEIGHTS, "denoise.onnx"),
}
"""The files of a bundle beside its description, by its prior; a denoiser has no latent, and so none."""
BUNDLE_FORMAT = 1
PREVIEW = "preview.onnx"
"""What a codec may have beside these: previews are less than the picture, and never part of it."""
NOT_DECODING = ("analysis.", "encoder.", "hyper_analysis.", "preview.", "training.")
MAX_DESCRIPTION_BYTES = 1 << 20
MAX_WEIGHT_BYTES = 1 << 28
MAX_HALO = 1024


@dataclass(frozen=True)
class Description:
    """What `model.json` says."""

    name: str
    id: bytes
    family: str
    options: dict[str, Any]
    prior: str
    stride: int
    files: dict[str, str]
    """SHA-256, in hexadecimal, of every other file of the bundle."""
    training: dict[str, Any]
    halo: int | None = None
    """Pixels around a window that what its networks make of it depends on; None where a codec does not say."""

    @property
    def codes(self) -> bool:
        """Whether it is a codec, and not a denoiser."""
        return self.prior in PRIORS

    @property
    def channels(self) -> int:
        """Planes that the networks take and give: 3, or 1 in a gray model; old bundles do not say."""
        planes: int = self.options.get("channels", 3)
        return planes

    @property
    def decoding(self) -> dict[str, Any]:
        """The part that decoding depends on."""
        return {"family": self.family, "options": self.options, "prior": self.prior, "stride": self.stride}

    def to_json(self) -> str:
        """The text of `model.json`."""
        fields = {"format": BUNDLE_FORMAT, "name": self.name, "id": self.id.hex(), **self.decoding}
        if self.halo is not None:
            fields["halo"] = self.halo
        return (
            json.dumps({**fields, "files": self.files, "training": self.training}, indent=2, ensure_ascii=False) + "\n"
        )


def files_of(prior: str, there: Collection[str]) -> tuple[str, ...]:
    """The files of a bundle with that prior, its description apart; `there` are those that it has."""
    needed = FILES.get(prior, ())
    return (*needed, PREVIEW) if PREVIEW in there and prior in PRIORS else needed


def read_description(folder: Path) -> Description:
    """Read and check `model.json` in `folder`.

    Raises:
        BadModelError: there is none, or it is not what it should be.
    """
    path = folder / DESCRIPTION
    try:
        if path.stat().st_size > MAX_DESCRIPTION_BYTES:
            raise BadModelError(f"{path}: too large for a model's description")
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields["format"] != BUNDLE_FORMAT:
            raise BadModelError(f"{path}: bundle format {fields['format']} is not known; upgrade cnnzip")
        description = Description(
            name=fields["name"],
            id=bytes.fromhex(fields["id"]),
            family=fields["family"],
            options=dict(fields["options"]),
            prior=fields["prior"],
            stride=fields["stride"],
            files={name: fields["files"][name] for name in files_of(fields["prior"], fields["files"])},
            training=dict(fields["training"]),
            halo=fields["halo"] if fields["prior"] == "none" else fields.get("halo"),
        )
        known = MODEL_NAME.fullmatch(description.name) and len(description.id) == ID_BYTES
        known = known and isinstance(description.family, str) and type(description.stride) is int
        known = known and type(description.channels) is int and description.channels in (1, 3)
        untold = description.codes and description.halo is None
        known = known and (untold or (type(description.halo) is int and description.halo in range(MAX_HALO + 1)))
        if not known or description.prior not in FILES or description.stride not in (8, 16, 32):
            raise BadModelError(f"{path}: describes no model that this version can use")
    except OSError as error:
        raise BadModelError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadModelError(f"{path}: not a model's description ({error})") from error
    return description


def model_id(decoding: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The id of a model with these arrays, and `decoding` as in `Description.decoding`; docs/format.md."""
    digest = hashlib.sha256(json.dumps(decoding, sort_keys=True, separators=(",", ":")).encode())
    for name in sorted(arrays):
        if not name.startswith(NOT_DECODING):
            array = np.ascontiguousarray(arrays[name])
            digest.update(f"\n{name} {array.dtype.str} {list(array.shape)}\n".encode())
            digest.update(array.data)
    return digest.digest()[:ID_BYTES]


@dataclass(frozen=True)
class Model:
    """A loaded model: its prior, its tables with their codes, and where its networks lie."""

    folder: Path
    description: Description
    prior: Prior
    codebook: Codebook

    @property
    def stride(self) -> int:
        """Pixels a latent position, each way."""
        return self.description.stride

    @property
    def channels(self) -> int:
        """Planes that the networks take and give: 3, or 1 in a gray model."""
        return self.description.channels

    @property
    def halo(self) -> int | None:
        """Pixels around a window that its latents, and the pixels made of them, depend on; None where nobody knows."""
        return self.description.halo

    def coder(self, name: str) -> Coder:
        """The entropy coder `name` with this model's tables."""
        return coder(name, self.codebook)

    def runtime(self, name: str = "onnx", threads: int = 0) -> Runtime:
        """A runtime for this model's networks; see `networks.runtime`."""
        return open_runtime(name, self.folder, self.description.family, self.description.options, threads)

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """(M, h, w) for a picture of that size."""
        return self.prior.channels, -(-height // self.stride), -(-width // self.stride)


def load_model(folder: Path) -> Model:
    """Load the bundle in `folder`, checking every file against the description and the weights against the id.

    Raises:
        BadModelError: a file is missing or damaged, or the weights are not those of the id.
        ModelError: it is a denoiser.
    """
    description = read_description(folder)
    if not description.codes:
        raise ModelError(f"model '{description.name}' takes noise away and codes no pictures; see cnnzip models")
    arrays = checked_arrays(folder, description)
    try:
        tables = Tables.from_arrays(arrays)
        prior = prior_from_arrays(description.prior, arrays, tables=len(tables))
        return Model(folder, description, prior, Codebook.from_arrays(arrays, tables))
    except BadModelError as error:
        raise BadModelError(f"{folder / WEIGHTS}: {error}") from error


def checked_arrays(folder: Path, description: Description) -> dict[str, NDArray[Any]]:
    """The arrays of the bundle in `folder`, every file checked against `description` and they against the id.

    Raises:
        BadModelError: a file is missing or damaged, or the weights are not those of the id.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = folder / WEIGHTS
    # The graphs are only checked here: ONNX Runtime reads them by itself, and would run many a damaged one.
    contents = {name: _read_checked(folder / name, description.files[name]) for name in description.files}
    try:
        arrays: dict[str, NDArray[Any]] = load(contents[WEIGHTS])
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise BadModelError(f"{path}: damaged weights ({error})") from error
    if model_id(description.decoding, arrays) != description.id:
        raise BadModelError(f"{path}: these are not the weights of model {description.id.hex()}")
    return arrays


def _read_checked(path: Path, digest: str) -> bytes:
    try:
        if path.stat().st_size > MAX_WEIGHT_BYTES:
            raise BadModelError(f"{path}: too large for a part of a model")
        data = path.read_bytes()
    except OSError as error:
        raise BadModelError(f"{path}: cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise BadModelError(f"{path}: damaged: its SHA-256 is not the one in {DESCRIPTION}")
    return data
