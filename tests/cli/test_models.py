"""`cnnzip models` where a denoiser is among them, and what other commands say to it."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def denoiser(denoiser_bundle: Path, work: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory) -> Path:
    """The only model of `CNNZIP_MODELS`, under the name of the default denoiser."""
    root = tmp_path_factory.mktemp("models")
    monkeypatch.setenv("CNNZIP_MODELS", str(root))
    return Path(shutil.copytree(denoiser_bundle, root / "denoise"))


def test_a_denoiser_is_listed(cnnzip, denoiser) -> None:
    done = cnnzip("models")
    assert done.code == 0
    line = done.stdout.decode().splitlines()[0]
    assert line.startswith("denoise ")
    assert line.endswith(f"{denoiser} (default)")
    record = cnnzip("models", "--json").records[0]
    assert (record["name"], record["family"], record["default"]) == ("denoise", "denoise", True)


def test_a_link_to_nowhere_in_a_bundle_ends_nothing(cnnzip, denoiser) -> None:
    before = cnnzip("models").stdout
    (denoiser / "notes").symlink_to("nowhere")
    assert cnnzip("models").stdout == before


def test_a_denoiser_encodes_nothing(cnnzip, denoiser, contents) -> None:
    before = contents()
    done = cnnzip("encode", "--model", "denoise", "photo.png")
    assert done.code == 1
    assert done.error == "model 'faint' takes noise away and codes no pictures; see cnnzip models"
    assert contents() == before


def test_a_denoiser_is_no_codec_of_the_benchmark(denoiser) -> None:
    pytest.importorskip("matplotlib")
    from cnnzip.bench.codecs.registry import every

    names = {codec.name for codec in every(1, [])}
    assert names
    assert not any("denoise" in name for name in names)
