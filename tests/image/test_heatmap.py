"""The drawing of a heat map: what lies where, at any size."""

import numpy as np
import pytest

from cnnzip.image import Metadata, Picture
from cnnzip.image.colormaps import BLUE_RED, INFERNO, colors
from cnnzip.image.heatmap import MARGIN, SmallMap, draw_heat_map

ORIENTATION_6 = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"


def draw(picture: Picture, heat: np.ndarray, top: float = 1.0, **more) -> np.ndarray:
    texts = {"title": "Title", "subtitle": "subtitle", "unit": "unit", **more}
    return draw_heat_map(picture, heat, 16, top, **texts).color.astype(int)


def panel(drawing: np.ndarray, width: int, height: int) -> np.ndarray:
    """The picture within the drawing: it stands at the left margin, the first rows of which that are not white."""
    column = drawing[:, MARGIN + 2]
    # The title and the line below it begin at the margin too; the picture is the longest stretch without white.
    dark = (column < 250).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], dark, [0]])))
    starts, stops = edges[::2], edges[1::2]
    top = starts[np.argmax(stops - starts)]
    return drawing[top : top + height, MARGIN : MARGIN + width]


def test_colour_maps_pass_their_anchors_and_hold_at_the_ends() -> None:
    for anchors in (INFERNO, BLUE_RED):
        numbers = np.linspace(0, 1, len(anchors))
        assert np.allclose(colors(numbers, anchors), anchors, atol=0.01)
        assert colors(np.array([-3.0, 7.0]), anchors).tolist() == [list(anchors[0]), list(anchors[-1])]
    brightness = colors(np.linspace(0, 1, 50), INFERNO) @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    assert (np.diff(brightness) > 0).all()


def test_heat_is_where_it_belongs() -> None:
    heat = np.zeros((40, 50))
    heat[10, 45] = 1
    black = Picture(np.zeros((640, 800, 3), np.uint8))
    found = panel(draw(black, heat), 800, 640).sum(axis=2)
    hot = found[160:176, 720:736]
    cold = np.delete(np.delete(found, slice(160, 176), 0), slice(720, 736), 1)
    assert hot.min() > cold.max() + 200
    assert (hot == hot[0, 0]).all()


def test_heat_beyond_the_scale_takes_its_last_colour() -> None:
    black = Picture(np.zeros((640, 640, 3), np.uint8))
    heat = np.full((40, 40), 2.0)
    heat[0, 0] = 99
    found = panel(draw(black, heat, top=2.0), 640, 640)
    assert (found == found[0, 0]).all()


def test_the_picture_shows_through() -> None:
    gray = np.repeat(np.linspace(0, 255, 640).astype(np.uint8)[None], 640, axis=0)
    picture = Picture(np.repeat(gray[..., None], 3, axis=2))
    found = panel(draw(picture, np.full((40, 40), 0.5)), 640, 640).sum(axis=2)
    assert found[5, -1] > found[5, 0] + 100
    assert (np.diff(found[5]) >= 0).all()


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (17, 33), (3000, 2), (2, 3000), (2000, 1500)])
def test_any_picture_is_drawn(width: int, height: int, depth: type) -> None:
    picture = Picture(np.zeros((height, width, 1), depth))
    heat = np.random.default_rng(0).random((-(-height // 16), -(-width // 16)))
    maps = [SmallMap((heat - 0.5).astype(np.float32), ("one", "two"))] * 3
    drawing = draw(picture, heat, maps=maps, maps_title="maps", footnote="note")
    longer = max(width, height)
    factor = min(max(longer, 640), 1600) / longer
    assert drawing.shape[0] >= max(1, round(height * factor)) + 100
    assert drawing.shape[1] >= max(1, round(width * factor)) + 100
    assert max(drawing.shape) < 3000


def test_heat_and_picture_stand_upright() -> None:
    """Orientation 6: the first row as stored is shown as the last column."""
    heat = np.zeros((40, 50))
    heat[0] = 1
    picture = Picture(np.zeros((640, 800, 3), np.uint8), metadata=Metadata(exif=ORIENTATION_6))
    found = panel(draw(picture, heat), 640, 800).sum(axis=2)
    assert found.shape == (800, 640)
    assert found[:, -16:].min() > found[:, :-16].max() + 200


def test_small_maps_diverge_around_zero() -> None:
    picture = Picture(np.zeros((640, 640, 3), np.uint8))
    numbers = np.array([[-4, 0], [2, 4]], np.float32)
    without = draw(picture, np.zeros((40, 40)))
    drawing = draw(picture, np.zeros((40, 40)), maps=[SmallMap(numbers, ("a",))], maps_title="maps")
    right = drawing[:, without.shape[1] :].reshape(-1, 3)
    for color in (BLUE_RED[0], BLUE_RED[3], BLUE_RED[6]):
        assert (right == color).all(axis=1).sum() > 1000
