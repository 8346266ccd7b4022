"""Decoding, the whole method: bytes → sections → symbols → latent → pixels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnzip import limits
from cnnzip.codec.header import Header
from cnnzip.codec.metadata import unpack_metadata
from cnnzip.codec.model import Model
from cnnzip.codec.models import model_for
from cnnzip.container import SectionType, unpack
from cnnzip.errors import HeaderError, SectionError
from cnnzip.image import Metadata, Picture, Samples, decode_plane, from_planes
from cnnzip.networks.runtime import Runtime


@dataclass(frozen=True)
class Contents:
    """A file's parts, each of them checked but for the coded latent, which needs the model."""

    header: Header
    latent: bytes
    alpha: bytes | None
    metadata: Metadata


def read_contents(data: bytes, limit_pixels: int = limits.MAX_PIXELS) -> Contents:
    """Take a `.cnz` file apart.

    Raises:
        CnzError: of the type that says what is wrong with it.
    """
    sections = unpack(data)
    header = Header.unpack(sections[0].payload, limit_pixels)
    latents = [s.payload for s in sections if s.type == SectionType.LATENT]
    alphas = [s.payload for s in sections if s.type == SectionType.ALPHA]
    if any(s.type == SectionType.HYPER_LATENT for s in sections):
        raise SectionError("a hyper-latent section, which no prior of this version has")
    if len(latents) != 1:
        raise SectionError(f"{len(latents)} latent sections where there must be one")
    if len(alphas) != header.alpha:
        raise SectionError("the header and the sections disagree about alpha")
    return Contents(header, latents[0], alphas[0] if alphas else None, unpack_metadata(sections))


def decode_values(contents: Contents, model: Model) -> NDArray[np.int32]:
    """The prior's values (M, h, w): all that the coded data says, the same on every machine.

    Raises:
        HeaderError: a colour picture, of a model that knows gray alone.
        PayloadError: the coded data is not a latent of the size that the header implies.
    """
    header = contents.header
    if header.channels > model.channels:
        raise HeaderError(f"a colour picture, but model '{header.model_name}' knows gray alone")
    decoder = model.coder(header.coder).decoder(contents.latent)
    shape = model.latent_shape(header.width, header.height)
    values = model.prior.decode(decoder.read, shape, header.quality_units)
    decoder.finish()
    return values


def decode_alpha(contents: Contents) -> Samples | None:
    """The alpha plane (H, W), None where the picture has none.

    Raises:
        PayloadError: it is damaged or of another size.
    """
    header = contents.header
    if contents.alpha is None:
        return None
    return decode_plane(contents.alpha, header.height, header.width, header.depth)


def decode_picture(
    data: bytes,
    *,
    limit_pixels: int = limits.MAX_PIXELS,
    find_model: Callable[[Header], Model] = model_for,
    open_runtime: Callable[[Model], Runtime] = Model.runtime,
) -> Picture:
    """The picture in a `.cnz` file.

    Args:
        data: the whole file.
        limit_pixels: refuse pictures larger than this.
        find_model: gives the model that a header names.
        open_runtime: gives what runs that model's synthesis.

    Raises:
        CnzError: the file is bad.
        ModelError: its model is not here or damaged.
    """
    contents = read_contents(data, limit_pixels)
    header = contents.header
    model = find_model(header)
    values = decode_values(contents, model)
    alpha = decode_alpha(contents)
    latent = model.prior.dequantise(values, header.quality_units)[None]  # (1, M, h, w)
    planes = open_runtime(model).synthesis(latent)[:, :, : header.height, : header.width]
    if header.channels == 1:
        planes = planes.mean(axis=1, keepdims=True)
    return Picture(from_planes(planes, header.depth), alpha, contents.metadata)
