"""What holds for every coder."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnzip.entropy import CODERS, Codebook, coder, coder_name
from cnnzip.errors import HeaderError, PayloadError

SYMBOLS = st.one_of(st.just(0), st.integers(-3, 3), st.integers(-200, 200), st.integers(-1048575, 1048575))


@st.composite
def one_pass(draw):
    indices = draw(st.lists(st.integers(0, 8), max_size=40))
    # Long stretches of zeros, so that runs and blocks go to their limits.
    zeros, table = draw(st.integers(0, 3000)), draw(st.integers(0, 8))
    symbols = draw(st.lists(SYMBOLS, min_size=len(indices), max_size=len(indices)))
    return (
        np.array(symbols + [0] * zeros + symbols, np.int32),
        np.array(indices + [table] * zeros + indices, np.uint8),
    )


@pytest.fixture(params=CODERS)
def subject(request, codebook):
    return coder(request.param, codebook)


def decode(subject, data, passes):
    decoder = subject.decoder(data)
    symbols = [decoder.read(indices) for _, indices in passes]
    decoder.finish()
    return symbols


@pytest.mark.parametrize("name", CODERS)
@given(passes=st.lists(one_pass(), max_size=3))
@settings(max_examples=60, deadline=None)
def test_round_trip(codebook, name, passes):
    subject = coder(name, codebook)
    decoded = decode(subject, subject.encode(passes), passes)
    for symbols, (original, _) in zip(decoded, passes, strict=True):
        assert symbols.dtype == np.int32
        assert symbols.tolist() == original.tolist()


@pytest.mark.parametrize("name", CODERS)
@given(data=st.binary(max_size=400), indices=st.lists(st.integers(0, 8), max_size=2000), repeat=st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_any_bytes_give_symbols_or_a_payload_error(codebook, name, data, indices, repeat):
    indices = np.array(indices * repeat, np.uint8)
    subject = coder(name, codebook)
    try:
        decoder = subject.decoder(data)
        symbols = decoder.read(indices)
        decoder.finish()
    except PayloadError:
        return
    # What is accepted has one meaning and one form.
    assert subject.encode([(symbols, indices)]) == data


@pytest.mark.parametrize("name", CODERS)
@given(passes=st.lists(one_pass(), min_size=1, max_size=2), where=st.integers(0, 10**9))
@settings(max_examples=100, deadline=None)
def test_a_flipped_bit_gives_a_payload_error_or_other_symbols(codebook, name, passes, where):
    subject = coder(name, codebook)
    data = bytearray(subject.encode(passes))
    if not data:
        return
    data[where // 8 % len(data)] ^= 1 << where % 8
    try:
        decoded = decode(subject, bytes(data), passes)
    except PayloadError:
        return
    again = [(symbols, indices) for symbols, (_, indices) in zip(decoded, passes, strict=True)]
    assert subject.encode(again) == bytes(data)


@given(passes=st.lists(one_pass(), min_size=1, max_size=2))
@settings(max_examples=40, deadline=None)
def test_every_truncation_of_a_huffman_stream_is_noticed(codebook, passes):
    subject = coder("huffman", codebook)
    data = subject.encode(passes)
    for end in {*range(min(len(data), 20)), *range(max(len(data) - 20, 0), len(data))}:
        with pytest.raises(PayloadError, match="ends too early"):
            decode(subject, data[:end], passes)


def test_truncations_of_a_longer_rans_stream_are_noticed(codebook):
    subject = coder("rans", codebook)
    passes = [(np.arange(-50, 50, dtype=np.int32), np.full(100, 5, np.uint8))]
    data = subject.encode(passes)
    for end in range(len(data)):
        with pytest.raises(PayloadError, match=r"does not end|zero byte|escaped symbol"):
            decode(subject, data[:end], passes)


@pytest.mark.parametrize(
    ("symbols", "indices", "message"),
    [
        (np.array([1 << 20], np.int32), np.zeros(1, np.uint8), "within ±1048575"),
        (np.array([-(1 << 20)], np.int32), np.zeros(1, np.uint8), "within ±1048575"),
        (np.array([-(1 << 31)], np.int32), np.zeros(1, np.uint8), "within ±1048575"),
        (np.zeros(1, np.int32), np.full(1, 9, np.uint8), "table index 9, but there are 9 tables"),
        (np.zeros(2, np.int32), np.zeros(1, np.uint8), "as many as table indices"),
        (np.zeros(1, np.float32), np.zeros(1, np.uint8), "flat array of integers"),
        (np.zeros((1, 1), np.int32), np.zeros((1, 1), np.uint8), "flat array of uint8"),
        (np.zeros(1, np.int32), np.zeros(1, np.int64), "flat array of uint8"),
    ],
)
def test_encode_rejects(subject, symbols, indices, message):
    with pytest.raises(ValueError, match=message):
        subject.encode([(symbols, indices)])


def test_read_rejects_an_index_of_no_table(subject):
    with pytest.raises(ValueError, match="table index 255, but there are 9 tables"):
        subject.decoder(b"").read(np.full(3, 255, np.uint8))


def test_streams_without_symbols_are_empty(subject):
    empty = np.zeros(0, np.int32), np.zeros(0, np.uint8)
    for passes in ([], [empty], [empty, empty]):
        data = subject.encode(passes)
        assert data == {"huffman": b"", "rans": b"\0\0\0\1"}[subject.name]
        assert [symbols.tolist() for symbols in decode(subject, data, passes)] == [[]] * len(passes)


def test_coders_by_name_and_number(codebook):
    assert [coder_name(number) for number in range(2)] == ["huffman", "rans"]
    assert [coder(name, codebook).name for name in CODERS] == ["huffman", "rans"]
    for number in (-1, 2):
        with pytest.raises(HeaderError, match=f"unknown coder {number}"):
            coder_name(number)
    with pytest.raises(ValueError, match="coders are huffman and rans, not lzw"):
        coder("lzw", codebook)


def test_coding_with_stored_arrays_needs_no_dahuffman(tables, codebook, monkeypatch):
    monkeypatch.setitem(sys.modules, "dahuffman", None)
    subject = coder("huffman", Codebook.from_arrays(codebook.to_arrays(), tables))
    passes = [(np.array([0, 3, -1], np.int32), np.array([1, 4, 4], np.uint8))]
    assert decode(subject, subject.encode(passes), passes)[0].tolist() == [0, 3, -1]


def test_import_is_light():
    script = "import sys, cnnzip.entropy;assert not {'dahuffman', 'constriction', 'torch', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
