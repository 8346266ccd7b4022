"""What goes wrong: one line, the right exit code, no partial output, no traceback, and the rest still done."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

TINY = ("--model", "tiny")


@pytest.fixture
def smallest(cnnzip, work) -> bytes:
    """The file of a picture of one pixel; the current folder is empty."""
    Image.new("RGB", (1, 1), (200, 100, 50)).save("one.png")
    data = cnnzip("encode", *TINY, "one.png", "-o", "-").stdout
    for file in work.iterdir():
        file.unlink()
    return data


def refuses(cnnzip, contents, *arguments: str, code: int = 1) -> str:
    """The one line with which a command fails that changes nothing."""
    before = contents()
    done = cnnzip(*arguments)
    assert (done.code, done.stdout) == (code, b"")
    assert contents() == before
    return done.error


@pytest.mark.parametrize("command", ["decode", "verify", "info"])
def test_a_file_cut_off_anywhere(command: str, cnnzip, work, contents, smallest) -> None:
    for size in range(len(smallest)):
        (work / "bad.cnz").write_bytes(smallest[:size])
        assert refuses(cnnzip, contents, command, "bad.cnz").startswith("bad.cnz: the data ends ")


def test_every_flipped_bit(cnnzip, work, contents, smallest) -> None:
    for bit in range(8 * len(smallest)):
        data = bytearray(smallest)
        data[bit // 8] ^= 1 << bit % 8
        (work / "bad.cnz").write_bytes(data)
        assert refuses(cnnzip, contents, "decode", "bad.cnz").startswith("bad.cnz: ")


def test_a_photo_with_flipped_bits_or_cut_off(cnnzip, encoded, contents) -> None:
    good = encoded.read_bytes()
    for pos in range(0, len(good), 7):
        encoded.write_bytes(good[:pos] + bytes([good[pos] ^ 1 << pos % 8]) + good[pos + 1 :])
        assert refuses(cnnzip, contents, "decode", "photo.cnz").startswith("photo.cnz: ")
        encoded.write_bytes(good[:pos])
        assert refuses(cnnzip, contents, "decode", "photo.cnz").startswith("photo.cnz: the data ends ")


@pytest.mark.parametrize("command", ["decode", "verify", "info"])
def test_another_format(command: str, cnnzip, work, contents) -> None:
    assert refuses(cnnzip, contents, command, "photo.png") == {
        "decode": "photo.png: the output would replace the input; give -o FILE",
    }.get(command, "photo.png: not a .cnz file")
    if command == "decode":
        assert refuses(cnnzip, contents, command, "photo.png", "-o", "x.png") == "photo.png: not a .cnz file"


def test_encoding_what_is_no_picture(cnnzip, work, contents) -> None:
    (work / "text.png").write_bytes(b"no picture")
    (work / "empty.png").touch()
    good = (work / "photo.png").read_bytes()
    (work / "cut.png").write_bytes(good[: len(good) // 2])
    message = "text.png: this is no picture of a known format"
    assert refuses(cnnzip, contents, "encode", *TINY, "text.png") == message
    assert refuses(cnnzip, contents, "encode", *TINY, "empty.png") == "empty.png: the picture is empty: 0 bytes"
    assert refuses(cnnzip, contents, "encode", *TINY, "cut.png").startswith("cut.png: the picture is damaged (")


def test_encoding_a_cnz(cnnzip, encoded, contents) -> None:
    message = "photo.cnz: the output would replace the input; give -o FILE"
    assert refuses(cnnzip, contents, "encode", *TINY, "photo.cnz") == message
    message = "photo.cnz: this is no picture of a known format"
    assert refuses(cnnzip, contents, "encode", *TINY, "photo.cnz", "-o", "x.cnz") == message


def test_the_output_would_replace_the_input_through_a_link(cnnzip, work, contents) -> None:
    (work / "photo.cnz").symlink_to("photo.png")
    message = "photo.cnz: the output would replace the input; give -o FILE"
    assert refuses(cnnzip, contents, "encode", *TINY, "--force", "photo.png") == message


def test_files_that_cannot_be_read(cnnzip, work, contents) -> None:
    (work / "folder.cnz").mkdir()
    (work / "empty.cnz").touch()
    for command in ("decode", "verify", "info"):
        assert refuses(cnnzip, contents, command, "no.cnz") == "no.cnz: no such file or directory"
        assert refuses(cnnzip, contents, command, "folder.cnz") == "folder.cnz: is a directory"
        message = "empty.cnz: the data ends after 0 bytes, before the first section"
        assert refuses(cnnzip, contents, command, "empty.cnz") == message
    for name in (".", "/", "..", "folder.cnz"):
        assert refuses(cnnzip, contents, "encode", *TINY, name) == f"{name}: is a directory"
    long = "a" * 300
    assert refuses(cnnzip, contents, "encode", *TINY, long) == f"{long}: file name too long"


def test_outputs_that_cannot_be_written(cnnzip, encoded, work, contents) -> None:
    (work / "folder").mkdir()
    for output, message in {
        "none/x.png": "none: no such folder",
        "photo.cnz/x.png": "photo.cnz: no such folder",
        "folder": "folder: is a directory; -o takes the name of a file",
        ".": ".: is a directory; -o takes the name of a file",
        "a" * 300 + ".png": "a" * 300 + ".png: file name too long",
    }.items():
        assert refuses(cnnzip, contents, "decode", "photo.cnz", "--format", "png", "-o", output) == message


def test_an_output_that_exists(cnnzip, encoded, work, contents) -> None:
    (work / "photo.png").write_bytes(b"precious")
    assert refuses(cnnzip, contents, "decode", "photo.cnz") == "photo.png: exists; use --force to overwrite"
    assert cnnzip("decode", "--force", "photo.cnz").code == 0
    assert (work / "photo.png").read_bytes().startswith(b"\x89PNG")


def test_an_existing_file_outlives_a_failure_with_force(cnnzip, encoded, work, contents) -> None:
    (work / "photo.png").write_bytes(b"precious")
    encoded.write_bytes(encoded.read_bytes()[:-1])
    assert refuses(cnnzip, contents, "decode", "--force", "photo.cnz").startswith("photo.cnz: the data ends ")


def test_two_inputs_for_one_output(cnnzip, work, contents) -> None:
    shutil.copy("photo.png", "photo.bmp")
    (work / "sub").mkdir()
    done = cnnzip("encode", *TINY, "--force", "--quiet", "photo.png", "photo.bmp", "sub/../photo.png")
    assert done.code == 1
    told = "already written from another input in this run"
    assert done.stderr.splitlines() == [f"cnnzip: photo.cnz: {told}", f"cnnzip: sub/../photo.cnz: {told}"]
    assert cnnzip("verify", "photo.cnz").code == 0


def test_one_bad_input_of_several(cnnzip, work, contents) -> None:
    (work / "bad.png").write_bytes(b"bad")
    shutil.copy("photo.png", "other.png")
    done = cnnzip("encode", *TINY, "photo.png", "bad.png", "none.png", "other.png")
    assert done.code == 1
    lines = done.stderr.splitlines()
    assert lines[0].startswith("photo.png → photo.cnz: ")
    assert lines[1] == "cnnzip: bad.png: this is no picture of a known format"
    assert lines[2] == "cnnzip: none.png: no such file or directory"
    assert lines[3].startswith("other.png → other.cnz: ")
    assert set(contents()) == {"photo.png", "photo.cnz", "bad.png", "other.png", "other.cnz"}


def test_errors_as_records(cnnzip, work) -> None:
    (work / "bad.png").write_bytes(b"bad")
    done = cnnzip("encode", *TINY, "--json", "bad.png", "photo.png", "none.png")
    assert (done.code, done.stderr) == (1, "")
    message = "this is no picture of a known format"
    assert done.records[0] == {"status": "error", "input": "bad.png", "error": "PictureError", "message": message}
    assert done.records[1]["status"] == "ok"
    assert (done.records[2]["error"], done.records[2]["input"]) == ("FileError", "none.png")


def test_errors_of_the_whole_run_as_records(cnnzip, work) -> None:
    done = cnnzip("encode", "--json", "--model", "none", "photo.png")
    assert (done.code, done.stdout) == (1, b"")
    record = json.loads(done.stderr)
    assert (record["status"], record["error"]) == ("error", "ModelNotFoundError")
    done = cnnzip("encode", "--json", "-q", "101", "photo.png")
    assert done.code == 2
    assert json.loads(done.stderr)["error"] == "UsageError"


def test_quiet_still_tells_errors(cnnzip, work, contents) -> None:
    assert refuses(cnnzip, contents, "verify", "--quiet", "photo.png") == "photo.png: not a .cnz file"


def test_more_pixels_than_the_limit(cnnzip, encoded, contents) -> None:
    message = "photo.cnz: 96×64 is more than 6143 pixels; raise the limit with --limit-pixels"
    for command in ("decode", "verify", "info"):
        assert refuses(cnnzip, contents, command, "--limit-pixels", "6143", "photo.cnz") == message
        assert cnnzip(command, "--limit-pixels", "6144", "photo.cnz").code == 0
    message = "photo.png: the picture is 96×64: 6,144 pixels, and the limit is 6,143 (--limit-pixels)"
    assert refuses(cnnzip, contents, "encode", *TINY, "-f", "--limit-pixels", "6143", "photo.png") == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["encode", "a.png", "b.png", "-o", "x.cnz"], "-o/--output goes with a single input"),
        (["decode", "a.cnz", "b.cnz", "-o", "-"], "-o/--output goes with a single input"),
        (["encode", *TINY, "-", "-"], "standard input can be read only once"),
        (["encode", *TINY, ""], "the name of a file is empty"),
        (["decode", "a.cnz", "-o", ""], "the name of a file is empty"),
        (["encode", "-q", "101", "a.png"], "-q/--quality: quality must lie in 0 … 100, not 101.0"),
        (["encode", "-q", "-1", "a.png"], "-q/--quality: quality must lie in 0 … 100, not -1.0"),
        (["encode", "-q", "nan", "a.png"], "-q/--quality: quality must lie in 0 … 100, not nan"),
        (
            ["encode", "-q", "5", "--target-bpp", "1", "a.png"],
            "-q/--quality and --target-bpp contradict one another; give one of them",
        ),
        (["encode", "--target-psnr", "0", "a.png"], "--target-psnr: a target is a positive number, not 0"),
        (["encode", "--target-bpp", "nan", "a.png"], "--target-bpp: a target is a positive number, not nan"),
        (["encode", "--target-size", "-4", "a.png"], "--target-size is a size such as 40000, 40kB or 1.5MiB, not '-4'"),
        (
            ["encode", "--target-size", "4 cows", "a.png"],
            "--target-size is a size such as 40000, 40kB or 1.5MiB, not '4 cows'",
        ),
        (["encode", "--max-size", "0", "a.png"], "--max-size is a size such as 40000, 40kB or 1.5MiB, not '0'"),
    ],
)
def test_usage_errors(arguments: list[str], message: str, cnnzip, work, contents) -> None:
    assert refuses(cnnzip, contents, *arguments, code=2) == message


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        ([], "Usage: cnnzip"),
        (["encode"], "Missing argument 'FILE...'; see cnnzip encode --help"),
        (["zip", "a.png"], "No such command 'zip'; see cnnzip --help"),
        (["encode", "-q", "high", "a.png"], "Invalid value for '-q' / '--quality': 'high' is not a valid float; see "),
        (["encode", "--coder", "zip", "a.png"], "Invalid value for '--coder': 'zip' is not one of 'huffman', 'rans'"),
        (["encode", "--runtime", "tf", "a.png"], "Invalid value for '--runtime': 'tf' is not one of 'onnx', 'torch', "),
        (["encode", "--threads", "-1", "a.png"], "Invalid value for '--threads': -1 is not in the range 0<=x<=1024"),
        (["decode", "--limit-pixels", "0", "a.cnz"], "Invalid value for '--limit-pixels': 0 is not in the range x>=1"),
        (["decode", "--colour", "a.cnz"], "No such option: --colour"),
        (["decode", "a.cnz", "-o", "x.xyz"], "no format is known for the suffix '.xyz'; the known ones are .avif "),
        (["decode", "a.cnz", "-o", "x"], "the output name has no suffix; the known ones are .avif "),
        (["decode", "a.cnz", "--format", "xyz"], "no format is known for the suffix '.xyz'; the known ones are "),
        (["decode", "a.cnz", "--format", "a/b"], "the output name has no suffix; the known ones are "),
        (["decode", "a.cnz", "--format", ""], "the output name has no suffix; the known ones are "),
    ],
)
def test_usage_errors_with_a_hint(arguments: list[str], start: str, cnnzip, work, contents) -> None:
    before = contents()
    done = cnnzip(*arguments)
    assert (done.code, done.stdout) == (2, b"")
    assert done.stderr.removeprefix("cnnzip: ").startswith(start)
    assert contents() == before


def test_the_model_is_missing(cnnzip, encoded, contents, monkeypatch, tmp_path_factory) -> None:
    monkeypatch.setenv("CNNZIP_MODELS", str(tmp_path_factory.mktemp("none")))
    for command in ("decode", "verify"):
        error = refuses(cnnzip, contents, command, "photo.cnz")
        assert error.startswith("photo.cnz: the file needs model 'tiny' (")
    shutil.copy("photo.cnz", "photo.png")
    error = refuses(cnnzip, contents, "encode", *TINY, "photo.png")
    assert error.startswith("no model is called 'tiny' (")


@pytest.fixture
def bundle(encoded: Path, installed_tiny: Path, monkeypatch, tmp_path_factory) -> Path:
    """The only bundle that is installed, to be damaged."""
    root = tmp_path_factory.mktemp("models")
    monkeypatch.setenv("CNNZIP_MODELS", str(root))
    return Path(shutil.copytree(installed_tiny, root / "tiny"))


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        ("model.json", ["decode", "verify", "encode"]),
        ("weights.safetensors", ["decode", "verify", "encode"]),
        ("synthesis.onnx", ["decode", "verify", "encode"]),
        ("analysis.onnx", ["decode", "verify", "encode"]),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "empty", "cut off", "text"])
def test_a_damaged_model(
    name: str, commands: list[str], damage: str, cnnzip, encoded, bundle, contents, photo_file, work
) -> None:
    shutil.copy(photo_file, work / "other.png")
    file = bundle / name
    good = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes({"empty": b"", "cut off": good[: len(good) // 2], "text": b"text"}[damage])
    for command in commands:
        target = ["other.png", *TINY] if command == "encode" else ["photo.cnz"]
        error = refuses(cnnzip, contents, command, *target)
        # Without its description, a folder is no bundle, and the model not there.
        gone = (name, damage) == ("model.json", "missing")
        assert ("no model is called 'tiny'" in error or "needs model 'tiny'" in error) if gone else str(file) in error


def test_models_tells_of_damaged_ones(cnnzip, bundle) -> None:
    (bundle / "model.json").write_text("[]")
    done = cnnzip("models")
    assert done.code == 1
    assert done.error.startswith(f"{bundle}/model.json: not a model's description (")


def test_memory_that_ends_outside_of_what_is_done_to_a_file(cnnzip, contents, monkeypatch) -> None:
    def fail() -> None:
        raise MemoryError

    monkeypatch.setattr("cnnzip.codec.models.installed", fail)
    assert refuses(cnnzip, contents, "models") == "not enough memory"
