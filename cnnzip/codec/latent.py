"""The coded latent of a file: its hyper-latent, and its tiles, which are decoded one by one."""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cnnzip.codec.contents import Contents
from cnnzip.codec.model import Model
from cnnzip.codec.tiling import WHOLE, grid
from cnnzip.codec.workers import each
from cnnzip.errors import HeaderError, PayloadError, SectionError
from cnnzip.prior.prior import Read, Region


class CodedLatent:
    """The latent of a file, with the model that the file names.

    Args:
        contents: the file.
        model: its model.
        overhear: given what reads symbols, gives what is to do it instead; for those who want to know them.

    Raises:
        HeaderError: the tiles are none that this picture can have, or it is a colour picture and the model knows gray
            alone.
        SectionError: there are fewer or more sections than tiles, or no hyper-latent where there must be one.
        PayloadError: the hyper-latent is damaged.
    """

    def __init__(self, contents: Contents, model: Model, overhear: Callable[[Read], Read] = lambda read: read) -> None:
        header = contents.header
        if header.channels > model.channels:
            raise HeaderError(f"a colour picture, but model '{header.model_name}' knows gray alone")
        self.shape = model.latent_shape(header.width, header.height)
        self.tiles: list[Region] = grid(*self.shape[1:], header.tiling)
        """Where each tile lies."""
        if header.tiling != WHOLE and len(self.tiles) == 1:
            raise HeaderError("the header asks for tiles where one is all")
        if len(contents.latents) != len(self.tiles):
            raise SectionError(f"{len(contents.latents)} latent sections where there must be {len(self.tiles)}")
        self._contents = contents
        self._prior = model.prior
        self._coder = model.coder(header.coder)
        self._overhear = overhear
        self._units = header.quality_units
        self._hyper_shape = self._prior.hyper_shape(*self.shape[1:])
        apart = header.tiling != WHOLE and self._hyper_shape[0] > 0
        if (contents.hyper_latent is not None) != apart:
            raise SectionError("a hyper-latent section is missing" if apart else "a hyper-latent section of no use")
        self._hyper = self._hyper_alone() if apart else None

    def tile(self, number: int) -> NDArray[np.int32]:
        """The prior's values (M, h, w) of one tile: integers, the same on every machine.

        Raises:
            PayloadError: the coded data is not a tile of that size.
        """
        self.expect([number])
        stream = self._contents.latents[number]
        assert stream is not None
        decoder = self._coder.decoder(stream)
        read = self._overhear(decoder.read)
        hyper = self._hyper_from(read) if self._hyper is None else self._hyper
        values = self._prior.decode_tile(read, self._units, hyper, self.tiles[number])
        decoder.finish()
        return values

    def tiles_in(self, region: Region) -> list[int]:
        """The numbers of the tiles that have a part in a region of the latent."""

        def meet(one: slice, other: slice) -> bool:
            return bool(one.start < other.stop and other.start < one.stop)

        return [number for number, tile in enumerate(self.tiles) if all(map(meet, tile, region))]

    def expect(self, numbers: Sequence[int]) -> None:
        """See that each of the tiles is there and has bytes enough for its size, before anything is made for it.

        Raises:
            PayloadError: one is lost, or shorter than any of its size can be.
        """
        for number in numbers:
            stream, tile = self._contents.latents[number], self.tiles[number]
            if stream is None:
                raise PayloadError("the tile is lost")
            symbols = math.prod((self.shape[0], *(span.stop - span.start for span in tile)))
            self._coder.expect(stream, symbols + (math.prod(self._hyper_shape) if self._hyper is None else 0))

    def may_hold(self, number: int) -> bool:
        """Whether a tile passes `expect`."""
        try:
            self.expect([number])
        except PayloadError:
            return False
        return True

    def decoded(self, numbers: Sequence[int], threads: int = 0) -> Iterator[tuple[Region, NDArray[np.int32]]]:
        """Tiles by number, several at a time: where each lies, and its values; see `expect` and `tile`."""
        self.expect(numbers)
        values = each(self.tile, numbers, threads)
        return ((self.tiles[number], one) for number, one in zip(numbers, values, strict=True))

    def values(self, threads: int = 0) -> NDArray[np.int32]:
        """All values (M, h, w); see `tile`."""
        if len(self.tiles) == 1:
            return next(each(self.tile, [0], threads))
        tiles = self.decoded(range(len(self.tiles)), threads)
        values = np.empty(self.shape, dtype=np.int32)
        for tile, part in tiles:
            values[:, *tile] = part
        return values

    def _hyper_alone(self) -> NDArray[np.int32]:
        assert self._contents.hyper_latent is not None
        self._coder.expect(self._contents.hyper_latent, math.prod(self._hyper_shape))
        decoder = self._coder.decoder(self._contents.hyper_latent)
        hyper = self._hyper_from(self._overhear(decoder.read))
        decoder.finish()
        return hyper

    def _hyper_from(self, read: Read) -> NDArray[np.int32]:
        """The hyper-latent (Z, …) of the picture, which a prior without one has with Z = 0, and does not read."""
        if not self._hyper_shape[0]:
            return np.zeros(self._hyper_shape, dtype=np.int32)
        return read(self._prior.hyper_indices(self._hyper_shape, self._units)).reshape(self._hyper_shape)
