"""Every change to the structure of every golden file, with the checksums repaired; every prefix; every flipped bit."""

import random
from collections.abc import Callable, Iterator

import decode
import pytest
from sections import Parts, build, golden, join, section, split

from cnnzip.codec.decode import decode_picture
from cnnzip.codec.inspect import verify
from cnnzip.container import Section, SectionType, pack, unpack, write_varint
from cnnzip.errors import CnzError, TruncatedError

OPTIONS = {**decode.OPTIONS, "limit_pixels": 1 << 20}
METADATA = (SectionType.ICC, SectionType.EXIF, SectionType.XMP)
LATENT, HEADER = SectionType.LATENT, SectionType.HEADER


def changes(parts: Parts) -> Iterator[tuple[str, int, bytes]]:
    """(change, type of the section that it is made to, file)."""
    for number, (kind, payload) in enumerate(parts):
        before, after = parts[:number], parts[number + 1 :]
        yield "dropped", kind, build([*before, *after])
        yield "doubled", kind, build([*before, parts[number], *parts[number:]])
        yield "emptied", kind, build([*before, (kind, b""), *after])
        yield "cut", kind, build([*before, (kind, payload[:-1]), *after])
        yield "longer", kind, build([*before, (kind, payload + b"\0"), *after])
        if after:
            yield "swapped", kind, build([*before, after[0], parts[number], *after[1:]])
        bodies = [section(*part) for part in parts]
        for claim in (max(0, len(payload) - 1), len(payload) + 1, 2**35 - 1):
            lying = section(kind, payload, write_varint(claim))
            yield f"length {claim}", kind, join([*bodies[:number], lying, *bodies[number + 1 :]])


def harmless(change: str, kind: int) -> bool:
    """Whether a file so changed is another sound file: it says something else, and that is all."""
    if kind == 0x90:  # whatever is there, and how often, is for a later version to say
        return change in {"dropped", "doubled", "emptied", "cut", "longer"}
    return change == "dropped" and kind in METADATA


@pytest.mark.parametrize("name", golden())
def test_sections_dropped_doubled_swapped_emptied_and_of_other_lengths(name: str) -> None:
    parts = split(golden()[name])
    assert build(parts) == golden()[name]
    for change, kind, data in changes(parts):
        if harmless(change, kind):
            picture = decode_picture(data, **OPTIONS)
            whole = decode_picture(golden()[name], **OPTIONS)
            assert (picture.color == whole.color).all()
        elif not (change == "swapped" and kind == LATENT and equal_tiles(data)):
            with pytest.raises(CnzError):
                decode_picture(data, **OPTIONS)


def equal_tiles(data: bytes) -> bool:
    """Whether tiles of one size changed places, which makes the file of another picture."""
    try:
        verify(data, find_model=decode.find_model)
    except CnzError:
        return False
    return True


def small_files() -> list[bytes]:
    """100 files of some hundred bytes: golden ones, and others with sections of all kinds."""
    rng = random.Random(1)
    files = [data for data in golden().values() if len(data) < 400]
    while len(files) < 100:
        kinds = [HEADER, *rng.sample([k for k in SectionType if k not in (HEADER, SectionType.END)], rng.randrange(5))]
        kinds += [LATENT] * rng.randrange(3) if LATENT in kinds else []
        files.append(pack(Section(kind, rng.randbytes(rng.randrange(40))) for kind in sorted(kinds)))
    return files


def refused(read: Callable[[bytes], object], data: bytes, error: type[CnzError]) -> bool:
    """Whether reading gives that error; pytest.raises takes longer than all else here."""
    try:
        read(data)
    except error:
        return True
    return False


def test_every_flipped_bit_of_100_files() -> None:
    files = small_files()
    assert len(files) == len(set(files)) == 100
    for data in files:
        unpack(data)
        for position in range(len(data)):
            head, byte, tail = data[:position], data[position], data[position + 1 :]
            for bit in range(8):
                assert refused(unpack, head + bytes([byte ^ 1 << bit]) + tail, CnzError), (data, position, bit)


def test_every_prefix_of_every_golden_file() -> None:
    for name, data in golden().items():
        for size in range(len(data)):
            assert refused(unpack, data[:size], TruncatedError), (name, size)
