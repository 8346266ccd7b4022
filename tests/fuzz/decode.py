"""A whole `.cnz` file to pixels, by the tiny models: all of it, a part, a preview, what is left of a damaged one."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import sections
from numpy.typing import NDArray
from sections import golden

from cnnzip.codec.decode import decode_picture
from cnnzip.codec.header import Header
from cnnzip.codec.inspect import describe, verify
from cnnzip.codec.model import Model, load_model
from cnnzip.codec.partial import decode_partial
from cnnzip.codec.tiling import WHOLE, grid
from cnnzip.container import SectionType
from cnnzip.entropy import CODERS
from cnnzip.errors import CnzError, ModelNotFoundError
from cnnzip.image import Crop, Samples, encode_plane, stored
from cnnzip.image.orientation import orientation

EXPECTED = (CnzError, ModelNotFoundError)
SECONDS = 1.0
MEGABYTES = 256.0
MAX_BYTES = 16_384
LIMIT_PIXELS = 1 << 16
"""Larger claims are refused: an honest picture of the full limit takes minutes, and bombs.py has these."""

MODELS = Path(__file__).parent.parent / "golden" / "models"
INSTALLED = {model.description.id: model for model in map(load_model, sorted(MODELS.iterdir()))}
RUNTIMES = {key: model.runtime(threads=1) for key, model in INSTALLED.items()}


def find_model(header: Header) -> Model:
    """The model, loaded once."""
    if header.model_id not in INSTALLED:
        raise ModelNotFoundError("not here")
    return INSTALLED[header.model_id]


OPTIONS: dict[str, Any] = {
    "limit_pixels": LIMIT_PIXELS,
    "find_model": find_model,
    "open_runtime": lambda model: RUNTIMES[model.description.id],
    "threads": 1,
}


def seeds() -> Iterable[bytes]:
    """The smaller golden files, and some with a few tiles."""
    yield from (data for data in golden().values() if len(data) <= MAX_BYTES)
    rng = random.Random(1)
    for width, height, tiling in ((16, 16, 0), (700, 20, 4), (90, 700, 4)):
        for model in INSTALLED.values():
            for coder in CODERS:
                yield of_noise(model, coder, width, height, tiling, 2.0, rng)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """A change to the sections, or now and then a sound file of a latent that no network would make."""
    if rng.random() < 0.9:
        return sections.mutate(data, rng)
    sides = rng.randrange(1, 100), rng.randrange(1, 100)
    model = rng.choice(list(INSTALLED.values()))
    return of_noise(model, rng.choice(CODERS), *sides, WHOLE, 10.0 ** rng.uniform(-2, 7), rng)


def of_noise(model: Model, coder: str, width: int, height: int, tiling: int, scale: float, rng: random.Random) -> bytes:
    """A file whose latent and hyper-latent are noise of that scale."""
    noise, prior = np.random.default_rng(rng.getrandbits(32)), model.prior
    deep, gray, alpha, units = rng.random() < 0.2, rng.random() < 0.2, rng.random() < 0.2, rng.randrange(10_001)
    own = model.description
    header = Header(width, height, 1 if gray else 3, 16 if deep else 8, alpha, own.name, own.id, units, coder, tiling)
    latent = scale * noise.laplace(size=model.latent_shape(width, height)).astype(np.float32)

    def hyper_analysis(seen: NDArray[np.float32]) -> NDArray[np.float32]:
        return scale * noise.laplace(size=(1, *prior.hyper_shape(*seen.shape[2:]))).astype(np.float32)

    coding = model.coder(coder)
    parts = [(SectionType.HEADER, header.pack())]
    if tiling == WHOLE:
        parts.append((SectionType.LATENT, coding.encode(prior.encode(latent, units, hyper_analysis))))
    else:
        hyper = prior.hyper(latent, units, hyper_analysis)
        if hyper.size:
            ahead = hyper.ravel(), prior.hyper_indices(hyper.shape, units)
            parts.append((SectionType.HYPER_LATENT, coding.encode([ahead])))
        for tile in grid(*latent.shape[1:], tiling):
            passes = prior.encode_tile(latent[:, *tile], units, hyper, tile)
            parts.append((SectionType.LATENT, coding.encode(passes)))
    if alpha:
        plane = noise.integers(0, 256, (height, width)).astype(np.uint16 if deep else np.uint8)
        parts.append((SectionType.ALPHA, encode_plane(plane)))
    return sections.build(parts)


def one(data: bytes) -> None:
    """What is accepted has the size that the header says, and all ways to decode it agree."""
    try:
        whole = decode_picture(data, **OPTIONS)
    except EXPECTED:
        decode_partial(data, **OPTIONS)
        raise
    header = describe(data, LIMIT_PIXELS).header
    assert whole.color.shape == (header.height, header.width, header.channels)
    assert whole.depth == header.depth
    assert (whole.alpha is not None) == header.alpha
    way = crc32(data) % 4
    if way == 0:
        verify(data, LIMIT_PIXELS, find_model)
    elif way == 1:
        left, lost = decode_partial(data, **OPTIONS)
        assert not lost
        assert_same(left.color, whole.color)
    elif way == 2:
        shown = (header.height, header.width) if orientation(whole.metadata) >= 5 else (header.width, header.height)
        crop = Crop(shown[0] - shown[0] // 2, shown[1] - shown[1] // 3, shown[0] // 2, shown[1] // 3)
        part = decode_picture(data, crop=crop, **OPTIONS)
        assert_same(part.color, whole.color[stored(crop, header.width, header.height, whole.metadata)])
    else:
        small = decode_picture(data, shrink=8, **OPTIONS)
        assert small.color.shape[:2] == (-(-header.height // 8), -(-header.width // 8))


def assert_same(some: Samples, others: Samples) -> None:
    """Equal but for the rounding of floats that were summed in another order."""
    assert some.shape == others.shape
    assert np.abs(some.astype(int) - others).max() <= {1: 1, 2: 257}[some.itemsize]
