"""What a file's tables cost."""

from dataclasses import replace

import numpy as np
import pytest

from cnnzip.codec.contents import read_contents
from cnnzip.codec.encode import Encoder
from cnnzip.codec.latent import CodedLatent
from cnnzip.codec.tally import Passes, describe_entropy
from cnnzip.container import pack, unpack
from cnnzip.errors import ModelNotFoundError, PayloadError


@pytest.fixture(params=["tiny", "photo_model"])
def model(request):
    """A model of each prior."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("coder", ["huffman", "rans"])
def test_the_passes_are_those_of_the_encoder(coder, model, photo):
    encoder = Encoder(photo, model, model.runtime(threads=1), coder)
    contents = read_contents(encoder.at(6000))
    passes = Passes()
    values = CodedLatent(contents, model, passes.overhear).values(threads=1)
    sent = model.prior.encode(encoder.latent, 6000, encoder.runtime.hyper_analysis)
    for (symbols, indices), (sent_symbols, sent_indices) in zip(passes.heard, sent, strict=True):
        assert np.array_equal(symbols, sent_symbols)
        assert np.array_equal(indices, sent_indices)
    assert np.array_equal(values, CodedLatent(contents, model).values())


def test_the_huffman_bits_are_the_latent_section(installed_tiny, tiny, photo):
    data = Encoder(photo, tiny, tiny.runtime(threads=1)).at(6000)
    report = describe_entropy(data)
    contents = read_contents(data)
    assert report.latent_bytes == len(contents.latents[0])
    assert -(-report.tally.huffman // 8) == report.latent_bytes
    assert report.tally.symbols == int(np.prod(tiny.latent_shape(photo.width, photo.height)))


def test_rans_is_told_beside_what_huffman_would_take(installed_tiny, tiny, photo):
    runtime = tiny.runtime(threads=1)
    huffman, rans = (describe_entropy(Encoder(photo, tiny, runtime, coder).at(6000)) for coder in ("huffman", "rans"))
    assert rans.tally == huffman.tally
    assert rans.latent_bytes < huffman.latent_bytes
    assert "this file, rANS, whole bytes" in str(rans)
    assert rans.tally.ideal <= 8 * rans.latent_bytes < rans.tally.ideal + 64


def test_the_text_marks_the_choice_and_says_why(installed_tiny, tiny, photo):
    report = describe_entropy(Encoder(photo, tiny, tiny.runtime(threads=1)).at(6000))
    lines = str(report).splitlines()
    rows = lines[2 : 2 + len(report.tally.tables)]
    for row, use in zip(rows, report.tally.tables, strict=True):
        assert f"{use.chosen.bits:,}*" in row
        assert f"{use.chosen.name} {use.chosen.expected:.4f}" in row
        assert row.count("*") == 1
        for other in use.others:
            assert f" < {other.name} {other.expected:.4f}" in row
            assert f" {other.bits:,} " in row


def test_a_file_whose_model_is_missing(tiny, photo, installed_tiny, monkeypatch, tmp_path):
    data = Encoder(photo, tiny, tiny.runtime(threads=1)).at(6000)
    monkeypatch.setenv("CNNZIP_MODELS", str(tmp_path))
    with pytest.raises(ModelNotFoundError):
        describe_entropy(data)


def test_a_latent_that_ends_too_early(installed_tiny, tiny, photo):
    head, latent = unpack(Encoder(photo, tiny, tiny.runtime(threads=1)).at(6000))
    with pytest.raises(PayloadError):
        describe_entropy(pack([head, replace(latent, payload=latent.payload[:-2])]))
