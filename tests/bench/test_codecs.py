import importlib.util
import shlex
import sys

import numpy as np
import pytest

from cnnzip.bench.codecs import choose, every, pillow, registry
from cnnzip.bench.codecs.command import Command
from cnnzip.bench.codecs.registry import JxlTools
from cnnzip.bench.metrics import psnr_rgb
from cnnzip.codec.inspect import describe
from cnnzip.codec.models import DEFAULT_MODEL, installed
from cnnzip.errors import BenchError, UsageError

BUILT_IN = ["jpeg", "jpeg-444", "webp", "avif", "avif-444", "avif-psnr", "jpeg2000", "jxl"]

PYTHON = shlex.quote(sys.executable)
# Stores the pixels and the quality; both ways by file names of any suffix.
ENCODER = (
    f'{PYTHON} -c "import sys, PIL.Image as I; i = I.open(sys.argv[1]); '
    "open(sys.argv[2], 'wb').write(bytes([*i.size, int(sys.argv[3])]) + i.tobytes())\" {in} {out}.raw {q}"
)
DECODER = (
    f"{PYTHON} -c \"import sys, PIL.Image as I; assert sys.argv[1].endswith('.raw'); "
    "d = open(sys.argv[1], 'rb').read(); I.frombytes('RGB', tuple(d[:2]), d[3:]).save(sys.argv[2])\" {in} {out}.ppm"
)


@pytest.fixture
def crop(kodim):
    return np.ascontiguousarray(kodim[100:164, 300:400])


@pytest.mark.parametrize("name", [*BUILT_IN, "cnnzip-tiny", "cnnzip-tiny-rans", "cnnzip-tiny-openvino"])
def test_more_quality_is_a_larger_and_better_picture(name, installed_tiny, crop):
    codec = {codec.name: codec for codec in every(2, [])}[name]
    if reason := codec.available():
        pytest.skip(f"{name}: {reason}")
    assert list(codec.qualities) == sorted(codec.qualities)
    files = [codec.encode(crop, quality) for quality in (codec.qualities[1], codec.qualities[-2])]
    pictures = [codec.decode(data) for data in files]
    assert all(picture.shape == crop.shape and picture.dtype == np.uint8 for picture in pictures)
    assert len(files[0]) < len(files[1])
    assert psnr_rgb(crop, pictures[0]) < psnr_rgb(crop, pictures[1])
    assert codec.info.version
    assert codec.encode(crop, codec.qualities[1]) == files[0]


def test_every_model_comes_with_both_coders_and_openvino(installed_tiny, crop):
    codecs = {codec.name: codec for codec in every(1, [])}
    # A denoiser is found where models are, and is no codec.
    models = {folder.name for folder, description in installed() if description.codes}
    assert {"tiny", DEFAULT_MODEL} <= models
    ours = {f"cnnzip-{model}{way}" for model in models for way in ("", "-rans", "-openvino")}
    assert codecs.keys() == ours | set(BUILT_IN)
    by_default = {name for name, codec in codecs.items() if codec.by_default}
    assert by_default == {f"cnnzip-{DEFAULT_MODEL}", *BUILT_IN}
    for name, coder in (("cnnzip-tiny", "huffman"), ("cnnzip-tiny-rans", "rans")):
        header = describe(codecs[name].encode(crop, 50)).header
        assert (header.model_name, header.coder, header.quality) == ("tiny", coder, 50)
        assert header.model_id.hex() in codecs[name].version


def test_colour_is_halved_or_not(crop):
    from io import BytesIO

    from PIL import Image, JpegImagePlugin

    for codec, sampling in ((pillow.Jpeg(), 2), (pillow.Jpeg444(), 0)):
        with Image.open(BytesIO(codec.encode(crop, 50))) as image:
            assert JpegImagePlugin.get_sampling(image) == sampling


def test_codecs_are_chosen_by_name(installed_tiny, monkeypatch):
    codecs = every(1, [])
    chosen, skipped = choose(codecs, ["webp", "cnnzip-tiny-rans", "webp"])
    assert ([codec.name for codec in chosen], skipped) == (["webp", "cnnzip-tiny-rans"], {})
    with pytest.raises(UsageError, match="no codec is called 'heic'; there are cnnzip-"):
        choose(codecs, ["heic"])
    monkeypatch.setattr(pillow.Webp, "available", lambda self: "not today")
    chosen, skipped = choose(codecs, None)
    assert "webp" not in [codec.name for codec in chosen]
    assert skipped["webp"] == "not today"


def test_jpeg_xl_is_the_plugin_or_the_programs_or_named_as_missing(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pillow_jxl" else find(name))
    monkeypatch.setattr(registry.shutil, "which", lambda program: f"/usr/bin/{program}")
    assert isinstance({codec.name: codec for codec in every(1, [])}["jxl"], JxlTools)
    monkeypatch.setattr(registry.shutil, "which", lambda program: None)
    _, skipped = choose(every(1, []), ["jxl"])
    assert skipped == {"jxl": "pip install 'cnnzip[jxl]', or install cjxl and djxl"}


def test_a_command_is_a_codec(crop):
    codec = Command.parse(f"raw={ENCODER} ;; {DECODER}")
    assert codec.available() is None
    data = codec.encode(crop, 37)
    assert data[:3] == bytes([100, 64, 37])
    np.testing.assert_array_equal(codec.decode(data), crop)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "x=cp {in} {out} {q}",
        "x=cp {in} {q} ;; cp {in} {out}",
        "x=a {in} {out} ;; b {in} {out}",
        "=a {in} {out} {q} ;; b {in} {out}",
        "a b=a {in} {out} {q} ;; b {in} {out}",
        "x=a '{in} {out} {q} ;; b {in} {out}",
    ],
)
def test_what_is_no_command_is_a_usage_error(text):
    with pytest.raises(UsageError, match="--codec"):
        Command.parse(text)


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (f"{PYTHON} -c 'import sys; print(5); sys.exit(\"broken\")' {{in}} {{out}} {{q}}", "exit code 1: broken"),
        (f"{PYTHON} -c pass {{in}} {{out}} {{q}}", "wrote no file"),
    ],
)
def test_a_command_that_fails_is_an_error(encoder, message, crop):
    with pytest.raises(BenchError, match=message):
        Command.parse(f"x={encoder} ;; {DECODER}").encode(crop, 5)


def test_another_program_is_another_version(tmp_path):
    program = tmp_path / "program"
    program.touch(mode=0o755)
    codec = Command.parse(f"x={program} {{in}} {{out}} {{q}} ;; {program} {{in}} {{out}}")
    before = codec.info.fingerprint
    assert codec.info.fingerprint == before
    program.write_text("#!/bin/sh")
    assert codec.info.fingerprint != before


def test_a_program_that_is_missing_is_named():
    assert Command.parse("x=no-such {in} {out} {q} ;; cp {in} {out}").available() == "no-such is not installed"


def test_two_codecs_of_one_name(installed_tiny):
    with pytest.raises(UsageError, match="two codecs are called 'jpeg'"):
        every(1, ["jpeg=a {in} {out} {q} ;; b {in} {out}"])
