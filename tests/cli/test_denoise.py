"""`denoise`, and `encode --denoise`, with a denoiser that needs no training."""

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import cnnzip as package
from cnnzip.batch.jobs.encode import EncodeJob
from cnnzip.denoise import model as models
from cnnzip.errors import ModelError

TINY = ("--model", "tiny")


class Halver:
    """Moves samples half the way to 0.5."""

    multiple = 8
    halo = 8
    channels = 3
    description = SimpleNamespace(name="halver", id=b"halver")

    def run(self, noisy: NDArray[np.float32], level: NDArray[np.float32]) -> NDArray[np.float32]:
        assert (level > 0).all()
        return (noisy + np.float32(0.5)) / 2


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The denoiser is installed; what was asked of it when it was opened."""
    calls: list[tuple[object, ...]] = []

    def opened(name: str = models.DEFAULT_DENOISER, runtime: str = "onnx", threads: int = 0) -> Halver:
        calls.append((name, runtime, threads))
        return Halver()

    monkeypatch.setattr(models, "open_denoiser", opened)
    return calls


@pytest.fixture
def noisy(work, asked) -> bytes:
    """`noisy.png` in the current folder, level 20; its bytes."""
    with Image.open("photo.png") as image:
        clean = np.asarray(image).astype(float)
    samples = np.clip(np.rint(clean + np.random.default_rng(0).normal(0, 20, clean.shape)), 0, 255)
    Image.fromarray(samples.astype(np.uint8)).save("noisy.png")
    return (work / "noisy.png").read_bytes()


def pixels(name: str | bytes) -> NDArray[np.int64]:
    with Image.open(io.BytesIO(name) if isinstance(name, bytes) else name) as image:
        return np.asarray(image).astype(int)


def halved(name: str) -> NDArray[np.int64]:
    return np.floor((pixels(name) + 127.5) / 2 + 0.5).astype(int)


def test_the_level_is_found_and_said(cnnzip, work, noisy) -> None:
    done = cnnzip("denoise", "noisy.png")
    assert (done.code, done.stdout) == (0, b"")
    size = (work / "noisy-denoised.png").stat().st_size
    assert done.stderr.startswith("noisy.png → noisy-denoised.png: noise level 2")
    assert done.stderr.endswith(f" found; 96×64 RGB, {size:,} bytes\n")
    np.testing.assert_array_equal(pixels("noisy-denoised.png"), halved("noisy.png"))


def test_a_clean_picture_passes_unchanged(cnnzip, work, asked) -> None:
    done = cnnzip("denoise", "photo.png")
    assert done.stderr.startswith("photo.png → photo-denoised.png: noise level 0.0 found, pixels unchanged; ")
    np.testing.assert_array_equal(pixels("photo-denoised.png"), pixels("photo.png"))


def test_options(cnnzip, work, asked) -> None:
    options = ("--sigma", "12.5", "--keep-detail", "--chroma", "--model", "other", "--threads", "1")
    record = cnnzip("denoise", "--json", "photo.png", *options, "--strength", "0").records[0]
    assert record.pop("seconds") > 0
    assert record == {
        "status": "ok",
        "input": "photo.png",
        "output": "photo-denoised.png",
        "width": 96,
        "height": 64,
        "input_bytes": 7267,
        "bytes": (work / "photo-denoised.png").stat().st_size,
        "sigma": 12.5,
        "estimated": False,
        "model": "halver",
        "notes": [],
    }
    assert asked == [("other", "onnx", 1)]
    np.testing.assert_array_equal(pixels("photo-denoised.png"), pixels("photo.png"))
    assert cnnzip("denoise", "--quiet", "-f", "photo.png", *options).stderr == ""
    assert (pixels("photo-denoised.png") != pixels("photo.png")).any()


def test_pipes_and_formats(cnnzip, work, noisy) -> None:
    done = cnnzip("denoise", "-", stdin=noisy)
    assert done.stderr.startswith("standard input → standard output: noise level ")
    np.testing.assert_array_equal(pixels(done.stdout), halved("noisy.png"))
    assert cnnzip("denoise", "noisy.png", "-o", "out.webp").code == 0
    np.testing.assert_array_equal(pixels("out.webp"), halved("noisy.png"))
    assert cnnzip("denoise", "noisy.png", "photo.png", "--format", "bmp").code == 0
    np.testing.assert_array_equal(pixels("noisy-denoised.bmp"), halved("noisy.png"))
    assert (work / "photo-denoised.bmp").is_file()


def test_a_cnz_file(cnnzip, work, asked) -> None:
    assert cnnzip("encode", *TINY, "photo.png").code == 0
    assert cnnzip("decode", "photo.cnz", "-o", "back.png").code == 0
    done = cnnzip("denoise", "photo.cnz", "--sigma", "20")
    assert done.stderr.startswith("photo.cnz → photo-denoised.png: noise level 20.0 given; ")
    np.testing.assert_array_equal(pixels("photo-denoised.png"), halved("back.png"))
    (work / "photo.cnz").write_bytes((work / "photo.cnz").read_bytes()[:-1])
    done = cnnzip("denoise", "-f", "photo.cnz")
    assert done.code == 1
    assert done.error.startswith("photo.cnz: ")


@pytest.fixture
def folder(cnnzip, work, noisy) -> None:
    """`in/` with a noisy picture, a clean one as a `.cnz` file and a text; nothing else is in the current folder."""
    (work / "in" / "sub").mkdir(parents=True)
    assert cnnzip("encode", *TINY, "--quiet", "photo.png", "-o", "in/sub/photo.cnz").code == 0
    (work / "photo.png").unlink()
    (work / "noisy.png").rename("in/noisy.png")
    (work / "in" / "notes-denoised.txt").write_text("no picture")


def test_a_folder_and_the_same_once_more(cnnzip, folder, contents) -> None:
    done = cnnzip("denoise", "-r", "in", "--json")
    assert done.code == 0
    assert [(record["output"], record["estimated"]) for record in done.records] == [
        ("in/noisy-denoised.png", True),
        ("in/sub/photo-denoised.png", True),
    ]
    assert done.records[0]["sigma"] == pytest.approx(20, abs=2)
    np.testing.assert_array_equal(pixels("in/noisy-denoised.png"), halved("in/noisy.png"))
    before = contents()
    assert [name for name in before if ".cnnzip-" in name] == []
    done = cnnzip("denoise", "-r", "in/sub", "--format", "bmp", "--verbose")
    lines = done.stderr.splitlines()
    assert lines[0] == "in/sub/photo-denoised.png: skipped: a result already, as its name says"
    assert lines[1].startswith("in/sub/photo.cnz → in/sub/photo-denoised.bmp: noise level ")
    assert lines[2].startswith("cnnzip: 1 of 2 files done, 1 skipped, in ")
    assert set(contents()) - set(before) == {"in/sub/photo-denoised.bmp"}


def test_a_tree_of_its_own(cnnzip, folder, contents) -> None:
    arguments = ("denoise", "-r", "in", "--output-dir", "out", "--rm", "--sigma", "9", "--quiet")
    done = cnnzip(*arguments)
    assert (done.code, done.stderr) == (0, "")
    assert set(contents()) == {"out/noisy.png", "out/sub/photo.png", "in/notes-denoised.txt"}


def test_a_batch_of_denoising_is_cut_short(cnnzip, folder, contents, monkeypatch) -> None:
    """What was done is not done again; another level is another batch."""
    arguments = ("denoise", "in/sub/photo.cnz", "in/noisy.png", "--output-dir", "out", "--journal", "journal")
    (noisy := Path("in/noisy.png")).rename("away")
    assert cnnzip(*arguments).code == 1
    Path("away").rename(noisy)
    done = cnnzip(*arguments, "--sigma", "3")
    assert (done.code, done.error.startswith("journal: the journal of another batch; ")) == (1, True)
    done = cnnzip(*arguments)
    assert done.code == 0
    assert done.stderr.startswith("cnnzip: 1 of 2 files done, 1 were done before, in ")
    assert set(contents()) >= {"out/noisy.png", "out/photo.png"}
    assert not Path("journal").exists()


def test_metadata_and_depth(cnnzip, work, asked) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open("photo.png") as image:
        image.save("photo.png", exif=exif, icc_profile=b"icc")
    assert cnnzip("denoise", "photo.png", "--sigma", "9").code == 0
    with Image.open("photo-denoised.png") as image:
        assert image.getexif()[0x0112] == 6
        assert image.info["icc_profile"] == b"icc"
    Image.fromarray(np.linspace(0, 65535, 4096).astype(np.uint16).reshape(64, 64)).save("deep.png")
    assert cnnzip("denoise", "deep.png", "--sigma", "9").code == 0
    with Image.open("deep-denoised.png") as image:
        assert image.mode == "I;16"


def test_failures_leave_the_others_done(cnnzip, work, noisy, contents) -> None:
    (work / "text.png").write_text("no picture")
    (work / "photo-denoised.png").write_bytes(b"mine")
    before = contents()
    done = cnnzip("denoise", "text.png", "photo.png", "noisy.png", "--quiet")
    assert done.code == 1
    assert done.stderr.splitlines() == [
        "cnnzip: text.png: this is no picture of a known format",
        "cnnzip: photo-denoised.png: exists; use --force to overwrite",
    ]
    assert set(contents()) - set(before) == {"noisy-denoised.png"}
    assert contents()["photo-denoised.png"] == b"mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--sigma", "loud"), "--sigma takes auto or a noise level in 0 … 255, not 'loud'"),
        (("--sigma", "256"), "--sigma takes auto or a noise level in 0 … 255, not '256'"),
        (("--sigma", "nan"), "--sigma takes auto or a noise level in 0 … 255, not 'nan'"),
        (("--strength", "nan"), "--strength takes a number in 0 … 1, not 'nan'"),
        (("--strength", "2"), "Invalid value for '--strength': 2.0 is not in the range 0<=x<=1"),
        (("--format", "xyz"), "no format is known for the suffix '.xyz'"),
        (("--preview", "p.xyz"), "--preview: no format is known for the suffix '.xyz'"),
        (("--preview", "-"), "--preview takes the name of a file, not -"),
        (("--preview", "o.png", "-o", "o.png"), "--preview names the output; give it another name"),
        (("--preview", "p.png", "photo.png"), "--preview goes with a single input"),
        (("--preview", "p.png", "--skip-existing"), "--preview goes with a single input"),
    ],
)
def test_slips(options: tuple[str, ...], message: str, cnnzip, work, asked, contents) -> None:
    before = contents()
    done = cnnzip("denoise", "photo.png", *options)
    assert done.code == 2
    assert done.error.startswith(message)
    assert contents() == before


def test_preview(cnnzip, work, noisy, contents) -> None:
    assert cnnzip("denoise", "noisy.png", "--preview", "p.png").code == 0
    drawn = pixels("p.png")
    np.testing.assert_array_equal(drawn[:, :96], pixels("noisy.png"))
    np.testing.assert_array_equal(drawn[:, 104:200], halved("noisy.png"))
    (work / "noisy-denoised.png").unlink()
    done = cnnzip("denoise", "noisy.png", "--preview", "p.png")
    assert done.code == 1
    assert done.error == "p.png: exists; use --force to overwrite"
    assert "noisy-denoised.png" not in contents()


@pytest.mark.parametrize("level", ["auto", "20"])
def test_encode_denoised(level: str, cnnzip, work, noisy) -> None:
    record = cnnzip("encode", *TINY, "--json", "noisy.png", f"--denoise={level}").records[0]
    found = cnnzip("denoise", "--json", "noisy.png", "--sigma", level).records[0]["sigma"]
    assert record["denoised"] == found
    assert cnnzip("encode", *TINY, "noisy-denoised.png").code == 0
    assert (work / "noisy-denoised.cnz").read_bytes() == (work / "noisy.cnz").read_bytes()


def test_a_batch_keeps_to_the_denoiser_that_it_began_with(installed_tiny, asked, monkeypatch) -> None:
    """On another machine, or after a new one was installed, the files would be of two kinds without a word."""
    job = EncodeJob(goal=5000, model="tiny", denoise="auto").pinned()
    job.open(1)
    monkeypatch.setattr(Halver, "description", SimpleNamespace(name="halver", id=b"another"))
    with pytest.raises(ModelError, match=r"^model 'halver' is another one on this machine: "):
        job.open(1)


def test_denoisers_are_loaded_where_they_are_asked_for_alone(installed_tiny, asked) -> None:
    EncodeJob(goal=5000, model="tiny").pinned().open(1)
    assert not asked


def test_denoise_alone_is_auto_and_takes_no_file_for_its_value(cnnzip, work, noisy) -> None:
    done = cnnzip("encode", *TINY, "--denoise", "noisy.png")
    assert done.code == 0
    assert done.stderr.startswith("noisy.png → noisy.cnz: ")
    assert ", denoised at level 2" in done.stderr
    assert cnnzip("encode", *TINY, "photo.png", "--denoise").stderr.endswith(", no noise found\n")
    assert cnnzip("encode", *TINY, "-f", "photo.png", "-o", "plain.cnz").code == 0
    assert (work / "photo.cnz").read_bytes() == (work / "plain.cnz").read_bytes()
    (work / "photo.png").rename("--denoise")
    assert cnnzip("encode", *TINY, "--", "--denoise").code == 0
    assert (work / "--denoise.cnz").read_bytes() == (work / "plain.cnz").read_bytes()


def test_a_slip_with_encode(cnnzip, work, asked, contents) -> None:
    before = contents()
    done = cnnzip("encode", *TINY, "photo.png", "--denoise=much")
    assert (done.code, done.error) == (2, "--denoise takes auto or a noise level in 0 … 255, not 'much'")
    assert contents() == before


def test_models_that_take_no_noise_away(cnnzip, work, contents) -> None:
    before = contents()
    done = cnnzip("denoise", "photo.png", "--model", "none")
    assert (done.code, done.error[:32]) == (1, "no model is called 'none' (insta")
    done = cnnzip("denoise", "photo.png", *TINY)
    assert (done.code, done.error[:44]) == (1, "model 'tiny' codes pictures and takes no noi")
    assert contents() == before


def test_from_python(work, noisy) -> None:
    with Image.open("noisy.png") as image:
        result = package.denoise_image(image)
        coded = package.encode(image, model="tiny", denoise="auto")
        assert package.encode(image, model="tiny", denoise=20.0) == coded
    np.testing.assert_array_equal(np.asarray(result).astype(int), halved("noisy.png"))
    assert package.encode(result, model="tiny") == coded
