"""Encoding, the whole method: pixels → latent → symbols → bits → sections → bytes."""

import numpy as np
from numpy.typing import NDArray

from cnnzip.codec.header import Header
from cnnzip.codec.metadata import pack_metadata
from cnnzip.codec.model import Model
from cnnzip.container import Section, SectionType, pack
from cnnzip.image import Picture, encode_plane, to_planes
from cnnzip.networks.runtime import Runtime
from cnnzip.prior.quality import to_units

DEFAULT_QUALITY = 75.0


def encode_picture(
    picture: Picture,
    model: Model,
    runtime: Runtime,
    *,
    quality: float = DEFAULT_QUALITY,
    coder: str = "huffman",
) -> bytes:
    """The `.cnz` file of `picture`; the same input gives the same bytes.

    Args:
        picture: what to code.
        model: the model to code it with.
        runtime: what runs that model's analysis.
        quality: 0 … 100, to the hundredth; ValueError outside.
        coder: "huffman" or "rans".
    """
    header = Header(
        width=picture.width,
        height=picture.height,
        channels=picture.channels,
        depth=picture.depth,
        alpha=picture.alpha is not None,
        model_name=model.description.name,
        model_id=model.description.id,
        quality_units=to_units(quality),
        coder=coder,
    )
    pixels = pad(to_planes(picture), model.stride)  # (1, 3, H', W')
    latent = runtime.analysis(pixels)[0]  # (M, h, w)
    passes = model.prior.encode(latent, header.quality_units, runtime.hyper_analysis)
    sections = [
        Section(SectionType.HEADER, header.pack()),
        Section(SectionType.LATENT, model.coder(coder).encode(passes)),
    ]
    if picture.alpha is not None:
        sections.append(Section(SectionType.ALPHA, encode_plane(picture.alpha)))
    return pack(sections + pack_metadata(picture.metadata))


def pad(planes: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """(1, C, H, W) to (1, 3, H', W'): sides up to multiples of `stride`, the border and gray repeated."""
    _, channels, height, width = planes.shape
    colour = np.repeat(planes, 3, axis=1) if channels == 1 else planes
    return np.pad(colour, ((0, 0), (0, 0), (0, -height % stride), (0, -width % stride)), mode="edge")
