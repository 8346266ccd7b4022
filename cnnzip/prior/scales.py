"""The scales of the hyperprior: an index 0 … 63 for each symbol names its table."""

LAST_SCALE = 63
"""64 tables cost 0.05 to 0.2 % over the ideal density (DESIGN, section 6)."""

SMALLEST_LOG2 = -3.25
"""log2 of the scale of table 0, 0.105: a symbol other than zero is one in a million there."""

STEP_LOG2 = 0.16
"""log2 of the ratio of a scale to the one before: the last is 114."""

HYPER_STRIDE = 4
"""Latent positions a hyper-latent position, each way."""

CONTEXT_LIMIT = 64.0
"""What the context network sees of a symbol: beyond, more would tell nothing."""


def log2_scale(index: float) -> float:
    """log2 of the standard deviation that belongs to a table's index."""
    return index * STEP_LOG2 + SMALLEST_LOG2
