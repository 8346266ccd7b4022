"""Encoding, the whole method: pixels → latent → symbols → bits → sections → bytes."""

import numpy as np
from numpy.typing import NDArray

from cnnzip.codec.header import Header
from cnnzip.codec.metadata import pack_metadata
from cnnzip.codec.model import Model
from cnnzip.codec.tiling import TILE_PIXELS, WHOLE, grid, tiling_for
from cnnzip.codec.transforms import analyse
from cnnzip.codec.workers import each
from cnnzip.container import Section, SectionType, pack
from cnnzip.errors import PictureError
from cnnzip.image import Picture, encode_plane
from cnnzip.networks.runtime import Runtime
from cnnzip.prior.prior import Region
from cnnzip.prior.quality import to_units
from cnnzip.prior.scales import HYPER_STRIDE

DEFAULT_QUALITY = 75.0


class Encoder:
    """One picture, to be coded at any quality: the analysis runs once, here.

    Args:
        picture: what to code.
        model: the model to code it with.
        runtime: what runs that model's analysis.
        coder: "huffman" or "rans".
        tile: about so many pixels a side has a tile; 0 for one piece.
        threads: for the tiles; 0 is all cores. The file does not depend on it.

    Raises:
        PictureError: a colour picture, and a model that knows gray alone.
        ValueError: no tile has that side.
    """

    def __init__(
        self,
        picture: Picture,
        model: Model,
        runtime: Runtime,
        coder: str = "huffman",
        *,
        tile: int = TILE_PIXELS,
        threads: int = 0,
    ) -> None:
        self.picture = picture
        self.model = model
        self.runtime = runtime
        self.coder = coder
        self.threads = threads
        if picture.channels > model.channels:
            name = model.description.name
            raise PictureError(
                f"a colour picture, and model '{name}' knows gray alone: use --grayscale or another model"
            )
        sides = model.latent_shape(picture.width, picture.height)[1:]
        self.tiling = tiling_for(*sides, model.stride, tile)
        self.tiles = grid(*sides, self.tiling)
        self.latent: NDArray[np.float32] = analyse(picture, model, runtime, threads=threads)  # (M, h, w)
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
            tiling=self.tiling,
        )
        coded = self._whole(units) if self.tiling == WHOLE else self._tiled(units)
        return pack([Section(SectionType.HEADER, header.pack()), *coded, *self.apart])

    def _whole(self, units: int) -> list[Section]:
        """The latent in one piece, the hyper-latent in the same stream."""

        def code(_tile: Region) -> bytes:
            passes = self.model.prior.encode(self.latent, units, self.runtime.hyper_analysis)
            return self.model.coder(self.coder).encode(passes)

        return [Section(SectionType.LATENT, stream) for stream in each(code, self.tiles, self.threads)]

    def _tiled(self, units: int) -> list[Section]:
        """The hyper-latent, which all tiles share, and the tiles."""
        prior, coder = self.model.prior, self.model.coder(self.coder)
        hyper = np.empty(prior.hyper_shape(*self.latent.shape[1:]), dtype=np.int32)
        for tile in self.tiles:
            part = prior.hyper(self.latent[:, *tile], units, self.runtime.hyper_analysis)
            top, left = (span.start // HYPER_STRIDE for span in tile)
            hyper[:, top : top + part.shape[1], left : left + part.shape[2]] = part

        def code(tile: Region) -> bytes:
            return coder.encode(prior.encode_tile(self.latent[:, *tile], units, hyper, tile))

        shared = []
        if hyper.size:
            symbols = hyper.ravel(), prior.hyper_indices(hyper.shape, units)
            shared = [Section(SectionType.HYPER_LATENT, coder.encode([symbols]))]
        return [*shared, *(Section(SectionType.LATENT, stream) for stream in each(code, self.tiles, self.threads))]


def encode_picture(
    picture: Picture,
    model: Model,
    runtime: Runtime,
    *,
    quality: float = DEFAULT_QUALITY,
    coder: str = "huffman",
    tile: int = TILE_PIXELS,
    threads: int = 0,
) -> bytes:
    """The `.cnz` file of `picture` at a quality 0 … 100, to the hundredth; ValueError outside. See `Encoder`."""
    units = to_units(quality)
    return Encoder(picture, model, runtime, coder, tile=tile, threads=threads).at(units)
