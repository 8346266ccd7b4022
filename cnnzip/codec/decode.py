"""Decoding, the whole method: bytes → sections → symbols → latent → pixels."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from cnnzip import limits
from cnnzip.codec.contents import Contents, decode_alpha, read_contents
from cnnzip.codec.header import Header
from cnnzip.codec.latent import CodedLatent
from cnnzip.codec.model import Model
from cnnzip.codec.models import model_for
from cnnzip.codec.transforms import AT_ONCE, Synthesis
from cnnzip.codec.workers import flow
from cnnzip.image import Crop, Picture, Samples, reduced, stored
from cnnzip.networks.runtime import Runtime
from cnnzip.networks.windows import Region

SHRINKS = (1, 2, 4, 8)
"""By what the sides of a preview may be divided; 1 is the whole picture."""


def decode_picture(
    data: bytes,
    *,
    crop: Crop | None = None,
    shrink: int = 1,
    limit_pixels: int = limits.MAX_PIXELS,
    find_model: Callable[[Header], Model] = model_for,
    open_runtime: Callable[[Model], Runtime] = Model.runtime,
    threads: int = 0,
) -> Picture:
    """The picture in a `.cnz` file.

    Args:
        data: the whole file.
        crop: the rectangle that is wanted, of the picture as viewers show it; only tiles that it needs are decoded.
        shrink: 2, 4 or 8 for a preview of that part of the sides, rounded up; not with a crop.
        limit_pixels: refuse pictures larger than this.
        find_model: gives the model that a header names.
        open_runtime: gives what runs that model's synthesis.
        threads: for the tiles; 0 is all cores. The picture does not depend on it.

    Raises:
        CnzError: the file is bad.
        ModelError: its model is not here or damaged.
        PictureError: the crop is not within the picture.
        ValueError: another `shrink`, or one together with a crop.
    """
    if shrink not in SHRINKS or (crop and shrink != 1):
        raise ValueError(f"shrink is one of {SHRINKS}, and 1 with a crop, not {shrink!r}")
    contents = read_contents(data, limit_pixels)
    header = contents.header
    wanted = slice(0, header.height), slice(0, header.width)
    if crop:
        wanted = stored(crop, header.width, header.height, contents.metadata)
    model = find_model(header)
    synthesis = synthesis_of(header, model, open_runtime(model), wanted, shrink)
    coded = CodedLatent(contents, model)
    alpha = decode_alpha(contents)
    color = decode_color(coded, header, model, synthesis, threads)
    if alpha is not None:
        alpha = alpha[wanted] if shrink == 1 else reduced(alpha, shrink)
    return Picture(color, alpha, contents.metadata)


def synthesis_of(header: Header, model: Model, runtime: Runtime, wanted: Region, shrink: int = 1) -> Synthesis:
    """What makes the samples of a region of the picture, or of all of it shrunk."""
    return Synthesis(
        model.latent_shape(header.width, header.height)[1:],
        model,
        runtime,
        channels=header.channels,
        depth=header.depth,
        region=wanted,
        shrink=shrink,
    )


def decode_color(coded: CodedLatent, header: Header, model: Model, synthesis: Synthesis, threads: int) -> Samples:
    """The samples (H, W, C) that `synthesis` is for.

    Raises:
        PayloadError: the coded data is not a latent of the size that the header implies.
    """
    coded.expect(sorted({number for seen in synthesis.seen for number in coded.tiles_in(seen)}))

    def tile(number: int) -> NDArray[np.float32]:
        return model.prior.dequantise(coded.tile(number), header.quality_units)

    return assembled(coded, tile, synthesis, threads)


def assembled(
    coded: CodedLatent, tile: Callable[[int], NDArray[np.float32]], synthesis: Synthesis, threads: int
) -> Samples:
    """The samples (H, W, C) that `synthesis` makes of the latent whose tiles, by their numbers, are (M, h, w)."""
    needs = [coded.tiles_in(seen) for seen in synthesis.seen]

    def make(number: int, tiles: Mapping[int, NDArray[np.float32]]) -> None:
        seen = synthesis.seen[number]
        latent = np.empty((coded.shape[0], *(span.stop - span.start for span in seen)), dtype=np.float32)
        for needed in needs[number]:
            put(latent, seen, coded.tiles[needed], tiles[needed])
        synthesis.make(number, latent)

    flow(tile, needs, make, threads=threads, at_once=AT_ONCE)
    return synthesis.samples


def put(latent: NDArray[np.float32], seen: Region, tile: Region, part: NDArray[np.float32]) -> None:
    """Write into `latent`, which has the region `seen`, what a tile's `part` has of it."""
    shared = [slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(seen, tile, strict=True)]
    there = [slice(s.start - a.start, s.stop - a.start) for s, a in zip(shared, seen, strict=True)]
    here = [slice(s.start - b.start, s.stop - b.start) for s, b in zip(shared, tile, strict=True)]
    latent[:, *there] = part[:, *here]


def decode_values(contents: Contents, model: Model, threads: int = 0) -> NDArray[np.int32]:
    """The prior's values (M, h, w): all that the coded data says, the same on every machine. Errors: `CodedLatent`."""
    return CodedLatent(contents, model).values(threads)
