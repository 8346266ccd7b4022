import json
import shlex
import sys

import numpy as np
import pytest
from PIL import Image

from cnnzip.bench.codecs.command import Command
from cnnzip.bench.codecs.pillow import Jpeg, Webp
from cnnzip.bench.metrics import METRICS
from cnnzip.bench.results import Failure, Results
from cnnzip.bench.run import carry_out
from cnnzip.errors import BenchError, FileError, UsageError

from .conftest import Broken, Gray


@pytest.fixture
def counted(monkeypatch):
    """The (codec, quality) of everything that is encoded, but for the warming up."""
    calls = []
    for kind in (Jpeg, Webp):
        plain = kind.timed_encode

        def count(self, picture, quality, plain=plain):
            calls.append((self.name, quality))
            return plain(self, picture, quality)

        monkeypatch.setattr(kind, "timed_encode", count)
    return calls


def untimed(results: Results) -> list[tuple]:
    return [(m.codec, m.picture, m.quality, m.bytes, m.metrics) for m in results.measurements]


def test_every_picture_codec_and_quality_is_measured_and_saved(request_for, tmp_path):
    told = []
    results = carry_out(request_for(), lambda done, total: told.append((done, total)))
    points = [(m.picture, m.codec, m.quality) for m in results.measurements]
    assert points == [(p, c, q) for p in ("a.png", "b.png") for c in ("jpeg", "webp") for q in (20, 50, 80)]
    assert told == [(done, 12) for done in range(13)]
    first = results.measurements[0]
    assert (first.width, first.height) == (128, 96)
    assert first.bpp == 8 * first.bytes / (128 * 96)
    assert first.metrics.keys() == {"psnr_rgb", "ssim"}
    assert Results.read(tmp_path / "results.json") == results


def test_a_second_run_measures_nothing_twice(request_for, counted):
    first = carry_out(request_for())
    counted.clear()
    assert untimed(carry_out(request_for())) == untimed(first)
    assert counted == []
    carry_out(request_for(fresh=True))
    assert len(set(counted)) == 6


def test_a_second_run_measures_what_is_missing(request_for, counted, folder):
    carry_out(request_for(limit=1, codecs=[Jpeg()]))
    counted.clear()
    qualities = {"jpeg": (20, 35), "webp": (50,)}
    results = carry_out(request_for(qualities=qualities))
    assert set(counted) == {("jpeg", 20), ("jpeg", 35), ("webp", 50)}
    points = [(m.picture, m.codec, m.quality) for m in results.measurements]
    assert points == [(p, c, q) for p in ("a.png", "b.png") for c in qualities for q in qualities[c]]
    # What this run did not ask for is not lost.
    assert {(m.picture, m.quality) for m in results.kept} == {("a.png", 50), ("a.png", 80)}
    counted.clear()
    assert len(carry_out(request_for(limit=1, codecs=[Jpeg()])).measurements) == 3
    assert counted == []


def test_a_picture_is_known_by_its_content(request_for, counted, folder):
    carry_out(request_for(codecs=[Jpeg()]))
    counted.clear()
    (folder / "a.png").rename(folder / "c.png")
    assert [m.picture for m in carry_out(request_for(codecs=[Jpeg()])).measurements] == ["b.png"] * 3 + ["c.png"] * 3
    assert counted == []
    Image.new("RGB", (32, 32), (1, 2, 3)).save(folder / "c.png")
    carry_out(request_for(codecs=[Jpeg()]))
    assert set(counted) == {("jpeg", 20), ("jpeg", 50), ("jpeg", 80)}


def test_another_version_of_a_codec_is_measured_anew(request_for, counted, monkeypatch):
    carry_out(request_for(limit=1))
    counted.clear()
    monkeypatch.setattr(Webp, "version", "libwebp 99")
    carry_out(request_for(limit=1))
    assert {name for name, _ in counted} == {"webp"}


