import sys

import pytest

from cnnzip.bench.start import median_ms


def test_a_command_that_fails_is_not_timed():
    assert median_ms([sys.executable, "-c", "pass"], runs=1) > 0
    with pytest.raises(RuntimeError, match="boom"):
        median_ms([sys.executable, "-c", "raise SystemExit('boom')"], runs=1)
