"""What is its own in the report of denoisers, in headless Chromium; tests/bench/report has the rest of the page."""

import re
import shutil

import pytest

from cnnzip.bench.denoising.classical import Gaussian, Noisy
from cnnzip.bench.denoising.report import write_report
from cnnzip.bench.denoising.run import carry_out
from cnnzip.bench.denoising.summary import summarise

api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install playwright")

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: apt-get install chromium")


def test_curves_run_over_sigma_and_the_viewer_shows_every_denoiser(request_for, folder, tmp_path):
    results = carry_out(request_for(limit=1))
    path = tmp_path / "report.html"
    write_report(results, summarise(results), folder, path, [Noisy(), Gaussian()])
    troubles = []
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1040, "height": 720})
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_selector(".stage .over canvas")
        assert page.locator("#chart .curve").count() == 2
        assert page.locator("#chart .title").last.text_content() == "σ of the noise"
        page.locator("#chart").scroll_into_view_if_needed()
        box = page.locator('.curve[data-codec="gaussian"] .marker').last.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        assert page.locator(".tip span").all_inner_texts()[1] == "25 of 255"
        assert (page.inner_text(".tag.left"), page.inner_text(".tag.right")) == ("Noisy input", "Gaussian filter")
        assert "before the noise" in page.inner_text('.choice[data-codec=""]')
        gain = page.inner_text('.choice[data-codec="gaussian"] .what small')
        assert re.fullmatch(r"\+\d\.\d dB", gain)
        page.click('#curves [data-choose-metric="ssim-unclipped"]')
        assert page.is_visible('#means [data-metric="ssim-unclipped"]')
        assert not page.is_visible('#means [data-metric="psnr_rgb-8-bit"]')
        browser.close()
    assert troubles == []
