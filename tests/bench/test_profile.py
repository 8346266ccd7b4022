import importlib
import json
from itertools import count

import pytest

from cnnzip.bench import profile, trace


def test_where_one_stage_calls_another_only_the_inner_one_is_counted(monkeypatch):
    clock = trace.Clock()
    ticks = count()
    monkeypatch.setattr(trace.time, "monotonic", lambda: float(next(ticks)))
    inner = clock.timed("inner", lambda: None)
    outer = clock.timed("outer", lambda: [inner(), inner()])
    outer()
    assert [stage for stage, *_ in clock.spans] == ["outer", "inner", "outer", "inner", "outer"]
    assert profile.stage_seconds(clock.spans) == {"outer": 3, "inner": 2}


def test_a_stage_inside_itself_is_counted_once_and_ends_where_it_fails(monkeypatch):
    clock = trace.Clock()
    ticks = count()
    monkeypatch.setattr(trace.time, "monotonic", lambda: float(next(ticks)))
    broken = clock.timed("imports", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        clock.timed("imports", broken)()
    assert clock.spans == [("imports", 0, 1)]


def test_threads_that_are_busy_at_once_share_the_time():
    spans = [("prior", 0.0, 4.0), ("coding", 2.0, 6.0), ("prior", 3.0, 4.0)]
    # 0…2 prior; 2…3 half each; 3…4 two thirds prior; 4…6 coding
    found = profile.stage_seconds(spans)
    assert found == pytest.approx({"prior": 2 + 1 / 2 + 2 / 3, "coding": 1 / 2 + 1 / 3 + 2})


def test_methods_of_an_object_are_timed_and_the_rest_is_as_it_was():
    class Coder:
        name = "huffman"

        def decoder(self, data):
            return Decoder()

    class Decoder:
        def read(self):
            return 7

    clock = trace.Clock()
    coder = trace.TimedObject(clock, Coder(), "coding", "coding")
    assert coder.name == "huffman"
    assert clock.spans == []
    assert coder.decoder(b"").read() == 7
    assert [stage for stage, *_ in clock.spans] == ["coding", "coding"]


@pytest.mark.parametrize("place", [*trace.FUNCTIONS, *trace.FACTORIES])
def test_what_is_timed_is_there(place):
    module, name = place.split(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_every_stage_has_its_place_in_the_table():
    timed = {*trace.FUNCTIONS.values(), *(stage for pair in trace.FACTORIES.values() for stage in pair), trace.IMPORTS}
    assert timed <= set(profile.STAGES)


def test_cold_and_warm_are_taken_apart(photo_file, installed_tiny, monkeypatch, capsys):
    monkeypatch.setattr(profile, "median_ms", lambda command, runs: 1234.5)
    words = [str(photo_file), "--model", "tiny", "--threads", "1", "--repeat", "1"]
    profile.main([*words, "--json"])
    record = json.loads(capsys.readouterr().out)
    assert (record["picture"], record["width"], record["height"]) == (photo_file.name, 96, 64)
    ways = {way["name"]: way for way in record["ways"]}
    both = {"file reading", "prior", "entropy coding", "file writing", "other"}
    start = {"start of Python", "imports", "model load", "sessions", "end of Python"}
    encoding = {"picture decoding", "planes", "analysis"}
    decoding = {"synthesis", "pixels", "picture encoding"}
    for what, own in (("encode", encoding), ("decode", decoding)):
        cold, warm = ways[f"cold {what}"], ways[f"warm {what}"]
        assert set(cold["stages_ms"]) == both | own | start
        assert set(warm["stages_ms"]) - {"imports"} == both | own
        assert min(cold["stages_ms"].values()) > 0
        for way in (cold, warm):
            assert sum(way["stages_ms"].values()) == pytest.approx(way["total_ms"])
        assert (cold["untraced_ms"], warm["untraced_ms"]) == (1234.5, None)
    profile.show([profile.Way(**way) for way in record["ways"]], "a title with [brackets]")
    shown = capsys.readouterr().out
    assert "a title with [brackets]" in shown
    assert shown.count("analysis") == 2
    assert "warm decode: prior and entropy coding are" in shown


def test_what_cannot_be_profiled_is_said_in_one_line(tmp_path, photo_file, installed_tiny):
    with pytest.raises(SystemExit, match="this is no picture"):
        (tmp_path / "x.png").write_bytes(b"no picture at all")
        profile.main([str(tmp_path / "x.png")])
    with pytest.raises(SystemExit, match="no model is called 'none'"):
        profile.main([str(photo_file), "--model", "none", "--repeat", "1"])
