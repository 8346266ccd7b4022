import sys
from dataclasses import replace

import pytest

from cnnzip.bench.cold import TOOLS, Tool, measure_cold, tools, turn


def copying(
    codec: str, *, before: str = "pass", version: str = "{python} --version", decoder: str | None = None
) -> Tool:
    """A program that copies its input; `before` is run first. Blanks separate words, so the code has none."""
    code = f"exec('import\\x20shutil,sys;{before};shutil.copy(*sys.argv[1:])')"
    command = f"{{python}} -c {code} {{in}} {{out}}"
    return Tool(codec, 75, ".png", ".bin", ".out", command, decoder or command, "{python} --version")


@pytest.mark.skipif(sys.platform == "win32", reason="processes are measured by wait4")
def test_whole_processes_are_measured_with_their_memory(folder, monkeypatch):
    monkeypatch.setattr("cnnzip.bench.cold.RUNS", 1)
    (heavy,) = measure_cold(folder / "a.png", [copying("heavy", before="x=bytes(10**8);y=x+x")], threads=2)
    (light,) = measure_cold(folder / "a.png", [copying("light")], threads=2)
    assert (heavy.codec, heavy.picture, heavy.quality, heavy.threads) == ("heavy", "a.png", 75, 1)
    assert heavy.encode_peak_bytes > 2e8 > light.encode_peak_bytes > 1e6
    assert heavy.decode_peak_bytes > 2e8 > light.decode_peak_bytes
    assert heavy.encode_seconds > 0
    assert heavy.tool.startswith("cnnzip 3.")  # this interpreter's version, in place of cnnzip's


def test_what_is_missing_or_fails_is_named_and_the_rest_is_measured(folder):
    chosen = [
        Tool("gone", 1, ".png", ".x", ".png", "no-such {in} {out}", "no-such {in} {out}", "no-such"),
        copying("broken", before="sys.exit(3)"),
        copying("empty", decoder="{python} -c pass {in} {out}"),
        copying("good"),
    ]
    told = []
    times = measure_cold(folder / "a.png", chosen, 1, told.append)
    assert [cold.codec for cold in times] == ["good"]
    assert told[0] == "gone: no cold times: no-such is not installed"
    assert told[1].startswith("broken: no cold times: ")
    assert told[1].endswith("exit code 3")
    assert told[2].startswith("empty: no cold times: ")


@pytest.mark.parametrize("tool", tools("tiny"), ids=lambda tool: tool.codec)
def test_the_commands_work_where_they_are_installed(tool, folder, installed_tiny, monkeypatch):
    if missing := tool.missing():
        pytest.skip(f"{missing} is not installed")
    monkeypatch.setattr("cnnzip.bench.cold.RUNS", 1)
    told = []
    (cold,) = measure_cold(folder / "a.png", [tool], 2, told.append)
    assert told == []
    assert cold.encode_peak_bytes > 0
    assert "unknown" not in cold.tool


def test_without_a_model_only_the_others_are_compared():
    assert tools(None) == list(TOOLS)
    assert [tool.codec for tool in tools("tiny")] == ["cnnzip-tiny", *(tool.codec for tool in TOOLS)]


def test_the_quality_stands_in_the_command_also_as_libavifs_quantiser(tmp_path):
    code = "exec('import\\x20sys;open(sys.argv[2],\\x22w\\x22).write(sys.argv[1])')"
    tool = copying("telling")
    tool = replace(tool, quality=60, encoder=f"{{python}} -c {code} {{q}}:{{cq}} {{out}}")
    turn(tool, tmp_path, threads=1)
    assert (tmp_path / "x.bin").read_text() == (tmp_path / "y.out").read_text() == "60:25"
