"""Encoding, the whole method: pixels → latent → symbols → bits → sections → bytes."""

import numpy as np
from numpy.typing import NDArray

from cnnzip.codec.header import Header
from cnnzip.codec.metadata import pack_metadata
from cnnzip.codec.model import Model
from cnnzip.container import Section, SectionType, pack
from cnnzip.errors import PictureError
from cnnzip.image import Picture, encode_plane, to_planes
from cnnzip.networks.runtime import Runtime
from cnnzip.prior.quality import to_units

DEFAULT_QUALITY = 75.0


class Encoder:
    """One picture, to be coded at any quality: the analysis runs once, here.

    Args:
        picture: what to code.
        model: the model to code it with.
        runtime: what runs that model's analysis.
        coder: "huffman" or "rans".

    Raises:
        PictureError: a colour picture, and a model that knows gray alone.
    """

    def __init__(self, picture: Picture, model: Model, runtime: Runtime, coder: str = "huffman") -> None:
        self.picture = picture
        self.model = model
        self.runtime = runtime
        self.coder = coder
        if picture.channels > model.channels:
            name = model.description.name
            raise PictureError(
                f"a colour picture, and model '{name}' knows gray alone: use --grayscale or another model"
            )
        pixels = pad(to_planes(picture), model.stride, model.channels)  # (1, C, H', W')
        self.latent: NDArray[np.float32] = runtime.analysis(pixels)[0]  # (M, h, w)
        alpha = [] if picture.alpha is None else [Section(SectionType.ALPHA, encode_plane(picture.alpha))]
        self.apart = alpha + pack_metadata(picture.metadata)  # what no quality changes

    def at(self, units: int) -> bytes:
        """The `.cnz` file at a quality in hundredths; the same input gives the same bytes."""
        header = Header(
            width=self.picture.width,
            height=self.picture.height,
            channels=self.picture.channels,
            depth=self.picture.depth,
            alpha=self.picture.alpha is not None,
            model_name=self.model.description.name,
            model_id=self.model.description.id,
            quality_units=units,
            coder=self.coder,
        )
        passes = self.model.prior.encode(self.latent, units, self.runtime.hyper_analysis)
        sections = [
            Section(SectionType.HEADER, header.pack()),
            Section(SectionType.LATENT, self.model.coder(self.coder).encode(passes)),
        ]
        return pack(sections + self.apart)


def encode_picture(
    picture: Picture,
    model: Model,
    runtime: Runtime,
    *,
    quality: float = DEFAULT_QUALITY,
    coder: str = "huffman",
) -> bytes:
    """The `.cnz` file of `picture` at a quality 0 … 100, to the hundredth; ValueError outside. See `Encoder`."""
    units = to_units(quality)
    return Encoder(picture, model, runtime, coder).at(units)


def pad(planes: NDArray[np.float32], stride: int, channels: int = 3) -> NDArray[np.float32]:
    """(1, C, H, W) to (1, channels, H', W'): sides up to multiples of `stride`, the border and gray repeated."""
    _, own, height, width = planes.shape
    known = np.repeat(planes, channels, axis=1) if own == 1 else planes
    return np.pad(known, ((0, 0), (0, 0), (0, -height % stride), (0, -width % stride)), mode="edge")