def test_a_metric_that_is_missing_is_added(request_for, counted):
    before = carry_out(request_for(limit=1, codecs=[Jpeg()], metrics=[METRICS["psnr_rgb"]]))
    counted.clear()
    after = carry_out(request_for(limit=1, codecs=[Jpeg()], metrics=[METRICS["psnr_y"]]))
    assert len(set(counted)) == 3
    both = [(m.metrics.keys(), m.metrics["psnr_rgb"]) for m in after.measurements]
    assert both == [({"psnr_rgb", "psnr_y"}, m.metrics["psnr_rgb"]) for m in before.measurements]


def test_times_of_other_ways_of_measuring_are_not_mixed(request_for, tmp_path):
    carry_out(request_for(limit=1, codecs=[Jpeg()]))
    with pytest.raises(UsageError, match="was measured with --jobs 1, and times do not mix; give --fresh"):
        carry_out(request_for(limit=1, codecs=[Jpeg()], jobs=2))
    path = tmp_path / "results.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "machine": {"processor": "8086"}}))
    with pytest.raises(UsageError, match="another machine"):
        carry_out(request_for(limit=1, codecs=[Jpeg()]))


def test_damaged_results_are_not_overwritten(request_for, tmp_path):
    path = tmp_path / "results.json"
    path.write_text("{}")
    with pytest.raises(BenchError, match="no results of cnnzip bench"):
        carry_out(request_for())
    assert path.read_text() == "{}"


def test_several_processes_measure_the_same(request_for, folder, tmp_path):
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(folder / "c.png")
    # Not one of this module's: other processes could not import it.
    program = f"{shlex.quote(sys.executable)} -c \"import sys; sys.exit('no way')\""
    broken = Command.parse(f"broken={program} {{in}} {{out}} {{q}} ;; cp {{in}} {{out}}")
    codecs = [Jpeg(), broken]
    alone = carry_out(request_for(codecs=codecs))
    assert {failure.codec for failure in alone.failures} == {"broken"}
    together = carry_out(request_for(codecs=codecs, jobs=2, fresh=True))
    assert untimed(together) == untimed(alone)
    assert together.failures == alone.failures
    assert together.jobs == 2


def test_what_fails_is_named_and_the_rest_is_measured(request_for, folder):
    (folder / "bad.png").write_bytes(b"no picture")
    results = carry_out(request_for(codecs=[Broken(), Gray()], qualities={"broken": (0,), "gray": (50,)}))
    assert results.failures == [
        Failure("", "bad.png", None, "this is no picture of a known format"),
        Failure("broken", "a.png", 0, "ZeroDivisionError: no way"),
        Failure("broken", "b.png", 0, "ZeroDivisionError: no way"),
    ]
    assert [(m.codec, m.picture) for m in results.measurements] == [("gray", "a.png"), ("gray", "b.png")]


def test_a_codec_that_fails_is_tried_again(request_for, monkeypatch):
    request = request_for(codecs=[Broken()], qualities={"broken": (0,)}, limit=1)
    assert carry_out(request).failures
    monkeypatch.setattr(Broken, "encode", Gray.encode)
    monkeypatch.setattr(Broken, "decode", Gray.decode)
    assert not carry_out(request).failures


def test_an_interrupt_keeps_what_was_measured(request_for, counted, tmp_path, monkeypatch):
    def progress(done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(request_for(), progress)
    assert len(Results.read(tmp_path / "results.json").measurements) == 5
    counted.clear()
    assert len(carry_out(request_for()).measurements) == 12
    # Of the first picture only webp at 80, the last; each is coded three times.
    assert len(counted) == 3 * 7


def test_a_gray_picture_is_measured_as_rgb_and_it_is_said(request_for, folder):
    for name in ("a.png", "b.png"):
        Image.open(folder / name).convert("L").save(folder / name)
    results = carry_out(request_for(limit=1))
    assert results.notes == ["a.png: gray, measured as RGB"]
    assert len(results.measurements) == 6


def test_an_output_that_cannot_be_written(request_for, tmp_path):
    with pytest.raises(FileError, match="folder does not exist"):
        carry_out(request_for(output=tmp_path / "no" / "such", limit=1))
