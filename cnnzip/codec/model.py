"""A model bundle: a folder with `model.json`, `weights.safetensors` and the graphs of the networks.

The id is what a file names its model by: the first 8 bytes of a SHA-256 over everything that decoding depends
on. What only the encoder or further training needs (names below `NOT_DECODING`) is left out, so that a better encoder
for the same decoder is the same model.
"""

import hashlib
import json
import re
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.codec.header import ID_BYTES, MODEL_NAME
from cnnzip.entropy import Codebook, Coder, Tables, coder
from cnnzip.errors import BadModelError, ModelError
from cnnzip.networks.registry import MAX_OPTION
from cnnzip.networks.runtime import WEIGHTS, Runtime, open_runtime
from cnnzip.networks.weights_file import header_length
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
WORD = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""A family, an option, or the value of one that is no number."""

ARRAY_NAME = re.compile(r"[a-zA-Z0-9_.]{1,128}")
"""Without blanks and line ends, so that what the id is made of can be read in one way only."""


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
    text = _read(path, MAX_DESCRIPTION_BYTES, "a model's description")
    try:
        fields = json.loads(text.decode("utf-8"), object_pairs_hook=_object)
        if fields["format"] != BUNDLE_FORMAT:
            raise BadModelError(f"{path}: bundle format {fields['format']!r:.40} is not known; upgrade cnnzip")
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
        known = known and isinstance(fields["options"], dict) and _is_possible(description)
        if not known:
            raise BadModelError(f"{path}: describes no model that this version can use")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadModelError(f"{path}: not a model's description ({error})") from error
    return description


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; of two entries with one name, every reader might take another."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name is there twice")
    return fields


def _is_possible(description: Description) -> bool:
    """Whether family, options, prior, stride and halo are what some model could have."""
    options, stride, halo = description.options, description.stride, description.halo
    if description.prior not in FILES or type(stride) is not int or stride not in (8, 16, 32):
        return False
    if not all(map(_is_word, (description.family, *options))) or not all(map(_is_option, options.values())):
        return False
    if description.channels not in (1, 3) or type(description.channels) is not int:
        return False
    # Only codecs need not say.
    fits = description.codes if halo is None else type(halo) is int and halo in range(0, MAX_HALO + 1, stride)
    if description.codes:
        # What the networks' shapes are told by, so that they can be held against the prior's and the graphs'.
        latent, hyper = options.get("latent_channels"), options.get("hyper_channels", 0)
        fits = fits and type(latent) is int and latent > 0 and options.get("stride") == stride
        fits = fits and type(hyper) is int and (hyper > 0) == (description.prior == "hyper")
    return fits


def _is_word(value: object) -> bool:
    return isinstance(value, str) and WORD.fullmatch(value) is not None


def _is_option(value: object) -> bool:
    return _is_word(value) or (type(value) is int and 0 <= value <= MAX_OPTION)


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
        channels = prior.channels, prior.hyper_shape(1, 1)[0]
        told = description.options["latent_channels"], description.options.get("hyper_channels", 0)
        if channels != told:
            raise BadModelError(f"the prior is for {channels} channels of the latents, {DESCRIPTION} says {told}")
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
    if PREVIEW not in description.files and (folder / PREVIEW).exists():
        raise BadModelError(f"{folder / PREVIEW}: {DESCRIPTION} knows nothing of it")
    # Of the graphs only that they are the ones meant: what is in them is looked through before they are run.
    contents = {name: _read_checked(folder / name, description.files[name]) for name in description.files}
    try:
        header_length(contents[WEIGHTS])
        arrays: dict[str, NDArray[Any]] = load(contents[WEIGHTS])
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise BadModelError(f"{path}: damaged weights ({str(error)!r:.200})") from error
    for name, array in arrays.items():
        if not ARRAY_NAME.fullmatch(name):
            raise BadModelError(f"{path}: {name!r:.100} cannot be an array's name")
        if not _is_finite(array):
            raise BadModelError(f"{path}: {name!r:.100} holds what is no number, or no finite one")
    if model_id(description.decoding, arrays) != description.id:
        raise BadModelError(f"{path}: these are not the weights of model {description.id.hex()}")
    return arrays


def _is_finite(array: NDArray[Any]) -> bool:
    if array.dtype == np.float16:
        # As whole numbers, those that are not finite are above all others of their sign. np.isfinite takes 20 times as
        # long for halves, of which the networks are.
        bits = array.reshape(-1)
        return bool(bits.view(np.int16).max(initial=0) < 0x7C00 and bits.view(np.uint16).max(initial=0) < 0xFC00)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _read(path: Path, limit: int, what: str) -> bytes:
    """The bytes of a file that is no larger than `limit`, or BadModelError."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
            raise BadModelError(f"{path}: is no file")  # a pipe or a device may never end
        if found.st_size > limit:
            raise BadModelError(f"{path}: too large for {what}")
        with path.open("rb") as file:
            return file.read(found.st_size)
    except OSError as error:
        raise BadModelError(f"{path}: cannot be read: {error.strerror}") from error


def _read_checked(path: Path, digest: str) -> bytes:
    data = _read(path, MAX_WEIGHT_BYTES, "a part of a model")
    if hashlib.sha256(data).hexdigest() != digest:
        raise BadModelError(f"{path}: damaged: its SHA-256 is not the one in {DESCRIPTION}")
    return data
