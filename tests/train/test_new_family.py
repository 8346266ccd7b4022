"""Adding a family touches one new file and one line of the registry: here both are the test's own."""

import sys
from dataclasses import dataclass
from types import ModuleType

import pytest
from PIL import Image
from torch import nn

from cnnzip.networks import registry
from cnnzip.networks.family import Family, FamilyConfig


@dataclass(frozen=True)
class BlocksConfig(FamilyConfig):
    latent_channels: int = 12
    stride: int = 8


class Blocks(Family):
    """A linear transform of 8×8 blocks."""

    name = "blocks"
    summary = "a linear transform of blocks"
    prior = "factorised"
    config_type = BlocksConfig

    def __init__(self, config: BlocksConfig) -> None:
        super().__init__(config)
        side = config.stride
        self.analysis = nn.Conv2d(config.channels, config.latent_channels, side, stride=side)
        self.synthesis = nn.ConvTranspose2d(config.latent_channels, config.channels, side, stride=side)


@pytest.fixture
def registered(monkeypatch):
    file = ModuleType("cnnzip.networks.blocks")
    file.Blocks = Blocks
    monkeypatch.setitem(sys.modules, file.__name__, file)
    monkeypatch.setitem(registry.FAMILIES, "blocks", "Blocks")


@pytest.mark.parametrize("channels", [3, 1])
def test_it_trains_bundles_encodes_and_decodes(registered, command, photos, tmp_path, monkeypatch, channels):
    where = (photos, "--run-dir", tmp_path / "run", "-o", tmp_path / "models", "--threads", "1")
    options = ("--family", "blocks", "--set", "latent_channels=6", "--channels", channels)
    size = ("--crop", "32", "--batch", "2", "--steps", "3")
    code, lines = command("train", *where, *options, *size)
    assert (code, lines[-1]) == (0, f"model: {tmp_path / 'models' / 'blocks'}")
    monkeypatch.setenv("CNNZIP_MODELS", str(tmp_path / "models"))
    given, coded, decoded = (tmp_path / name for name in ("given.png", "given.cnz", "decoded.png"))
    mode = "RGB" if channels == 3 else "L"
    with Image.open(photos / "parrots-96x64.png") as image:
        image.convert(mode).save(given)
    for runtime in ("onnx", "torch"):
        shared = ("--runtime", runtime, "--force")
        assert command("encode", given, "--model", "blocks", "-o", coded, *shared)[0] == 0
        assert command("decode", coded, "-o", decoded, *shared)[0] == 0
        with Image.open(decoded) as image:
            assert (image.mode, image.size) == (mode, (96, 64))


def test_it_is_listed(registered, monkeypatch, capsys):
    from cnnzip.cli.app import run

    monkeypatch.setattr("sys.argv", ["cnnzip", "train", "--list-families"])
    with pytest.raises(SystemExit) as left:
        run()
    told = capsys.readouterr()
    assert (left.value.code, told.err) == (0, "")
    heading, *lines = told.out.splitlines()
    assert heading.split("  ")[0] == "family"
    assert [line.split()[0] for line in lines] == [*registry.FAMILIES, *registry.DENOISERS]
    assert lines[-1].split()[3] == "–"  # no latent
    # 3·12 weights an 8×8 block of 64 pixels and 12 biases; the same back, with 3.
    assert lines[-2].split()[1:] == [
        f"{2 * 3 * 12 * 64 + 12 + 3:,}", "0.0", "/", "0.0", "12×64×96", *Blocks.summary.split()
    ]  # fmt: skip
