"""`encode` and `decode` on sound files: names, pipes, records, options."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TINY = ("--model", "tiny")


def pixels(source: Path | bytes) -> np.ndarray:
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        return np.asarray(image).astype(int)


def test_there_and_back(cnnzip, work) -> None:
    done = cnnzip("encode", *TINY, "photo.png")
    assert (done.code, done.stdout) == (0, b"")
    size = (work / "photo.cnz").stat().st_size
    bpp, saved = 8 * size / (96 * 64), 1 - size / 7267
    assert done.stderr == f"photo.png → photo.cnz: 7,267 → {size} bytes, {bpp:.3f} bpp, {saved:.1%} saved\n"
    (work / "photo.png").rename(work / "original.png")
    done = cnnzip("decode", "photo.cnz")
    assert (done.code, done.stdout) == (0, b"")
    assert done.stderr == f"photo.cnz → photo.png: 96×64 RGB, {(work / 'photo.png').stat().st_size:,} bytes\n"
    assert np.abs(pixels(work / "photo.png") - pixels(work / "original.png")).mean() < 20


def test_the_same_file_gives_the_same_bytes(cnnzip, work) -> None:
    assert cnnzip("encode", *TINY, "photo.png", "-o", "a.cnz").code == 0
    assert cnnzip("encode", *TINY, "photo.png", "-o", "b.cnz").code == 0
    assert (work / "a.cnz").read_bytes() == (work / "b.cnz").read_bytes()


def test_quality_and_coder(cnnzip, work) -> None:
    for name, options in {"low": ("-q", "0"), "high": ("-q", "100"), "rans": ("-q", "100", "--coder", "rans")}.items():
        assert cnnzip("encode", *TINY, "photo.png", "-o", f"{name}.cnz", *options).code == 0
    low, high, rans = (cnnzip("info", "--json", f"{name}.cnz").records[0] for name in ("low", "high", "rans"))
    assert (low["quality"], high["quality"], rans["coder"]) == (0, 100, "rans")
    assert low["bytes"] < high["bytes"]
    digests = [cnnzip("verify", "--json", name).records[0]["symbols_sha256"] for name in ("high.cnz", "rans.cnz")]
    assert digests[0] == digests[1]


def test_pipes_both_ways(cnnzip, work, encoded, photo_file) -> None:
    done = cnnzip("encode", *TINY, "-", stdin=photo_file.read_bytes())
    assert (done.code, done.stdout) == (0, encoded.read_bytes())
    assert done.stderr.startswith("standard input → standard output: 7,267 → ")
    back = cnnzip("decode", "-", stdin=done.stdout)
    assert back.code == 0
    assert cnnzip("decode", "photo.cnz").code == 0
    assert back.stdout == (work / "photo.png").read_bytes()
    assert back.stderr.startswith("standard input → standard output: 96×64 RGB, ")


def test_from_a_pipe_to_a_file_and_back(cnnzip, work, photo_file) -> None:
    assert cnnzip("encode", *TINY, "-", "-o", "x.cnz", stdin=photo_file.read_bytes()).code == 0
    done = cnnzip("decode", "x.cnz", "-o", "-", "--format", "bmp")
    assert (done.code, done.stdout[:2]) == (0, b"BM")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("photo.tar.png", "photo.tar.cnz"),
        ("noext", "noext.cnz"),
        (".hidden", ".hidden.cnz"),
        ("été 日本.png", "été 日本.cnz"),
        ("UPPER.PNG", "UPPER.cnz"),
        ("sub/photo.png", "sub/photo.cnz"),
        ("-dash.png", "-dash.cnz"),
        ("new\nline.png", "new\nline.cnz"),
    ],
)
def test_names(source: str, target: str, cnnzip, work, contents) -> None:
    (work / "sub").mkdir()
    (work / "photo.png").rename(work / source)
    done = cnnzip("encode", *TINY, "--", source)
    assert done.code == 0
    assert done.stderr.count("\n") == 1
    assert set(contents()) == {source, target}
    (work / source).unlink()
    assert cnnzip("decode", "--", target).code == 0
    assert set(contents()) == {target, target.removesuffix(".cnz") + ".png"}


def test_a_name_that_is_not_unicode(cnnzip, work) -> None:
    (work / "photo.png").rename(work / "\udcff.png")
    done = cnnzip("encode", *TINY, "--json", "\udcff.png")
    assert done.code == 0
    assert done.records[0]["output"] == "\udcff.cnz"
    done = cnnzip("info", "\udcff.cnz")
    assert done.code == 0
    assert done.stdout.startswith(b"'\\udcff.cnz': 96\xc3\x9764 RGB, 8 bits; ")


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("out.jpg", (), "JPEG"),
        ("out.TIFF", (), "TIFF"),
        ("out.webp", (), "WEBP"),
        ("out.dat", ("--format", "png"), "PNG"),
        ("out", ("--format", ".JPG"), "JPEG"),
    ],
)
def test_output_formats(name: str, options: tuple[str, ...], kind: str, cnnzip, encoded) -> None:
    assert cnnzip("decode", "photo.cnz", "-o", name, *options).code == 0
    with Image.open(name) as image:
        assert (image.format, image.size) == (kind, (96, 64))


def test_format_names_the_suffix(cnnzip, encoded, contents) -> None:
    assert cnnzip("decode", "photo.cnz", "--format", "jpeg").code == 0
    assert set(contents()) == {"photo.cnz", "photo.jpeg"}


def test_quiet_says_nothing(cnnzip, work) -> None:
    for command in (["encode", *TINY, "photo.png"], ["decode", "photo.cnz", "-o", "x.jpg"], ["verify", "photo.cnz"]):
        done = cnnzip(*command, "--quiet")
        assert (done.code, done.stdout, done.stderr) == (0, b"", "")


def test_records(cnnzip, work) -> None:
    done = cnnzip("encode", *TINY, "--json", "-q", "50", "photo.png")
    assert (done.code, done.stderr) == (0, "")
    (record,) = done.records
    size = (work / "photo.cnz").stat().st_size
    assert record.pop("seconds") > 0
    assert record == {
        "status": "ok",
        "input": "photo.png",
        "output": "photo.cnz",
        "width": 96,
        "height": 64,
        "input_bytes": 7267,
        "bytes": size,
        "bpp": round(8 * size / (96 * 64), 5),
        "saving": round(1 - size / 7267, 5),
        "quality": 50.0,
        "model": "tiny",
        "coder": "huffman",
        "notes": [],
    }
    done = cnnzip("decode", "--json", "photo.cnz", "-o", "out.gif")
    (record,) = done.records
    assert record.pop("seconds") > 0
    assert record == {
        "status": "ok",
        "input": "photo.cnz",
        "output": "out.gif",
        "width": 96,
        "height": 64,
        "input_bytes": size,
        "bytes": (work / "out.gif").stat().st_size,
        "notes": ["GIF holds 256 colours: the others were replaced by near ones"],
    }


def test_the_record_leaves_standard_output_to_the_data(cnnzip, encoded) -> None:
    done = cnnzip("decode", "--json", "photo.cnz", "-o", "-")
    assert done.stdout.startswith(b"\x89PNG")
    assert json.loads(done.stderr)["output"] == "-"


def test_a_loss_is_said_aloud(cnnzip, encoded) -> None:
    done = cnnzip("decode", "photo.cnz", "-o", "out.gif")
    assert "cnnzip: photo.cnz: note: GIF holds 256 colours: the others were replaced by near ones\n" in done.stderr


def test_strip(cnnzip, work) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open("photo.png") as image:
        image.save("turned.png", exif=exif)
    assert cnnzip("encode", *TINY, "turned.png").code == 0
    assert cnnzip("encode", *TINY, "--strip", "turned.png", "-o", "bare.cnz").code == 0
    kept, bare = (cnnzip("info", "--json", name).records[0] for name in ("turned.cnz", "bare.cnz"))
    assert [part["name"] for part in kept["sections"]] == ["header", "latent", "exif", "end"]
    assert (kept["width"], kept["height"]) == (96, 64)
    assert [part["name"] for part in bare["sections"]] == ["header", "latent", "end"]
    assert (bare["width"], bare["height"]) == (64, 96)


def test_force_overwrites(cnnzip, work) -> None:
    (work / "photo.cnz").write_bytes(b"old")
    assert cnnzip("encode", *TINY, "--force", "photo.png").code == 0
    assert cnnzip("verify", "photo.cnz").code == 0


@pytest.mark.parametrize("threads", ["1", "2", "8"])
def test_threads_give_the_same_picture(threads: str, cnnzip, encoded) -> None:
    base = cnnzip("decode", "photo.cnz", "-o", "-")
    done = cnnzip("decode", "photo.cnz", "-o", "-", "--threads", threads)
    assert done.code == 0
    assert np.abs(pixels(done.stdout) - pixels(base.stdout)).max() <= 1


def test_the_torch_runtime_gives_the_same_picture(cnnzip, work, encoded, photo_file) -> None:
    pytest.importorskip("torch")
    onnx = cnnzip("decode", "photo.cnz", "-o", "-")
    torch = cnnzip("decode", "photo.cnz", "-o", "-", "--runtime", "torch", "--threads", "1")
    assert torch.code == 0
    assert np.abs(pixels(torch.stdout) - pixels(onnx.stdout)).max() <= 1
    done = cnnzip("encode", *TINY, "--runtime", "torch", "--threads", "1", "-", stdin=photo_file.read_bytes())
    assert done.code == 0
    (work / "torch.cnz").write_bytes(done.stdout)
    assert cnnzip("verify", "torch.cnz").code == 0


def test_info(cnnzip, encoded) -> None:
    size = encoded.stat().st_size
    done = cnnzip("info", "photo.cnz")
    lines = done.stdout.decode().splitlines()
    assert (done.code, done.stderr) == (0, "")
    assert lines[0] == f"photo.cnz: 96×64 RGB, 8 bits; {size} bytes, {8 * size / (96 * 64):.3f} bpp"
    assert lines[1].startswith("  model tiny (")
    assert [line.split()[0] for line in lines[2:]] == ["header", "latent", "end"]
    (record,) = cnnzip("info", "--json", "photo.cnz").records
    assert (record["status"], record["input"], record["bytes"]) == ("ok", "photo.cnz", size)
    assert sum(part["size"] for part in record["sections"]) + 9 == size
    assert cnnzip("info", "-", stdin=encoded.read_bytes()).stdout.startswith(b"standard input: 96")


def test_info_needs_no_model(cnnzip, encoded, monkeypatch, tmp_path_factory) -> None:
    monkeypatch.setenv("CNNZIP_MODELS", str(tmp_path_factory.mktemp("none")))
    assert cnnzip("info", "photo.cnz").code == 0


def test_verify(cnnzip, encoded) -> None:
    done = cnnzip("verify", "photo.cnz", "-", stdin=encoded.read_bytes())
    assert (done.code, done.stdout, done.stderr) == (0, b"", "photo.cnz: ok\nstandard input: ok\n")


def test_models(cnnzip, work, installed_tiny) -> None:
    done = cnnzip("models")
    assert done.code == 0
    assert done.stdout.startswith(b"tiny ")
    record = cnnzip("models", "--json").records[0]
    size = sum(file.stat().st_size for file in installed_tiny.iterdir())
    assert record.pop("id") == json.loads((installed_tiny / "model.json").read_text())["id"]
    assert record == {
        "name": "tiny",
        "family": "residual",
        "folder": str(installed_tiny),
        "bytes": size,
        "default": False,
        "shadowed": False,
    }


def test_targets(cnnzip, work) -> None:
    done = cnnzip("encode", *TINY, "photo.png", "--target-size", "0.3kB")
    size = (work / "photo.cnz").stat().st_size
    assert done.code == 0
    assert size == pytest.approx(300, rel=0.02)
    assert f"→ {size:,} bytes, " in done.stderr
    quality = cnnzip("info", "--json", "photo.cnz").records[0]["quality"]
    assert done.stderr.endswith(f" saved, quality {quality:g}\n")

    record = cnnzip("encode", *TINY, "photo.png", "-f", "--json", "--target-psnr", "30").records[0]
    assert record["psnr"] == pytest.approx(30, abs=0.1)
    record = cnnzip("encode", *TINY, "photo.png", "-f", "--json", "--target-bpp", "0.35").records[0]
    assert record["bpp"] == pytest.approx(0.35, rel=0.02)
    record = cnnzip("encode", *TINY, "photo.png", "-f", "--json", "-q", "90", "--max-size", "0.25KiB").records[0]
    assert 0.98 * 256 <= record["bytes"] <= 256
    assert record["quality"] < 90


def test_a_target_out_of_reach_leaves_no_file_and_the_others_are_done(cnnzip, work) -> None:
    Image.new("RGB", (640, 480)).save(work / "black.png")
    done = cnnzip("encode", *TINY, "black.png", "photo.png", "--target-size", "300")
    assert done.code == 1
    assert done.stderr.startswith("cnnzip: black.png: 300 bytes cannot be reached: quality 0 takes ")
    assert sorted(p.name for p in work.iterdir()) == ["black.png", "photo.cnz", "photo.png"]
