"""Make the golden files again, with the models beside them:

    CNNZIP_MODELS=tests/golden/models python tests/golden/make.py

`good/` holds files that every later version must decode to the symbols of `index.json` and to the pixels of the
PNG beside each; `bad/` holds one file or more for each error that a file can provoke, with its exact message.
Files that were released never change: a new version adds to them. So this leaves what exists as it is; to make
a file that no release has seen anew, delete it first.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import numpy as np

from cnnzip import limits
from cnnzip.codec.contents import read_contents
from cnnzip.codec.decode import decode_picture, decode_values
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.header import Header
from cnnzip.codec.inspect import verify
from cnnzip.codec.model import load_model
from cnnzip.codec.models import model_for
from cnnzip.container import MAGIC, VERSION, Section, SectionType, pack, unpack, write_varint
from cnnzip.entropy import CODERS
from cnnzip.errors import CnnzipError
from cnnzip.image import Metadata, Picture, encode_plane, read, write

HERE = Path(__file__).parent
MODEL = load_model(HERE / "models" / "tiny")
RUNTIME = MODEL.runtime(threads=1)
PHOTO = read((HERE.parent / "data" / "parrots-96x64.png").read_bytes())
HEADER, HYPER, LATENT, ALPHA = SectionType.HEADER, SectionType.HYPER_LATENT, SectionType.LATENT, SectionType.ALPHA

UPRIGHT_EXIF = struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0)
"""An EXIF block of one tag: orientation 6."""


def good() -> Iterator[tuple[str, bytes]]:
    """(name, file) of the good files."""
    color, height, width = PHOTO.color, PHOTO.height, PHOTO.width
    gray = color[..., 1:2]
    deep = gray.astype(np.uint16) * 257 + np.arange(width, dtype=np.uint16)[:, None]
    alpha = (np.arange(width) + 2 * np.arange(height)[:, None]).astype(np.uint8)
    metadata = Metadata(icc=b"not a profile, but kept", exif=UPRIGHT_EXIF, xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    pictures = {
        "colour-huffman": (PHOTO, 75, "huffman"),
        "colour-rans": (PHOTO, 75, "rans"),
        "colour-lowest": (PHOTO, 0, "huffman"),
        "colour-between": (PHOTO, 61.8, "huffman"),
        "colour-highest": (PHOTO, 100, "rans"),
        "gray": (Picture(gray), 75, "huffman"),
        "alpha": (Picture(color, alpha), 75, "huffman"),
        "gray-alpha": (Picture(gray, alpha), 75, "rans"),
        "gray-16-bit": (Picture(deep), 100, "huffman"),
        "metadata": (Picture(color, metadata=metadata), 50, "huffman"),
        "one-pixel": (Picture(color[:1, :1]), 75, "huffman"),
        "one-row": (Picture(color[:1, :37]), 75, "rans"),
        "odd-size": (Picture(color[:33, :65]), 75, "huffman"),
    }
    for name, (picture, quality, coder) in pictures.items():
        yield name, encode_picture(picture, MODEL, RUNTIME, quality=quality, coder=coder)
    large = Picture(np.tile(color, (7, 7, 1))[:420, :600])  # 2×2 tiles of 256
    yield "tiles", encode_picture(large, MODEL, RUNTIME, tile=256)
    photo = load_model(HERE / "models" / "tiny-photo")
    runtime = photo.runtime(threads=1)
    for coder in CODERS:
        yield f"hyper-{coder}", encode_picture(PHOTO, photo, runtime, quality=60, coder=coder)
    yield "hyper-tiles", encode_picture(large, photo, runtime, quality=40, tile=256)
    yield "hyper-one-pixel", encode_picture(Picture(color[:1, :1]), photo, runtime)
    yield "hyper-odd-size", encode_picture(Picture(color[:33, :65]), photo, runtime, quality=100)
    for family in ("pool", "dense", "deconv"):
        model = load_model(HERE / "models" / f"tiny-{family}")
        runtime = model.runtime(threads=1)
        for coder in CODERS:
            yield f"{family}-{coder}", encode_picture(PHOTO, model, runtime, quality=80, coder=coder)
    # A section that a later version may add, and this one skips.
    sound = encode_picture(Picture(color[:16, :16]), MODEL, RUNTIME)
    yield "unknown-optional-section", by_hand(*unpack(sound), Section(0x90, b"new"))


def by_hand(*sections: Section) -> bytes:
    """What `pack` writes, but with sections of any types in any order."""
    covered = data = MAGIC + bytes([VERSION])
    for section in sections:
        body = bytes([section.type]) + write_varint(len(section.payload)) + section.payload
        covered += body
        data += body + crc32(body).to_bytes(4, "little")
    end = bytes([SectionType.END, 0])
    return data + end + crc32(covered + end).to_bytes(4, "little")


def header(**fields: object) -> Section:
    """The header of a plain file of 16×16, with fields changed."""
    plain = Header(16, 16, 3, 8, False, MODEL.description.name, MODEL.description.id, 5000, "huffman")
    return Section(HEADER, Header(**{**vars(plain), **fields}).pack())


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc32(kind + body))


def bad() -> Iterator[tuple[str, bytes]]:
    """(name, file) of the bad files; the name begins with the error."""
    color = PHOTO.color[:16, :16]
    data = encode_picture(Picture(color), MODEL, RUNTIME, quality=50)
    head, latent = unpack(data)
    deflated = zlib.compress(b"block")
    yield "NotCnzError-png", write(Picture(color), "PNG")[0]
    yield "NotCnzError-text-mode", data.replace(b"\r\n", b"\n")
    yield "UnsupportedVersionError", data[:8] + bytes([VERSION + 1]) + data[9:]
    yield "TruncatedError-empty", b""
    yield "TruncatedError-magic", data[:5]
    yield "TruncatedError-half", data[: len(data) // 2]
    yield "TruncatedError-last-byte", data[:-1]
    yield "TrailingDataError", data + b"\0"
    yield "ChecksumError-header", data[:12] + bytes([data[12] ^ 1]) + data[13:]
    yield "ChecksumError-file", data[:-1] + bytes([data[-1] ^ 1])
    yield "UnknownSectionError", by_hand(head, latent, Section(0x05, b"new"))
    yield "SectionError-no-header", by_hand(latent)
    yield "SectionError-two-headers", by_hand(head, head, latent)
    yield "SectionError-order", by_hand(head, Section(SectionType.XMP, deflated), latent)
    yield "SectionError-no-latent", pack([head])
    yield "SectionError-two-latents", pack([head, latent, latent])
    yield "SectionError-hyper-latent", pack([head, Section(HYPER, b""), latent])
    tiled = encode_picture(Picture(np.tile(color, (40, 40, 1))), MODEL, RUNTIME, tile=256)
    top, *tiles = unpack(tiled)
    yield "SectionError-tile-missing", pack([top, *tiles[1:]])
    yield "SectionError-hyper-latent-of-no-use", pack([top, Section(HYPER, b"\0"), *tiles])
    yield "HeaderError-tiling", pack([header(tiling=13), latent])
    yield "HeaderError-one-tile", pack([header(tiling=10), latent])
    yield "SectionError-alpha", pack([head, latent, Section(ALPHA, b"")])
    yield "HeaderError-cut-off", pack([Section(HEADER, head.payload[:9]), latent])
    yield "HeaderError-flags", pack([Section(HEADER, b"\x80" + head.payload[1:]), latent])
    yield "HeaderError-coder", pack([Section(HEADER, head.payload[:1] + b"\x07" + head.payload[2:]), latent])
    yield "HeaderError-name", pack([header(model_name="../tiny"), latent])
    yield "HeaderError-no-pixels", pack([header(width=0), latent])
    yield "HeaderError-quality", pack([header(quality_units=10_001), latent])
    yield "LimitError-side", pack([header(width=limits.MAX_SIDE + 1), latent])
    yield "LimitError-pixels", pack([header(width=limits.MAX_SIDE, height=limits.MAX_SIDE), latent])
    yield "LimitError-metadata", pack([head, latent, Section(SectionType.XMP, zlib.compress(bytes(9 << 20), 9))])
    yield "PayloadError-latent-cut-off", pack([head, Section(LATENT, latent.payload[:-1])])
    yield "PayloadError-latent-too-long", pack([head, Section(LATENT, latent.payload + b"\0")])
    yield "PayloadError-latent-of-a-huge-picture", pack([header(width=12_000, height=12_000), latent])
    huge = {"width": 12_000, "height": 12_000}
    yield "PayloadError-rans-of-a-huge-picture", pack([header(**huge, coder="rans"), Section(LATENT, b"\xff" * 16)])
    photo = load_model(HERE / "models" / "tiny-photo").description
    for coder in CODERS:
        claim = header(**huge, coder=coder, model_name=photo.name, model_id=photo.id)
        yield f"PayloadError-hyper-{coder}-of-a-huge-picture", pack([claim, Section(LATENT, b"\xff" * 16)])
    yield "PayloadError-latent-rans", pack([header(coder="rans"), Section(LATENT, b"\x01\x02\x03\x04\x05")])
    yield "PayloadError-alpha", pack([header(alpha=True), latent, Section(ALPHA, b"no PNG")])
    plane = encode_plane(color[:16, :16, 0])
    inflated = zlib.compress(bytes(1 << 20), 9)
    bomb = plane[:33] + chunk(b"IDAT", inflated) + chunk(b"IEND", b"")
    yield "PayloadError-alpha-bomb", pack([header(alpha=True), latent, Section(ALPHA, bomb)])
    yield "PayloadError-metadata", pack([head, latent, Section(SectionType.ICC, deflated + b"\0")])
    yield "ModelNotFoundError", pack([header(model_name="other", model_id=bytes(8)), latent])


def describe_good(data: bytes) -> tuple[dict[str, object], bytes]:
    """What stands in the index of a good file, and the PNG of its pixels."""
    contents = read_contents(data)
    picture = decode_picture(data, threads=1)
    blocks = {name: block.hex() for name, block in vars(contents.metadata).items() if block is not None}
    entry = {
        "shape": list(picture.color.shape),
        "depth": picture.depth,
        "alpha": picture.alpha is not None,
        "metadata": blocks,
        "symbols": list(decode_values(contents, model_for(contents.header)).shape),
        "symbols_sha256": verify(data),
    }
    return entry, write(Picture(picture.color, picture.alpha), "PNG")[0]


def describe_bad(name: str, data: bytes) -> dict[str, object]:
    """What stands in the index of a bad file: the error that it gives."""
    try:
        verify(data)
    except CnnzipError as error:
        if type(error).__name__ != name.split("-")[0]:
            raise
        return {"error": type(error).__name__, "message": str(error)}
    raise ValueError(f"{name} is a good file")


def main() -> None:
    """Add the files that are missing, and their entries in the indices."""
    for kind, files in {"good": good(), "bad": bad()}.items():
        path = HERE / kind / "index.json"
        index = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        for name, data in files:
            file = HERE / kind / f"{name}.cnz"
            if file.exists():
                continue
            file.write_bytes(data)
            if kind == "good":
                index[name], png = describe_good(data)
                file.with_suffix(".png").write_bytes(png)
            else:
                index[name] = describe_bad(name, data)
        path.write_text(json.dumps(index, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
