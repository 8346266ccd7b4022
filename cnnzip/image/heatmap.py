"""Drawing a heat map over a picture, with its scale, and small maps beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnzip.image.colormaps import BLUE_RED, INFERNO, colors
from cnnzip.image.geometry import luma
from cnnzip.image.orientation import orientation, turn
from cnnzip.image.picture import Picture, to_8_bit

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

# Pixels of the drawing.
SHORTEST, LONGEST = 640, 1600  # what the picture's longer side is scaled into
MARGIN, GAP = 28, 12
BAR, BAR_HEIGHT, TICK = 24, 240, 6
TITLE, TEXT, SMALL = 26, 17, 15
TILE_WIDTH, TILE_HEIGHT, MOST_COLUMNS = 176, 176, 6
LINE = 20

BACKGROUND, INK, FAINT = (255, 255, 255), (25, 25, 25), (95, 95, 95)
HEAT = 0.62
"""How much of a colour is the heat; the rest is the picture in gray."""
DARKEST = 70
"""Black of the picture below the heat, so that it shows where few bits went: there the heat is dark as well."""


@dataclass(frozen=True, eq=False)
class SmallMap:
    """Numbers (h, w), drawn from blue below 0 to red above, and the lines below them."""

    numbers: NDArray[np.float32]
    lines: tuple[str, ...]


def draw_heat_map(
    picture: Picture,
    heat: NDArray[np.float64],
    cell: int,
    top: float,
    *,
    title: str,
    subtitle: str,
    unit: str,
    footnote: str = "",
    maps: Sequence[SmallMap] = (),
    maps_title: str = "",
) -> Picture:
    """The gray `picture` under the colours of `heat`, both upright, with a scale.

    Args:
        picture: what lies below.
        heat: (⌈H/cell⌉, ⌈W/cell⌉) numbers from 0 on.
        cell: pixels of the picture a number, each way.
        top: where the scale ends; above 0.
        title: the first line.
        subtitle: the second.
        unit: what the scale counts.
        footnote: a line below the picture.
        maps: small maps to draw on the right.
        maps_title: the line above them.
    """
    from PIL import Image, ImageDraw

    way = orientation(picture.metadata)
    panel = Image.fromarray(turn(_overlay(picture, heat / top, cell), way))
    pictures = [Image.fromarray(turn(_small(each.numbers), way)) for each in maps]

    text = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    ticks = _ticks(top)
    left = MARGIN + panel.width + 2 * GAP
    bar_right = left + BAR + TICK + 4 + max(_width(text, label, SMALL) for _, label in ticks)
    body = MARGIN + TITLE + GAP + 2 * LINE + LINE
    bar_height = max(panel.height, BAR_HEIGHT)
    columns, rows = _grid([tile.height + _below(each) for tile, each in zip(pictures, maps, strict=True)], bar_height)
    tiles_left = max(bar_right, left + _width(text, unit, SMALL)) + 2 * MARGIN
    tiles_width = max(columns * (TILE_WIDTH + GAP) - GAP, _width(text, maps_title, SMALL)) if maps else 0
    right = tiles_left + tiles_width if maps else max(bar_right, left + _width(text, unit, SMALL))
    width = MARGIN + max(right, MARGIN + _width(text, title, TITLE), MARGIN + _width(text, subtitle, TEXT))
    height = body + max(bar_height, panel.height + GAP + LINE, sum(rows) + GAP * max(0, len(rows) - 1)) + MARGIN

    canvas = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(canvas)
    _write(draw, MARGIN, MARGIN, title, TITLE)
    _write(draw, MARGIN, MARGIN + TITLE + GAP, subtitle, TEXT, FAINT)
    canvas.paste(panel, (MARGIN, body))
    _write(draw, MARGIN, body + panel.height + GAP, footnote, SMALL, FAINT)
    _write(draw, left, body - LINE - 4, unit, SMALL)
    canvas.paste(_bar(bar_height), (left, body))
    for share, label in ticks:
        y = body + round((1 - share) * (bar_height - 1))
        draw.line([(left + BAR, y), (left + BAR + TICK, y)], INK)
        _write(draw, left + BAR + TICK + 4, y, label, SMALL, anchor="lm")

    _write(draw, tiles_left, body - LINE - 4, maps_title, SMALL)
    y = body
    for number, (tile, each) in enumerate(zip(pictures, maps, strict=True)):
        row, column = divmod(number, columns)
        y = body + sum(rows[:row]) + GAP * row
        x = tiles_left + column * (TILE_WIDTH + GAP)
        canvas.paste(tile, (x, y))
        for line, words in enumerate(each.lines):
            _write(draw, x, y + tile.height + 4 + LINE * line, words, SMALL, FAINT if line else INK)
    return Picture(np.asarray(canvas).copy())


def _overlay(picture: Picture, heat: NDArray[np.float64], cell: int) -> NDArray[np.uint8]:
    """The picture as stored, gray below the colours of `heat` 0 … 1, at the size that it is drawn with."""
    from PIL import Image

    longer = max(picture.width, picture.height)
    factor = min(max(longer, SHORTEST), LONGEST) / longer
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    gray = Image.fromarray(to_8_bit(luma(picture.color))[..., 0]).resize(size, Image.Resampling.LANCZOS)
    # The last cells reach beyond the picture.
    box = (0, 0, picture.width / cell, picture.height / cell)
    scaled = Image.fromarray(heat.astype(np.float32)).resize(size, Image.Resampling.NEAREST, box)
    return _blended(np.asarray(scaled), np.asarray(gray))


def _blended(heat: NDArray[np.floating], gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3): the colours of `heat` 0 … 1 over gray."""
    below = DARKEST + (1 - DARKEST / 255) * gray[..., None]
    mixed = HEAT * colors(heat, INFERNO) + (1 - HEAT) * below
    return np.rint(mixed).astype(np.uint8)


