"""Files whose sections are each sound but do not fit together, or hold what they must not."""

import re
import zlib
from collections.abc import Callable

import pytest

from cnnzip import limits
from cnnzip.codec.contents import decode_alpha, read_contents
from cnnzip.codec.decode import decode_picture, decode_values
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.header import Header
from cnnzip.codec.inspect import Part, describe
from cnnzip.codec.model import Model
from cnnzip.container import Section, SectionType, pack, unpack
from cnnzip.errors import LimitError, PayloadError, SectionError
from cnnzip.image import Picture, encode_plane
from cnnzip.networks.runtime import Runtime

HEADER, HYPER, LATENT, ALPHA = SectionType.HEADER, SectionType.HYPER_LATENT, SectionType.LATENT, SectionType.ALPHA
ICC, EXIF, XMP = SectionType.ICC, SectionType.EXIF, SectionType.XMP


@pytest.fixture(scope="module")
def header(tiny: Model) -> Callable[..., bytes]:
    """A header's payload, with fields changed."""

    def build(**fields: object) -> bytes:
        plain = {
            "width": 16,
            "height": 16,
            "channels": 3,
            "depth": 8,
            "alpha": False,
            "model_name": "tiny",
            "model_id": tiny.description.id,
            "quality_units": 5000,
            "coder": "huffman",
        }
        return Header(**{**plain, **fields}).pack()

    return build


def test_parts_of_a_file(photo: Picture, tiny: Model, tiny_runtime: Runtime) -> None:
    data = encode_picture(photo, tiny, tiny_runtime)
    report = describe(data)
    sizes = {part.name: part.size for part in report.parts}
    assert list(sizes) == ["header", "latent", "end"]
    assert report.parts[0] == Part("header", 9, sizes["header"])
    assert 9 + sum(sizes.values()) == len(data) == report.size
    assert report.bpp == 8 * len(data) / (96 * 64)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ([], "0 latent sections where there must be one"),
        ([(LATENT, b"a"), (LATENT, b"b")], "2 latent sections where there must be one"),
        ([(HYPER, b""), (LATENT, b"a")], "a hyper-latent section, which a latent in one piece does not have"),
        ([(LATENT, b"a"), (ALPHA, b"")], "the header and the sections disagree about alpha"),
    ],
)
def test_section_errors(sections: list[tuple[int, bytes]], message: str, header: Callable[..., bytes]) -> None:
    data = pack([Section(HEADER, header()), *(Section(*section) for section in sections)])
    with pytest.raises(SectionError, match=f"^{re.escape(message)}$"):
        read_contents(data)


def test_alpha_is_missing(header: Callable[..., bytes]) -> None:
    data = pack([Section(HEADER, header(alpha=True)), Section(LATENT, b"a")])
    with pytest.raises(SectionError, match=r"^the header and the sections disagree about alpha$"):
        read_contents(data)


@pytest.mark.parametrize("kind", [ICC, EXIF, XMP])
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no zlib stream",
        zlib.compress(b"block")[:-1],
        zlib.compress(b"block") + b"\0",
        zlib.compress(b"block") * 2,
        zlib.compress(b"block")[:-4] + b"\0\0\0\0",
    ],
)
def test_damaged_metadata(kind: SectionType, payload: bytes, header: Callable[..., bytes]) -> None:
    data = pack([Section(HEADER, header()), Section(LATENT, b""), Section(kind, payload)])
    with pytest.raises(PayloadError, match=f"^the {kind.name} block is damaged$"):
        read_contents(data)


@pytest.mark.parametrize("kind", [ICC, EXIF, XMP])
def test_metadata_inflates_only_to_the_limit(kind: SectionType, header: Callable[..., bytes]) -> None:
    def file(size: int) -> bytes:
        return pack([Section(HEADER, header()), Section(LATENT, b""), Section(kind, zlib.compress(bytes(size)))])

    metadata = read_contents(file(limits.MAX_METADATA_BYTES)).metadata
    assert getattr(metadata, kind.name.lower()) == bytes(limits.MAX_METADATA_BYTES)
    for size in (limits.MAX_METADATA_BYTES + 1, 20 * limits.MAX_METADATA_BYTES):
        with pytest.raises(LimitError, match=f"^the {kind.name} block is larger than 8388608 bytes$"):
            read_contents(file(size))


def test_a_file_may_not_be_larger_than_the_caller_allows(photo: Picture, tiny: Model, tiny_runtime: Runtime) -> None:
    data = encode_picture(photo, tiny, tiny_runtime)
    assert describe(data, limit_pixels=96 * 64).header.pixels == 96 * 64
    for call in (describe, decode_picture):
        with pytest.raises(LimitError, match=r"^96×64 is more than 6143 pixels; raise the limit with --limit-pixels$"):
            call(data, limit_pixels=96 * 64 - 1)


@pytest.mark.parametrize("coder", ["huffman", "rans"])
def test_a_latent_of_another_size(
    coder: str, photo: Picture, tiny: Model, tiny_runtime: Runtime, header: Callable[..., bytes]
) -> None:
    latent = read_contents(encode_picture(photo, tiny, tiny_runtime, coder=coder, quality=50)).latents[0]

    def symbols_of(width: int, height: int, payload: bytes) -> object:
        sections = [Section(HEADER, header(width=width, height=height, coder=coder)), Section(LATENT, payload)]
        return decode_values(read_contents(pack(sections)), tiny)

    assert symbols_of(96, 64, latent).shape == tiny.latent_shape(96, 64)
    for width, height, payload in [
        (96, 48, latent),
        (96, 640, latent),
        (96, 64, b""),
        (96, 64, latent[:-1]),
        (96, 64, latent + b"\0"),
        (96, 64, latent + b"\x55"),
    ]:
        with pytest.raises(PayloadError):
            symbols_of(width, height, payload)


def test_a_latent_cut_off_anywhere_is_no_latent(photo: Picture, tiny: Model, tiny_runtime: Runtime) -> None:
    head, latent = unpack(encode_picture(photo, tiny, tiny_runtime))
    for size in range(len(latent.payload)):
        data = pack([head, Section(LATENT, latent.payload[:size])])
        with pytest.raises(PayloadError):
            decode_values(read_contents(data), tiny)


def test_alpha_of_another_size_or_depth(header: Callable[..., bytes], photo: Picture) -> None:
    plane = encode_plane(photo.color[:16, :16, 0])
    for fields in ({"width": 15}, {"height": 17}, {"depth": 16}):
        data = pack([Section(HEADER, header(alpha=True, **fields)), Section(LATENT, b""), Section(ALPHA, plane)])
        with pytest.raises(PayloadError, match=r"^the alpha plane is not \d+×\d+ samples of (8|16) bits$"):
            decode_alpha(read_contents(data))
