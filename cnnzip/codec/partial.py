"""Decoding what is left of a damaged file: every tile that is whole, and a list of what is not."""

from collections.abc import Callable
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from cnnzip import limits
from cnnzip.codec.contents import Contents, decode_alpha
from cnnzip.codec.decode import assembled, synthesis_of
from cnnzip.codec.header import Header
from cnnzip.codec.latent import CodedLatent
from cnnzip.codec.metadata import unpack_metadata
from cnnzip.codec.model import Model
from cnnzip.codec.models import model_for
from cnnzip.codec.tiling import WHOLE, grid
from cnnzip.container import Section, SectionType, salvage, section_table
from cnnzip.errors import CnzError, PayloadError, SectionError
from cnnzip.image import Metadata, Picture
from cnnzip.networks.runtime import Runtime
from cnnzip.prior.prior import Region


def decode_partial(
    data: bytes,
    *,
    limit_pixels: int = limits.MAX_PIXELS,
    find_model: Callable[[Header], Model] = model_for,
    open_runtime: Callable[[Model], Runtime] = Model.runtime,
    threads: int = 0,
) -> tuple[Picture, list[str]]:
    """The picture in a `.cnz` file as far as it can be decoded, and a line for each part that is lost.

    A lost tile becomes the plain surface that the model's mean latent stands for. For the arguments see
    `decode_picture`.

    Raises:
        CnzError: the header or the hyper-latent is damaged, no tile is left, or nobody can tell which tiles are which.
        ModelError: the model is not here or damaged.
    """
    sections = salvage(data)
    if not sections or sections[0] is None or sections[0].type != SectionType.HEADER:
        raise SectionError("the header is damaged: nothing can be decoded")
    header = Header.unpack(sections[0].payload, limit_pixels)
    model = find_model(header)
    contents, lost = _contents(header, sections[1:], model)
    coded = CodedLatent(contents, model)
    if not any(map(coded.may_hold, range(len(coded.tiles)))):  # known before anything of the picture's size is made
        raise PayloadError("no part of the picture is left")
    missing: list[int] = []

    def tile(number: int) -> NDArray[np.float32]:
        try:
            values = coded.tile(number)
        except PayloadError:
            missing.append(number)
            if len(missing) == len(coded.tiles):
                raise PayloadError("no part of the picture is left") from None
            sides = (span.stop - span.start for span in coded.tiles[number])
            values = np.zeros((coded.shape[0], *sides), dtype=np.int32)
        return model.prior.dequantise(values, header.quality_units)

    everything = slice(0, header.height), slice(0, header.width)
    synthesis = synthesis_of(header, model, open_runtime(model), everything)
    color = assembled(coded, tile, synthesis, threads)
    lost[:0] = [
        f"tile {number + 1} of {len(coded.tiles)}, {_place(coded.tiles[number], model, header)}"
        for number in sorted(missing)
    ]
    try:
        alpha = decode_alpha(contents)
    except PayloadError:
        alpha = None
        lost.append("alpha")
    if not lost:
        try:
            section_table(data)
        except CnzError as error:  # the metadata at the end, or the end itself
            lost.append(str(error))
    return Picture(color, alpha, contents.metadata), lost


def _contents(header: Header, rest: list[Section | None], model: Model) -> tuple[Contents, list[str]]:
    """The parts behind the header, with None for lost tiles, and what else is lost."""
    sides = model.latent_shape(header.width, header.height)[1:]
    count = len(grid(*sides, header.tiling))
    hyper = None
    if header.tiling != WHOLE and model.prior.hyper_shape(*sides)[0]:
        first = rest[0] if rest else None
        if first is None or first.type != SectionType.HYPER_LATENT:
            raise SectionError("the hyper-latent is damaged: no tile can be decoded")
        hyper, rest = first.payload, rest[1:]
    # A damaged section may be of any type: it is a tile if it stands among tiles.
    tiles = list(takewhile(lambda section: section is None or section.type == SectionType.LATENT, rest))
    others = rest[len(tiles) :]
    while len(tiles) > count and tiles[-1] is None:
        tiles.pop()
    if len(tiles) > count or (others and len(tiles) < count):
        raise SectionError("a length is damaged: nobody can tell which tiles are which")
    latents = [None if section is None else section.payload for section in tiles]
    known = {section.type: section for section in others if section}
    lost = ["alpha"] if header.alpha and SectionType.ALPHA not in known else []
    metadata = Metadata()
    try:
        metadata = unpack_metadata(tuple(known.values()))
    except CnzError:
        lost.append("metadata")
    alpha = known[SectionType.ALPHA].payload if SectionType.ALPHA in known else None
    return Contents(header, hyper, (*latents, *[None] * (count - len(latents))), alpha, metadata), lost


def _place(tile: Region, model: Model, header: Header) -> str:
    """The pixels of a tile, as `--crop` takes them."""
    rows, columns = (
        (model.stride * span.start, min(model.stride * span.stop, side))
        for span, side in zip(tile, (header.height, header.width), strict=True)
    )
    return f"{columns[1] - columns[0]}x{rows[1] - rows[0]}+{columns[0]}+{rows[0]}"
