"""Where the bits of a file went: to which positions of the latent, and to which of its channels.

A symbol's bits are its information under its table, times one factor for the whole file, so that all of them together
are the bits of the latent section: the coder's excess and the padding are shared fairly. The bits of a symbol of the
hyper-latent belong in equal parts to the positions of the latent that it covers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from cnnzip import limits
from cnnzip.codec.contents import read_contents
from cnnzip.codec.decode import decode_picture
from cnnzip.codec.header import Header
from cnnzip.codec.latent import CodedLatent
from cnnzip.codec.model import Model
from cnnzip.codec.models import model_for
from cnnzip.codec.tally import Passes
from cnnzip.entropy import symbol_bits
from cnnzip.image import Picture
from cnnzip.networks.runtime import Runtime
from cnnzip.prior.scales import HYPER_STRIDE


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where the bits of a file went.

    Attributes:
        header: the file's.
        picture: the decoded picture.
        stride: pixels a latent position, each way.
        steps: (M, h, w) the latent in steps of its quantiser.
        channel_bits: (M,) bits of each channel of the latent.
        hyper_bits: bits of the hyper-latent, 0 where there is none.
        bits: (h, w) bits of each position over all channels, those of the hyper-latent included.
    """

    header: Header
    picture: Picture
    stride: int
    steps: NDArray[np.float32]
    channel_bits: NDArray[np.float64]
    hyper_bits: float
    bits: NDArray[np.float64]

    @property
    def total(self) -> float:
        """Bits of the latent section."""
        return float(self.bits.sum())

    @property
    def bpp(self) -> NDArray[np.float64]:
        """(h, w) bits a pixel at each position, of the pixels that lie within the picture."""
        bpp: NDArray[np.float64] = self.bits / self.pixels
        return bpp

    @property
    def pixels(self) -> NDArray[np.int64]:
        """(h, w) how many pixels of the picture each position covers."""
        return _area(self.header.height, self.header.width, self.stride)

    @property
    def highest_bpp(self) -> float:
        """The most bits a pixel where positions cover most: at the edges a position may have but one pixel."""
        return float(self.bpp[self.pixels == self.pixels.max()].max())

    def most_expensive(self, count: int) -> list[int]:
        """The channels with the most bits, at most `count`, the most expensive first."""
        order: list[int] = np.argsort(-self.channel_bits, kind="stable").tolist()
        return order[:count]


def explain(
    data: bytes,
    *,
    limit_pixels: int = limits.MAX_PIXELS,
    find_model: Callable[[Header], Model] = model_for,
    open_runtime: Callable[[Model], Runtime] = Model.runtime,
) -> Explanation:
    """Where the bits of the `.cnz` file `data` went; for the arguments see `decode_picture`.

    Raises:
        CnzError: the file is bad.
        ModelError: its model is not here or damaged.
    """
    contents = read_contents(data, limit_pixels)
    header = contents.header
    model = find_model(header)
    passes = Passes()
    coded = CodedLatent(contents, model, passes.overhear)
    values = coded.values(threads=1)
    picture = decode_picture(data, limit_pixels=limit_pixels, find_model=lambda _: model, open_runtime=open_runtime)
    ideal = [symbol_bits(model.codebook.tables, *one) for one in passes.heard]
    factor = 8 * contents.coded_bytes / sum(float(bits.sum()) for bits in ideal)
    shares = iter([factor * bits for bits in ideal])
    hyper_shape = model.prior.hyper_shape(*coded.shape[1:])
    hyper = next(shares).reshape(hyper_shape) if hyper_shape[0] else np.zeros(hyper_shape)
    latent = np.empty(coded.shape)
    passes_a_tile = (len(ideal) - (hyper.size > 0)) // len(coded.tiles)
    for tile in coded.tiles:
        size = (span.stop - span.start for span in tile)
        latent[:, *tile] = model.prior.arrange(list(islice(shares, passes_a_tile)), *size)
    return Explanation(
        header=header,
        picture=picture,
        stride=model.stride,
        steps=model.prior.steps(values),
        channel_bits=latent.sum(axis=(1, 2)),
        hyper_bits=float(hyper.sum()),
        bits=latent.sum(axis=0) + _spread(hyper.sum(axis=0), *coded.shape[1:]),
    )


def _spread(bits: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """Bits of the hyper-latent's positions in equal parts on the positions of the latent (h, w) that each covers."""
    shares = bits / _area(height, width, HYPER_STRIDE)
    spread: NDArray[np.float64] = shares.repeat(HYPER_STRIDE, axis=0).repeat(HYPER_STRIDE, axis=1)[:height, :width]
    return spread


def _area(height: int, width: int, stride: int) -> NDArray[np.int64]:
    """How much of height × width each cell of `stride` × `stride` covers; the last ones reach beyond."""
    rows, columns = (np.minimum(stride, side - np.arange(0, side, stride)) for side in (height, width))
    area: NDArray[np.int64] = np.multiply.outer(rows, columns)
    return area