def _bar(height: int) -> "Image.Image":
    """The scale, 1 at its top, over middle gray."""
    from PIL import Image

    heat = np.repeat(np.linspace(1, 0, height)[:, None], BAR, axis=1)
    return Image.fromarray(_blended(heat, np.full(heat.shape, 128, np.uint8)))


def _small(numbers: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A small map, as stored, that fits into a tile."""
    from PIL import Image

    height, width = numbers.shape
    factor = min(TILE_WIDTH, TILE_HEIGHT) / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    limit = float(np.abs(numbers).max()) or 1.0
    image = Image.fromarray(np.rint(colors(0.5 + numbers / (2 * limit), BLUE_RED)).astype(np.uint8))
    return np.asarray(image.resize(size, Image.Resampling.NEAREST if factor >= 1 else Image.Resampling.BOX))


def _below(each: SmallMap) -> int:
    return 4 + LINE * len(each.lines)


def _grid(heights: list[int], wanted: int) -> tuple[int, list[int]]:
    """The fewest columns in which tiles of these heights are hardly higher than `wanted`, and each row's height."""
    most = min(MOST_COLUMNS, len(heights))
    for columns in range(1, most + 1):
        rows = [max(heights[first : first + columns]) for first in range(0, len(heights), columns)]
        if sum(rows) + GAP * (len(rows) - 1) <= 1.15 * wanted or columns == most:
            return columns, rows
    return 1, []


def _ticks(top: float) -> list[tuple[float, str]]:
    """Round numbers from 0 up to `top`, four to nine of them: where on the scale, and how they are written."""
    power = 10.0 ** math.floor(math.log10(top / 4))
    step = power * max(nice for nice in (1, 2, 2.5, 5) if nice * power <= top / 4 or nice == 1)
    digits = max(0, -math.floor(math.log10(step)) + (step / power == 2.5))
    return [(number * step / top, f"{number * step:.{digits}f}") for number in range(int(top / step * (1 + 1e-9)) + 1)]


def _width(draw: "ImageDraw.ImageDraw", words: str, size: int) -> int:
    from PIL import ImageFont

    return math.ceil(draw.textlength(words, ImageFont.load_default(size)))


def _write(
    draw: "ImageDraw.ImageDraw",
    x: int,
    y: int,
    words: str,
    size: int,
    fill: tuple[int, int, int] = INK,
    anchor: str = "la",
) -> None:
    from PIL import ImageFont

    draw.text((x, y), words, fill, ImageFont.load_default(size), anchor)
