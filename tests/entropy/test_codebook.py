import numpy as np
import pytest

from cnnzip.entropy import Codebook, Tables
from cnnzip.errors import BadModelError


def test_the_chosen_layout_is_never_worse_than_another(tables, codebook):
    for names in (("symbol",), ("block",), ("run",), ("symbol", "block")):
        if names != ("symbol",) and "symbol" not in names:
            covering = Tables.from_weights([(int(tables.low[t]), tables.of(t).astype(float)) for t in (0, 1, 2, 3, 8)])
            chosen, other = Codebook.build(covering), Codebook.build(covering, names)
        else:
            chosen, other = codebook, Codebook.build(tables, names)
        for best, report in zip(chosen.describe(), other.describe(), strict=True):
            assert report.layout in names
            assert best.entropy <= best.bits <= report.bits


def test_concentrated_tables_run_and_broad_ones_do_not_pay_for_it(codebook):
    reports = codebook.describe()
    assert reports[0].layout == "run"
    assert all(report.bits < 1.015 * report.entropy for report in reports[1:6])
    assert all(report.longest <= 16 for report in reports)


def test_tables_without_zero_take_one_word_a_symbol(codebook):
    assert [codebook.describe()[t].layout for t in (6, 7)] == ["symbol", "symbol"]


def test_build_is_deterministic(tables, codebook):
    again = Codebook.build(tables).to_arrays()
    for name, array in codebook.to_arrays().items():
        assert (again[name] == array).all()


def test_build_keeps_codes_within_16_bits():
    # Halving weights ask for a code of 39 bits.
    tables = Tables.from_weights([(0, 0.5 ** np.arange(40))])
    report = Codebook.build(tables, ("symbol",)).describe()[0]
    assert report.longest <= 16
    assert report.bits == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize("names", [(), ("symbol", "pairs")])
def test_build_rejects_unknown_layouts(tables, names):
    with pytest.raises(ValueError, match="layouts are symbol, block, run"):
        Codebook.build(tables, names)


TABLES = Tables.from_weights([(0, np.array([2.0, 1.0, 1.0])), (5, np.array([1.0, 1.0]))])


def arrays(layouts=(0, 0), parameters=(1, 1), lengths=(1, 2, 2, 1, 1)):
    return {
        "huffman.layouts": np.array(layouts, np.uint8),
        "huffman.parameters": np.array(parameters, np.int32),
        "huffman.lengths": np.array(lengths, np.uint8),
    }


def test_arrays_round_trip(tables, codebook):
    again = Codebook.from_arrays(codebook.to_arrays(), tables)
    assert again.describe() == codebook.describe()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"layouts": (0,)}, "for 1 tables, the model has 2"),
        ({"parameters": (1,)}, "the model has 2"),
        ({"layouts": (3, 0)}, "unknown layout 3"),
        ({"parameters": (2, 1)}, "layout symbol does not take the parameter 2"),
        ({"layouts": (1, 0)}, "layout block does not take the parameter 1"),
        ({"layouts": (2, 0), "parameters": (0, 1)}, "layout run does not take the parameter 0"),
        ({"layouts": (2, 0), "parameters": (-1, 1)}, "layout run does not take the parameter -1"),
        ({"layouts": (0, 2), "parameters": (1, 1)}, "layout run does not take the parameter 1"),
        ({"layouts": (1, 0), "parameters": (8, 1)}, "more than 4096 words"),
        ({"layouts": (1, 0), "parameters": (4096, 1)}, "more than 4096 words"),
        ({"layouts": (2, 0), "parameters": (2048, 1)}, "more than 4096 words"),
        ({"layouts": (1, 0), "parameters": (2**31 - 1, 1)}, "does not take"),
        ({"lengths": (1, 2, 2, 1)}, "4 code lengths, its layouts 5"),
        ({"lengths": (1, 2, 0, 1, 1)}, "1 to 16 bits"),
        ({"lengths": (1, 2, 17, 1, 1)}, "1 to 16 bits"),
        ({"lengths": (1, 2, 3, 1, 1)}, "complete prefix code"),
        ({"lengths": (1, 1, 2, 1, 1)}, "complete prefix code"),
    ],
)
def test_from_arrays_rejects_bad_values(bad, message):
    with pytest.raises(BadModelError, match=message):
        Codebook.from_arrays(arrays(**bad), TABLES)


@pytest.mark.parametrize("name", ["huffman.layouts", "huffman.parameters", "huffman.lengths"])
def test_from_arrays_rejects_missing_and_mistyped_arrays(name):
    good = arrays()
    assert Codebook.from_arrays(good, TABLES).describe()[0].words == 3
    with pytest.raises(BadModelError, match=f"no array {name}"):
        Codebook.from_arrays({key: value for key, value in good.items() if key != name}, TABLES)
    with pytest.raises(BadModelError, match=f"{name} must be a flat array"):
        Codebook.from_arrays(good | {name: good[name].astype(np.int64)}, TABLES)
