"""A file's parts, each of them checked but for the coded latent, which needs the model."""

from dataclasses import dataclass

from cnnzip import limits
from cnnzip.codec.header import Header
from cnnzip.codec.metadata import unpack_metadata
from cnnzip.codec.tiling import WHOLE
from cnnzip.container import Section, SectionType, unpack
from cnnzip.errors import SectionError
from cnnzip.image import Metadata, Samples, decode_plane


@dataclass(frozen=True)
class Contents:
    """What a file holds."""

    header: Header
    hyper_latent: bytes | None
    """None where the latent is in one piece, which then has it inside, and where the prior has none."""
    latents: tuple[bytes | None, ...]
    """One a tile; None where a damaged file has lost it."""
    alpha: bytes | None
    metadata: Metadata

    @property
    def coded_bytes(self) -> int:
        """Bytes of the latent and the hyper-latent."""
        return sum(len(stream or b"") for stream in (self.hyper_latent, *self.latents))


def read_contents(data: bytes, limit_pixels: int = limits.MAX_PIXELS) -> Contents:
    """Take a `.cnz` file apart.

    Raises:
        CnzError: of the type that says what is wrong with it.
    """
    return contents_of(unpack(data), limit_pixels)


def contents_of(sections: tuple[Section, ...], limit_pixels: int = limits.MAX_PIXELS) -> Contents:
    """What the sections of a file hold; raises what `read_contents` raises of it."""
    header = Header.unpack(sections[0].payload, limit_pixels)
    by_type = {kind: [s.payload for s in sections if s.type == kind] for kind in SectionType}
    latents, alphas = by_type[SectionType.LATENT], by_type[SectionType.ALPHA]
    hyper = by_type[SectionType.HYPER_LATENT]
    if header.tiling == WHOLE:
        if hyper:
            raise SectionError("a hyper-latent section, which a latent in one piece does not have")
        if len(latents) != 1:
            raise SectionError(f"{len(latents)} latent sections where there must be one")
    if len(alphas) != header.alpha:
        raise SectionError("the header and the sections disagree about alpha")
    return Contents(
        header, hyper[0] if hyper else None, tuple(latents), alphas[0] if alphas else None, unpack_metadata(sections)
    )


def decode_alpha(contents: Contents) -> Samples | None:
    """The alpha plane (H, W), None where the picture has none.

    Raises:
        PayloadError: it is damaged or of another size.
    """
    header = contents.header
    if contents.alpha is None:
        return None
    return decode_plane(contents.alpha, header.height, header.width, header.depth)
