"""The one scale of quality: 0 … 100 for people, hundredths of it in files, levels of gain inside a model."""

QUALITY_UNITS = 100
"""A file names its quality in hundredths, so that encoder and decoder mean exactly the same number."""

MAX_QUALITY = 100 * QUALITY_UNITS


def to_units(quality: float) -> int:
    """Quality 0 … 100 as hundredths.

    Raises:
        ValueError: it lies outside.
    """
    if not 0 <= quality <= 100:  # NaN lies outside too
        raise ValueError(f"quality must lie in 0 … 100, not {quality}")
    return round(quality * QUALITY_UNITS)


def level_of(units: int, levels: int) -> tuple[int, float]:
    """The level below a quality in hundredths, at most levels − 2, and how far it is to the next, 0 … 1."""
    position, rest = divmod(units * (levels - 1), MAX_QUALITY)
    if position == levels - 1:
        return levels - 2, 1.0
    return position, rest / MAX_QUALITY


def nearest_row(units: int, rows: int) -> int:
    """Which of `rows` equally spaced qualities is nearest, in exact integers: the tables hang on it."""
    return (2 * units * (rows - 1) + MAX_QUALITY) // (2 * MAX_QUALITY)
