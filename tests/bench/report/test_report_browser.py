"""The report as people open it: in headless Chromium, from a file."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnzip.bench.report import write_report
from cnnzip.bench.results import Results

api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install playwright")

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
WIDE = {"width": 1040, "height": 720}
NARROW = {"width": 360, "height": 740}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(measured: Results, folder: Path, tmp_path_factory: pytest.TempPathFactory, tiny_render: Any) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(measured, folder, path, tiny_render)
    return path


@pytest.fixture
def open_report(browser: Any, report: Path) -> Iterator[Any]:
    """Opens the report; at the end there was no error, no message and no request for anything else."""
    troubles: list[str] = []
    contexts = []

    def opened(viewport: dict[str, int], **options: Any) -> Any:
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.append(request.url) if _foreign(request.url, report) else None)
        page.goto(report.as_uri())
        page.wait_for_selector(".stage .over canvas")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def _foreign(url: str, report: Path) -> bool:
    return not url.startswith((report.as_uri(), "data:", "blob:"))


@pytest.fixture
def page(open_report: Any) -> Any:
    return open_report(WIDE, color_scheme="light")


def shown(page: Any) -> list[str]:
    """The codecs whose curves are drawn."""
    return sorted(page.eval_on_selector_all("#chart .curve", "all => all.map((one) => one.dataset.codec)"))


def pressed(page: Any, selector: str) -> list[str]:
    return page.locator(f'{selector}[aria-pressed="true"]').all_inner_texts()


def pixels(page: Any, layer: str) -> str:
    """The picture of a layer, as text that differs where pixels differ."""
    return page.eval_on_selector(f".{layer} canvas", "canvas => canvas.toDataURL()")


def slider(page: Any) -> int:
    return int(page.get_attribute(".stage", "aria-valuenow"))


def column(page: Any, table: str, index: int) -> list[str]:
    return page.locator(f'table[aria-label="{table}"] tbody tr > :nth-child({index + 1})').evaluate_all(
        "all => all.map((cell) => cell.dataset.value)"
    )


def test_curves_are_drawn_with_a_marker_for_each_point(page):
    assert shown(page) == ["cnnzip-tiny", "jpeg", "jpeg2000", "webp"]
    for curve in page.locator("#chart .curve").all():
        assert curve.locator(".marker").count() == 5
    assert page.get_attribute('.curve[data-codec="cnnzip-tiny"] path:not(.marker)', "stroke-width") == "3"


def test_another_metric_and_axis_give_other_curves_and_tables(page):
    line = ".curve[data-codec=jpeg] path:not(.marker)"
    before = page.get_attribute(line, "d")
    page.click('#curves [data-choose-metric="psnr_y"]')
    assert page.locator("#chart .title").first.text_content().startswith("PSNR of luma, dB")
    luma = page.get_attribute(line, "d")
    assert luma != before
    assert not page.is_visible('[data-metric="psnr_rgb"]')
    assert page.is_visible('[data-metric="psnr_y"]')
    assert pressed(page, "#each [data-choose-metric]") == ["PSNR of luma"]
    page.click('[data-axis="linear"]')
    assert page.get_attribute(line, "d") != luma


def test_the_legend_hides_and_isolates(page):
    page.click('#legend [data-codec="webp"] button >> nth=0')
    assert shown(page) == ["cnnzip-tiny", "jpeg", "jpeg2000"]
    page.click('#legend [data-codec="jpeg"] .only')
    assert shown(page) == ["jpeg"]
    assert page.get_attribute('#legend [data-codec="webp"] button >> nth=0', "aria-pressed") == "false"
    page.click('#legend [data-codec="jpeg"] .only')
    assert len(shown(page)) == 4
    page.click('#legend [data-codec="jpeg"] .only')
    page.click('#legend [data-codec="jpeg"] button >> nth=0')
    assert "No curve" in page.inner_text("#chart")


def test_hovering_shows_the_point(page, measured):
    page.locator("#chart").scroll_into_view_if_needed()
    box = page.locator('.curve[data-codec="webp"] .marker').last.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    quality, bpp, value = measured.curve("webp", "psnr_rgb")[-1]
    said = page.inner_text(".tip")
    assert "WebP" in said
    assert f"{value:.2f} dB" in said
    assert f"quality {quality:g}" in said
    assert float(re.search(r"([\d.]+) bpp", said)[1]) == pytest.approx(bpp, abs=0.001)
    page.mouse.move(5, 5)
    assert not page.is_visible(".tip")


def test_a_header_sorts_its_table_and_back(page):
    table = "Warm speed, median over pictures and qualities"
    header = page.locator(f'table[aria-label="{table}"] th >> nth=1')
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    numbers = [float(value) for value in column(page, table, 1)]
    assert numbers == sorted(numbers, reverse=True)
    header.locator("button").focus()
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert [float(value) for value in column(page, table, 1)] == sorted(numbers)


def test_what_is_missing_stays_last_and_names_are_sorted_as_text(page):
    table = "BD-rate against JPEG"
    page.locator(f'table[aria-label="{table}"] th button >> nth=0').click()
    names = column(page, table, 0)
    assert names == ["cnnzip tiny", "JPEG", "JPEG 2000", "WebP"]
    rates = page.locator(f'table[aria-label="{table}"] th button >> nth=1')
    for _ in range(2):
        rates.click()
        values = column(page, table, 1)
        assert values == [value for value in values if value] + [value for value in values if not value]


def test_the_slider_is_dragged_and_moved_by_keys(page):
    stage = page.locator(".stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert slider(page) == 50
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 3, steps=5)
    page.mouse.up()
    assert slider(page) == 25
    clip = page.eval_on_selector(".layer.over", "layer => getComputedStyle(layer).clipPath")
    assert float(re.search(r"([\d.]+)%", clip)[1]) == pytest.approx(75, abs=0.5)
    stage.focus()
    page.keyboard.press("ArrowRight")
    assert slider(page) == 27
    page.keyboard.press("Home")
    assert slider(page) == 0
    page.keyboard.press("ArrowLeft")
    assert slider(page) == 0


def test_any_two_versions_are_compared(page):
    assert (page.inner_text(".tag.left"), page.inner_text(".tag.right")) == ("JPEG", "cnnzip tiny")
    jpeg, cnnzip = pixels(page, "over"), pixels(page, "under")
    assert jpeg != cnnzip
    page.click('[aria-label="Original on the left"]')
    page.wait_for_function("document.querySelector('.tag.left').textContent === 'Original'")
    assert pixels(page, "over") not in (jpeg, cnnzip)
    # The one that is on the other side already changes places.
    page.click('[aria-label="cnnzip tiny on the left"]')
    page.wait_for_function("document.querySelector('.tag.right').textContent === 'Original'")
    assert pixels(page, "over") == cnnzip
    assert re.search(r"[\d,]+ B · [\d.]+ bpp · q \d+", page.inner_text('.choice[data-codec="webp"]'))


def test_pictures_are_chosen_from_the_strip(page):
    first = pixels(page, "over")
    page.click('[data-picture="2"]')
    page.wait_for_function("document.querySelector('.said').textContent.includes('crop-2.png')")
    assert pixels(page, "over") != first
    box = page.locator(".over canvas").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(96 / 160, rel=0.01)


def test_zoom_is_pixelated_and_pans(page):
    stage = page.locator(".stage")
    stage.scroll_into_view_if_needed()

    def look() -> tuple[dict[str, float], str]:
        canvas = page.locator(".over canvas")
        return canvas.bounding_box(), canvas.evaluate("canvas => getComputedStyle(canvas).imageRendering")

    page.click('[data-zoom="1"]')
    box, rendering = look()
    assert box["width"] == pytest.approx(192)
    assert rendering == "auto"
    stage.focus()
    page.mouse.move(*(stage.bounding_box()[side] + 60 for side in ("x", "y")))
    for zoom in (2, 4):
        page.mouse.wheel(0, -100)
        page.wait_for_function(f"""document.querySelector('[data-zoom="{zoom}"]').ariaPressed === 'true'""")
        page.wait_for_timeout(150)  # the wheel rests between steps
    before, rendering = look()
    assert before["width"] == pytest.approx(4 * 192)
    assert rendering == "pixelated"
    page.set_viewport_size(NARROW)
    stage.scroll_into_view_if_needed()
    before, _ = look()
    box = stage.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 10, box["y"] + 150)
    page.mouse.up()
    after, _ = look()
    assert after["x"] == pytest.approx(before["x"] - 20, abs=1)
    stage.press("0")
    assert pressed(page, "[data-zoom]") == ["Fit"]


def test_the_difference_map_is_eight_times_the_difference(page):
    page.click('[data-map="true"]')
    page.wait_for_selector(".map canvas")
    assert re.search(r"\|JPEG − cnnzip tiny\| × 8: at most \d+", page.inner_text(".said"))
    worst = page.evaluate("""() => {
      const [a, b, map] = ["over", "under", "map"].map((name) => {
        const canvas = document.querySelector(`.${name} canvas`);
        return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      });
      return Math.max(...map.map((value, i) =>
        i % 4 === 3 ? 0 : Math.abs(value - Math.min(255, 8 * Math.abs(a[i] - b[i])))));
    }""")
    assert worst == 0
    page.locator(".stage").press("d")
    page.wait_for_selector(".map", state="hidden")


def test_a_picture_is_shown_as_it_is(page, folder):
    """Lossless data comes to the screen without any change of colour."""
    from PIL import Image

    page.click('[aria-label="Original on the left"]')
    page.wait_for_function("document.querySelector('.tag.left').textContent === 'Original'")
    data = page.eval_on_selector(
        ".over canvas", "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )
    expected = Image.open(folder / "crop-0.png").convert("RGBA").tobytes()
    assert bytes(data) == expected


def test_the_theme_follows_the_system_until_it_is_chosen_and_is_remembered(open_report, report):
    def background(page: Any) -> str:
        return page.eval_on_selector("body", "body => getComputedStyle(body).backgroundColor")

    light = background(open_report(WIDE, color_scheme="light"))
    page = open_report(WIDE, color_scheme="dark")
    dark = background(page)
    assert dark != light
    page.click("#theme")
    assert background(page) == light
    page.reload()
    assert background(page) == light


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_window_holds_the_page(open_report, theme):
    page = open_report(NARROW, color_scheme=theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert page.locator("#chart svg").first.bounding_box()["width"] <= NARROW["width"]
    assert page.locator(".stage").bounding_box()["width"] <= NARROW["width"]


def test_nothing_from_outside_has_become_code(page):
    assert page.locator("marquee").count() == 0
    assert page.locator("img[src=x]").count() == 0
    assert "<marquee>bold</marquee>.png" in page.inner_text("#missing")
