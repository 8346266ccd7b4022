import base64
import hashlib
import io
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from cnnzip.bench.report import write_report
from cnnzip.bench.report.images import Crop, gallery, native_type
from cnnzip.bench.report.matches import exhibits, match_pictures
from cnnzip.bench.report.page import bundle, json_block
from cnnzip.bench.report.palette import for_scripts, in_order
from cnnzip.bench.results import Measurement
from cnnzip.errors import BenchError, FileError


class Page(HTMLParser):
    """What a page holds: elements with their attributes, and the text of scripts, styles and everything else."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.style = self.text = ""
        self._in: str | None = None
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._in = tag
            if tag == "script":
                self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag):
        if tag == self._in:
            self._in = None

    def handle_data(self, data):
        if self._in == "script":
            attributes, before = self.scripts[-1]
            self.scripts[-1] = (attributes, before + data)
        elif self._in == "style":
            self.style += data
        else:
            self.text += data

    def data(self):
        return json.loads(next(source for attributes, source in self.scripts if attributes.get("id") == "data"))

    def blobs(self):
        return {
            str(attributes["id"]).removeprefix("blob-"): base64.b64decode(source)
            for attributes, source in self.scripts
            if attributes.get("type") == "application/base64"
        }

    def policy(self):
        return next(a["content"] for tag, a in self.elements if a.get("http-equiv") == "Content-Security-Policy")


@pytest.fixture
def page(measured, folder, tiny_render, tmp_path):
    write_report(measured, folder, tmp_path / "report.html", tiny_render)
    return Page((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_the_page_needs_nothing_but_itself(page):
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        assert "style" not in attributes, "the policy forbids it"
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset", "action", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:image/webp;base64,"))
    assert "url(" not in page.style
    assert "@import" not in page.style
    script = next(source for attributes, source in page.scripts if attributes.get("type") == "module")
    assert "import " not in re.sub(r"//.*|/\*.*?\*/", "", script)


def test_the_policy_allows_no_network_and_only_our_own_code(page):
    rules = dict(rule.strip().split(" ", 1) for rule in page.policy().split(";"))
    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules
    assert rules["img-src"] == "data:"
    code = [source for attributes, source in page.scripts if attributes.get("type") in (None, "module")]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in code}
    assert set(rules["script-src"].split()) == hashes
    assert len(hashes) == 2


def test_names_and_messages_from_outside_stay_text(page):
    assert "marquee" not in {tag for tag, _ in page.elements}
    assert "<marquee>bold</marquee>.png" in page.text
    assert not any(attributes.get("src") == "x" for _, attributes in page.elements)
    assert "</script><script>alert(1)</script>" in page.text
    assert 'cnnzip bench "<img src=x onerror=alert(1)>"' in page.text
    assert not any("alert" in source for _, source in page.scripts)


def test_json_in_a_script_element_cannot_end_it():
    hostile = {"name": "</script><!--<script>&\u2028'\""}
    block = json_block(hostile)
    assert not set("<>&") & set(block)
    assert json.loads(block) == hostile


def test_the_headline_compares_cnnzip_with_the_baseline(page):
    assert re.search(r"At equal PSNR, cnnzip tiny takes [\d.]+\u00a0% (fewer|more) bytes than JPEG\.", page.text)
    assert "against WebP" in page.text
    assert "against JPEG 2000" in page.text

    assert "21 November 2026" in page.text


def test_every_section_is_there(page):
    found = {attributes.get("id") for tag, attributes in page.elements if tag == "section"}
    assert found >= {"curves", "pictures", "rates", "speed", "each", "missing", "method"}
    assert "pillow-jxl-plugin is not installed" in page.text
    assert "cjpeg 2.1" in page.text


def test_sections_without_content_are_left_out(measured, folder, tiny_render, tmp_path):
    bare = replace(measured, failures=[], skipped={}, cold=[])
    write_report(bare, folder, tmp_path / "report.html", tiny_render)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "missing" not in {attributes.get("id") for tag, attributes in page.elements if tag == "section"}
    assert "Cold" not in page.text


def test_tables_say_what_they_are_sorted_by(page):
    headers = [attributes for tag, attributes in page.elements if tag == "th" and attributes.get("scope") == "col"]
    assert headers
    assert all(attributes["data-first"] in ("ascending", "descending") for attributes in headers)
    cells = [attributes for tag, attributes in page.elements if tag == "td"]
    assert all("data-value" in attributes for attributes in cells)


def test_curves_are_those_of_the_results(page, measured):
    curves = page.data()["curves"]["psnr_rgb"]
    assert set(curves) == {"jpeg", "webp", "jpeg2000", "cnnzip-tiny"}
    assert curves["webp"] == [list(point) for point in measured.curve("webp", "psnr_rgb")]


def test_what_browsers_cannot_decode_is_embedded_without_loss(page, folder, tiny_render):
    blobs = page.blobs()
    for picture in page.data()["pictures"]:
        path = folder / picture["name"]
        original = Image.open(io.BytesIO(blobs[picture["original"]["blob"]])).convert("RGB")
        assert np.array_equal(original, Image.open(path).convert("RGB"))
        for version in picture["versions"]:
            size, quality = re.fullmatch(r"([\d,]+) B · [\d.]+ bpp · q ([\d.]+)", version["details"]).groups()
            coded, decoded = tiny_render(version["codec"], path, float(quality))
            embedded = blobs[version["blob"]]
            if version["codec"] in ("jpeg", "webp"):
                assert embedded == coded
                assert int(size.replace(",", "")) == len(coded)
                assert version["type"] == f"image/{version['codec']}"
            else:
                assert version["type"] == "image/webp"
                assert np.array_equal(Image.open(io.BytesIO(embedded)).convert("RGB"), decoded)


def test_the_first_pair_is_the_baseline_and_cnnzip(page):
    assert page.data()["start"] == {"left": "jpeg", "right": "cnnzip-tiny"}


def test_a_version_that_cannot_be_rendered_is_named_and_the_rest_is_shown(measured, folder, tiny_render, tmp_path):
    def fails(codec, path, quality):
        if codec == "webp":
            raise BenchError("the encoder wrote rubbish")
        if path.name == "crop-1.png" and codec == "jpeg":
            raise KeyError
        data, decoded = tiny_render(codec, path, quality)
        return data, decoded[:-1] if codec == "jpeg2000" else decoded

    write_report(measured, folder, tmp_path / "report.html", fails)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert {v["codec"] for picture in page.data()["pictures"] for v in picture["versions"]} == {"jpeg", "cnnzip-tiny"}
    assert "webp of crop-0.png: the encoder wrote rubbish" in page.text
    assert "jpeg2000 of crop-0.png: decoded to another size" in page.text
    assert "jpeg of crop-1.png: KeyError" in page.text


def test_a_picture_that_is_gone_is_named(measured, folder, tiny_render, tmp_path):
    for name in ("crop-0.png", "crop-2.png"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    write_report(measured, tmp_path, tmp_path / "report.html", tiny_render)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert [picture["name"] for picture in page.data()["pictures"]] == ["crop-0.png", "crop-2.png"]
    assert "crop-1.png: " in page.text.split("Not in the viewer")[1]


def test_a_lossless_codec_has_infinite_psnr(measured, folder, tiny_render, tmp_path):
    exact = [
        replace(m, metrics=dict.fromkeys(m.metrics, math.inf)) if m.codec == "webp" else m
        for m in measured.measurements
    ]
    write_report(replace(measured, measurements=exact), folder, tmp_path / "report.html", tiny_render)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    webp = next(v for v in page.data()["pictures"][0]["versions"] if v["codec"] == "webp")
    assert webp["metrics"] == {"psnr_rgb": None, "psnr_y": None}
    assert page.data()["curves"]["psnr_rgb"]["webp"] == []
    assert "∞" in page.text


def test_without_cnnzip_there_is_a_page_that_says_so(measured, folder, tiny_render, tmp_path):
    others = [codec for codec in measured.codecs if codec.name != "cnnzip-tiny"]
    rest = [m for m in measured.measurements if m.codec != "cnnzip-tiny"]
    write_report(replace(measured, codecs=others, measurements=rest), folder, tmp_path / "report.html", tiny_render)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "3 codecs, side by side." in page.text
    assert page.data()["start"] == {"left": "", "right": "jpeg"}


def test_without_the_baseline_there_is_a_page_that_says_so(measured, folder, tiny_render, tmp_path):
    write_report(replace(measured, baseline="jxl"), folder, tmp_path / "report.html", tiny_render)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "The baseline, jxl, was not measured." in page.text
    assert page.data()["start"] == {"left": "", "right": "cnnzip-tiny"}
    assert "PSNR at equal size" in page.text


def test_without_a_single_measurement_there_is_still_a_page(measured, folder, tiny_render, tmp_path):
    write_report(replace(measured, measurements=[]), folder, tmp_path / "report.html", tiny_render)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "Nothing was measured." in page.text
    assert "pillow-jxl-plugin is not installed" in page.text


def test_the_report_is_replaced_whole_or_not_at_all(measured, folder, tiny_render, tmp_path):
    report = tmp_path / "report.html"
    report.write_text("an older one")
    write_report(replace(measured, measurements=[]), folder, report, tiny_render)
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert list(tmp_path.iterdir()) == [report]
    with pytest.raises(FileError, match="does not exist"):
        write_report(replace(measured, measurements=[]), folder, tmp_path / "none" / "report.html", tiny_render)


def sweep(codec: str, sizes: dict[float, int]) -> list[Measurement]:
    return [Measurement(codec, "a.png", q, size, 100, 100, 0.1, 0.1, {"psnr_rgb": 30.0}) for q, size in sizes.items()]


def test_versions_are_the_measured_files_nearest_in_size(measured):
    ours = sweep("cnnzip-tiny", {10: 200, 50: 1000, 60: 1400, 95: 1400})
    jpeg = sweep("jpeg", {20: 300, 50: 1390, 80: 4000})
    webp = sweep("webp", {20: 310, 50: 1500})
    results = replace(measured, measurements=[*jpeg, *webp, *ours])
    (match,) = match_pictures(results, in_order(results))
    assert match.target is ours[2], "of the middle qualities the one that all others come nearest to"
    assert {m.codec: m.bytes for m in match.versions} == {"cnnzip-tiny": 1400, "jpeg": 1390, "webp": 1500}


def test_without_cnnzip_the_size_is_one_of_the_baseline_at_a_middle_rate(measured):
    jpeg = sweep("jpeg", {20: 200, 50: 700, 95: 4000})
    webp = sweep("webp", {20: 200, 50: 800, 95: 4000})
    results = replace(measured, measurements=[*webp, *jpeg])
    (match,) = match_pictures(results, in_order(results))
    assert match.target is jpeg[1], "the others match better, at 0.16 and 3.2 bpp"


def test_a_small_budget_gives_crops_and_a_smaller_one_fewer_pictures(measured, folder, tiny_render, monkeypatch):
    monkeypatch.setattr("cnnzip.bench.report.images.LEAST_PIXELS", 32 * 32)
    matches = match_pictures(measured, in_order(measured))
    shown = exhibits(matches, folder, tiny_render)
    whole = gallery(shown)
    size = sum(map(len, whole.blobs.values()))
    assert not any(picture["note"] for picture in whole.pictures)

    cropped = gallery(shown, size // 2)
    assert len(cropped.pictures) == 3
    assert sum(map(len, cropped.blobs.values())) < 0.75 * size
    first = cropped.pictures[0]
    assert first["crop"]["width"] < first["width"]
    assert "is shown" in first["note"]
    assert {v["codec"] for v in first["versions"] if v["whole"]} == {"jpeg", "webp"}

    fewer = gallery(shown, 1 << 12)
    assert (len(fewer.pictures), fewer.omitted) == (1, 2)


def test_of_a_crop_the_smaller_of_file_and_part_is_embedded(measured, folder, tiny_render, monkeypatch):
    monkeypatch.setattr("cnnzip.bench.report.images.LARGEST_PIXELS", 24 * 16)
    (first, *_) = match_pictures(measured, in_order(measured))
    shown = gallery(exhibits([first], folder, tiny_render))
    crop = shown.pictures[0]["crop"]
    original = Image.open(folder / first.picture).convert("RGB")
    assert {(v["whole"], v["type"]) for v in shown.pictures[0]["versions"]} == {(False, "image/webp")}
    part = Image.open(io.BytesIO(shown.blobs[shown.pictures[0]["original"]["blob"]])).convert("RGB")
    box = (crop["x"], crop["y"], crop["x"] + crop["width"], crop["y"] + crop["height"])
    assert np.array_equal(part, original.crop(box))


def test_a_crop_is_the_middle_and_keeps_the_shape():
    assert Crop.middle(400, 200, 400 * 200) == Crop(0, 0, 400, 200)
    assert Crop.middle(400, 200, 200 * 100) == Crop(100, 50, 200, 100)
    assert Crop.middle(1, 1, 1e-9) == Crop(0, 0, 1, 1)


@pytest.mark.parametrize(("kind", "mime"), [("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("AVIF", "image/avif")])
def test_formats_of_browsers_are_known_by_their_bytes(kind, mime):
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, kind)
    assert native_type(file.getvalue()) == mime
    assert native_type(b"\x00" + file.getvalue()) is None


def test_codecs_of_a_family_share_a_colour_and_differ_in_all_else(measured):
    names = ["jpeg", "jpeg-444", "mine", "cnnzip-tiny", "cnnzip-photo"]
    looks = for_scripts([replace(measured.codecs[0], name=name) for name in names])
    assert [(look["family"], look["variant"]) for look in looks] == [
        ("jpeg", 0), ("jpeg", 1), ("other0", 0), ("cnnzip", 0), ("cnnzip", 1),
    ]  # fmt: skip
    assert len({look["index"] for look in looks}) == 5


def test_the_bundle_holds_every_script_once():
    script = bundle()
    for name in ("dom", "marks", "metric", "scales", "chart", "images", "stage", "viewer", "sort", "main"):
        assert script.count(f"const _{name} = ") == 1
    assert "export " not in script
