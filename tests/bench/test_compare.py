import pytest

from cnnzip.bench.compare import as_json, compare, table
from cnnzip.errors import BenchError

from .conftest import curves

JPEG = [(0.1 * 1.5**q, 25.0 + 2 * q) for q in range(8)]


def scaled(factor: float) -> list[tuple[float, float]]:
    return [(bpp * factor, psnr) for bpp, psnr in JPEG]


@pytest.mark.parametrize(("factor", "worse"), [(1.0, False), (0.8, False), (1.005, False), (1.05, True)])
def test_worse_is_more_rate_than_the_tolerance_allows(factor, worse):
    (change,) = compare(curves(jpeg=JPEG), curves(jpeg=scaled(factor)), tolerance=2)
    assert change.delta.bd_rate == pytest.approx(100 * (factor - 1), abs=0.5)
    assert change.worse is worse


def test_each_codec_is_judged_by_itself():
    before = curves(jpeg=JPEG, webp=JPEG, gone=JPEG)
    after = curves(new=JPEG, jpeg=JPEG, webp=scaled(2))
    changes = compare(before, after, tolerance=1)
    assert [(change.delta.codec, change.worse) for change in changes] == [("jpeg", False), ("webp", True)]
    assert as_json(changes, 1)["worse"] is True
    assert table(changes, after, 1).row_count == 2


def test_nothing_in_common_is_an_error():
    with pytest.raises(BenchError, match="in common"):
        compare(curves(jpeg=JPEG), curves(webp=JPEG), tolerance=1)
    high = [(bpp, psnr + 50) for bpp, psnr in JPEG]
    with pytest.raises(BenchError, match="in common"):
        compare(curves(jpeg=JPEG), curves(jpeg=high), tolerance=1)
