"""What a stream cannot hold is refused before anything is made for it, and what it can hold never is."""

import numpy as np
import pytest

from cnnzip.entropy import CODERS, Codebook, Tables, coder
from cnnzip.errors import PayloadError

LIKELIEST = [1 / 2, 0.9, 0.999, 65535 / 65536]


@pytest.fixture(scope="module")
def certain():
    """Tables whose likeliest letter, the symbol 0, is the first of two, and the second of four."""
    shapes = [(p, at, rest) for p in LIKELIEST for at, rest in ((0, 1), (1, 3))]
    weights = [(-at, np.insert(np.full(rest, (1 - p) / rest), at, p)) for p, at, rest in shapes]
    return Codebook.build(Tables.from_weights(weights))


@pytest.mark.parametrize("name", CODERS)
@pytest.mark.parametrize("count", [1, 2, 100, 300_000])
@pytest.mark.parametrize("table", range(2 * len(LIKELIEST)))
def test_the_likeliest_symbols_alone_are_never_refused(name, count, table, certain):
    subject = coder(name, certain)
    symbols, indices = np.zeros(count, np.int32), np.full(count, table, np.uint8)
    data = subject.encode([(symbols, indices)])
    subject.expect(data, count)
    decoder = subject.decoder(data)
    assert not decoder.read(indices).any()
    decoder.finish()


@pytest.mark.parametrize("name", CODERS)
def test_few_bytes_hold_no_huge_picture(name, certain):
    subject = coder(name, certain)
    with pytest.raises(PayloadError, match=r"ends too early|does not end"):
        subject.expect(b"\xff" * 20, 11_000_000)
    for table, count in ((0, 200), (2, 10_000), (7, 11_000_000)):
        with pytest.raises(PayloadError, match=r"ends too early|does not end"):
            subject.decoder(b"\xff" * 20).read(np.full(count, table, np.uint8))


def test_letters_that_their_table_hardly_expects(certain):
    subject = coder("huffman", certain)
    symbols, indices = np.full(30_000, 1, np.int32), np.full(30_000, 7, np.uint8)
    decoder = subject.decoder(subject.encode([(symbols, indices)]))
    assert (decoder.read(indices) == symbols).all()
    decoder.finish()
