"""The bundle of a denoiser: how it is found, checked and run."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cnnzip.codec.models import find_model, installed
from cnnzip.denoise.model import load_denoiser, open_denoiser
from cnnzip.errors import BadModelError, ModelError, ModelNotFoundError

FILES = ("denoise.onnx", "weights.safetensors")


@pytest.fixture
def bundle(denoiser_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the small denoiser that is the only model installed by name, and may be damaged."""
    monkeypatch.setenv("CNNZIP_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return Path(shutil.copytree(denoiser_bundle, tmp_path / "models" / "faint"))


def describe(bundle: Path, **changes: object) -> None:
    path = bundle / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def noisy(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((1, 3, height, width), dtype=np.float32), np.full((1, 1, height, width), 0.1, dtype=np.float32)


def test_the_runtimes_agree(bundle: Path) -> None:
    onnx, torch = (open_denoiser("faint", name, threads=1) for name in ("onnx", "torch"))
    assert (onnx.multiple, onnx.halo, onnx.channels) == (8, 48, 3)
    for height, width in ((8, 8), (40, 64), (96, 24)):
        x, level = noisy(height, width)
        expected = torch.run(x, level)
        assert expected.shape == x.shape
        assert expected.dtype == np.float32
        np.testing.assert_allclose(onnx.run(x, level), expected, rtol=0, atol=1e-4)
        # Neither returns its input, nor ignores the level.
        assert np.abs(expected - x).max() > 0.01
        assert np.abs(expected - torch.run(x, 2 * level)).max() > 0.001
        np.testing.assert_allclose(onnx.run(0.25 * x, 0.25 * level), 0.25 * expected, rtol=0, atol=1e-4)


def test_a_tile_with_its_halo_is_what_it_is_in_the_whole(bundle: Path) -> None:
    denoiser = open_denoiser("faint", threads=1)
    halo, (x, level) = denoiser.halo, noisy(24, 8 * 30)
    whole = denoiser.run(x, level)
    cut = slice(64 - halo, 80 + halo)
    tile = denoiser.run(x[..., cut], level[..., cut])
    np.testing.assert_allclose(tile[..., halo:-halo], whole[..., 64:80], rtol=0, atol=1e-6)


def test_a_denoiser_is_found_where_models_are_and_codes_nothing(bundle: Path) -> None:
    found = dict(installed())
    assert not found[bundle].codes
    message = r"^model 'faint' takes noise away and codes no pictures; see cnnzip models$"
    for name in ("faint", str(bundle)):
        assert open_denoiser(name).description.id == found[bundle].id
        with pytest.raises(ModelError, match=message):
            find_model(name)


def test_a_codec_takes_no_noise_away(bundle: Path) -> None:
    tiny = Path(__file__).parents[1] / "golden" / "models" / "tiny"
    with pytest.raises(ModelError, match=r"^model 'tiny' codes pictures and takes no noise away; see cnnzip models$"):
        open_denoiser(str(tiny))


def test_what_is_not_there(bundle: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"^no model is called 'nosuch' \(installed: .*\bfaint\b"):
        open_denoiser("nosuch")
    with pytest.raises(ModelError, match=r"^no runtime is called 'tensorrt'; there are: onnx, torch, openvino$"):
        open_denoiser("faint", "tensorrt")


@pytest.mark.parametrize("name", FILES)
def test_any_change_of_a_file_is_found(name: str, bundle: Path) -> None:
    path = bundle / name
    good = path.read_bytes()
    middle = bytearray(good)
    middle[len(good) // 2] ^= 1
    for bad in (b"", good[:-1], good + b"\0", bytes(middle)):
        path.write_bytes(bad)
        with pytest.raises(BadModelError, match=rf"/{name}: damaged: its SHA-256 is not the one in model.json$"):
            load_denoiser(bundle)
    path.unlink()
    with pytest.raises(BadModelError, match=rf"/{name}: cannot be read: No such file or directory$"):
        load_denoiser(bundle)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"halo": -8}, "describes no model that this version can use$"),
        ({"halo": 48.0}, "describes no model that this version can use$"),
        ({"halo": 10**6}, "describes no model that this version can use$"),
        ({"stride": 12}, "describes no model that this version can use$"),
        ({"prior": "factorised"}, r"not a model's description \('analysis.onnx'\)$"),
        ({"format": 2}, "bundle format 2 is not known; upgrade cnnzip$"),
    ],
)
def test_bad_descriptions(changes: dict[str, object], message: str, bundle: Path) -> None:
    describe(bundle, **changes)
    with pytest.raises(BadModelError, match=rf"/model\.json: {message}"):
        load_denoiser(bundle)


def test_a_description_without_a_halo(bundle: Path) -> None:
    path = bundle / "model.json"
    fields = json.loads(path.read_text())
    del fields["halo"]
    path.write_text(json.dumps(fields))
    with pytest.raises(BadModelError, match=r"not a model's description \('halo'\)$"):
        load_denoiser(bundle)


def test_other_options_are_another_model(bundle: Path) -> None:
    describe(bundle, options={"channels": 3, "width": 8, "blocks": 2})
    with pytest.raises(BadModelError, match=r"these are not the weights of model [0-9a-f]{16}$"):
        load_denoiser(bundle)


def test_sides_that_are_no_multiples_fail_in_one_line(bundle: Path) -> None:
    with pytest.raises(BadModelError, match=r"^[^\n]*denoise\.onnx: failed on \(1, 3, 9, 8\), \(1, 1, 9, 8\): [^\n]*$"):
        open_denoiser("faint").run(*noisy(9, 8))
