import shutil

import numpy as np
import pytest

from cnnzip.bench import entropy
from cnnzip.entropy import HuffmanCoder


def test_the_report_prints_every_way_of_coding(tiny, photo_file, tmp_path, capsys):
    shutil.copy(photo_file, tmp_path)
    entropy.report(tiny, tmp_path, [0, 20])
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines]
    ours = [float(row[1]) for row in rows if row[:1] == ["huffman"]]
    plain = [float(row[2]) for row in rows if row[:2] == ["plain", "huffman"]]
    ideal = [float(row[1]) for row in rows if row[:1] == ["entropy"]]
    assert len(ours) == len(plain) == len(ideal) == 2
    # On one small picture chance moves the rate by some per cent either way; plain Huffman is far off at low rates.
    assert ours == pytest.approx(ideal, rel=0.15)
    assert all(p > 1.2 * o for o, p in zip(ours, plain, strict=True))


def test_a_coder_that_decodes_other_symbols_is_found_out(tiny):
    class Forgetful(HuffmanCoder):
        def encode(self, passes):
            return super().encode([(np.zeros_like(symbols), indices) for symbols, indices in passes])

    coder = Forgetful(tiny.codebook)
    passes = [(np.ones(8, np.int32), np.zeros(8, np.uint8))]
    with pytest.raises(RuntimeError, match="other symbols"):
        entropy.measure(coder, [passes])
