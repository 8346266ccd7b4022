"""The family `photo` from pixels to a file and back: its three passes, exact whatever the networks do."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from cnnzip.codec.contents import read_contents
from cnnzip.codec.decode import decode_picture, decode_values
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.header import Header
from cnnzip.codec.model import FILES, NOT_DECODING, PREVIEW, Model, model_id
from cnnzip.codec.transforms import pad
from cnnzip.container import Section, SectionType, pack
from cnnzip.errors import BadModelError, PayloadError
from cnnzip.image import Picture, to_planes
from cnnzip.networks.runtime import Runtime

Encode = Callable[..., bytes]


@pytest.fixture
def encode(photo_model: Model, photo_runtime: Runtime) -> Encode:
    return lambda picture, **options: encode_picture(picture, photo_model, photo_runtime, **options)


def decode(data: bytes, model: Model, runtime: Runtime) -> Picture:
    return decode_picture(data, find_model=lambda _: model, open_runtime=lambda _: runtime)


class Watched:
    """A runtime that remembers the last latent that its synthesis was given."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.latent: np.ndarray | None = None

    def preload(self, *names: str) -> None:
        self.runtime.preload(*names)

    def synthesis(self, latent: np.ndarray) -> np.ndarray:
        self.latent = latent.copy()
        return self.runtime.synthesis(latent)


def random_picture(width: int, height: int, channels: int = 3, alpha: bool = False) -> Picture:
    rng = np.random.default_rng(width * height)
    color = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Picture(color, rng.integers(0, 256, (height, width), dtype=np.uint8) if alpha else None)


def expected_values(picture: Picture, model: Model, runtime: Runtime, units: int) -> np.ndarray:
    """The values that the encoder means: the prior's decoder fed with its own symbols."""
    latent = runtime.analysis(pad(to_planes(picture), model.stride))[0]
    passes = iter(model.prior.encode(latent, units, runtime.hyper_analysis))
    return model.prior.decode(lambda _: next(passes)[0], latent.shape, units)


def test_the_bundle(photo_model: Model) -> None:
    assert photo_model.description.prior == "hyper"
    names = {path.name for path in photo_model.folder.iterdir()}
    assert names == {"model.json", *FILES["hyper"], PREVIEW} == {"model.json", *photo_model.description.files}
    assert "hyper_analysis.onnx" in names
    assert photo_model.latent_shape(17, 33) == (16, 3, 2)


@pytest.mark.parametrize("name", ["analysis.1.branch.1.bias", "hyper_analysis.6.bias", "encoder.gain"])
def test_a_better_encoder_is_the_same_model(name: str, photo_model: Model) -> None:
    from safetensors.numpy import load_file

    assert name.startswith(NOT_DECODING)
    arrays = load_file(photo_model.folder / "weights.safetensors")
    decoding = photo_model.description.decoding
    assert model_id(decoding, arrays | {name: arrays[name] + 1}) == photo_model.description.id
    for needed in ("prior.hyper_index", "prior.second.2.weight", "prior.context.1.bias"):
        assert model_id(decoding, arrays | {needed: arrays[needed] + 1}) != photo_model.description.id


@pytest.mark.parametrize("coder", ["huffman", "rans"])
@pytest.mark.parametrize(
    "picture",
    [random_picture(1, 1), random_picture(17, 33), random_picture(33, 70, channels=1), random_picture(40, 9, 1, True)],
    ids=["one-pixel", "odd", "gray", "gray-alpha"],
)
def test_round_trips(picture: Picture, coder: str, photo_model: Model, photo_runtime: Runtime, encode: Encode) -> None:
    for quality in (0, 33.3, 100):
        data = encode(picture, coder=coder, quality=quality)
        assert data == encode(picture, coder=coder, quality=quality)
        values = decode_values(read_contents(data), photo_model)
        units = round(quality * 100)
        assert np.array_equal(values, expected_values(picture, photo_model, photo_runtime, units))
        back = decode(data, photo_model, photo_runtime)
        assert back.color.shape == picture.color.shape
        assert (back.alpha is None) == (picture.alpha is None)
        if picture.alpha is not None:
            assert np.array_equal(back.alpha, picture.alpha)


def test_both_coders_carry_the_same_values(photo: Picture, photo_model: Model, encode: Encode) -> None:
    huffman, rans = (read_contents(encode(photo, coder=coder)) for coder in ("huffman", "rans"))
    assert huffman.latents[0] != rans.latents[0]
    values = decode_values(huffman, photo_model)
    assert np.array_equal(values, decode_values(rans, photo_model))
    assert len(np.unique(values)) > 100


def test_more_quality_is_nearer_to_the_latent(
    photo: Picture, photo_model: Model, photo_runtime: Runtime, encode: Encode
) -> None:
    latent = photo_runtime.analysis(pad(to_planes(photo), 16))[0]
    files = [encode(photo, quality=quality) for quality in (0, 50, 100)]
    assert [len(data) for data in files] == sorted(len(data) for data in files)
    gains = photo_model.prior.gains
    for data, units in zip(files, (0, 5000, 10_000), strict=True):
        values = decode_values(read_contents(data), photo_model)
        assert np.abs(values / 256 - gains.scale(latent, units)).max() <= 1.001  # thresholds reach to a whole step


def test_a_synthesis_disturbed_by_noise_decodes_the_same_symbols(
    photo: Picture, photo_model: Model, photo_runtime: Runtime, encode: Encode
) -> None:
    import torch

    disturbed = photo_model.runtime("torch", threads=1)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in disturbed.network.synthesis.parameters():
            parameter += 2e-4 * torch.randn(parameter.shape, generator=generator)
    data = encode(photo, quality=90)
    clean, noisy = Watched(photo_runtime), Watched(disturbed)
    pictures = [decode(data, photo_model, runtime).color.astype(int) for runtime in (clean, noisy)]
    assert np.array_equal(clean.latent, noisy.latent)
    # The noise was there, and the picture bears it as a float's error: it does not fall to pieces.
    assert 0 < np.abs(pictures[0] - pictures[1]).max() < 10


def test_an_analysis_disturbed_by_noise_makes_a_file_that_decodes_everywhere(
    photo: Picture, photo_model: Model, encode: Encode
) -> None:
    """The encoder's floats choose what is sent; what they chose is decoded without them."""
    import torch

    disturbed = photo_model.runtime("torch", threads=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for network in (disturbed.network.analysis, disturbed.network.hyper_analysis):
            for parameter in network.parameters():
                parameter += 1e-2 * torch.randn(parameter.shape, generator=generator)
    data = encode_picture(photo, photo_model, disturbed, quality=90)
    assert data != encode(photo, quality=90)
    values = decode_values(read_contents(data), photo_model)
    assert np.array_equal(values, expected_values(photo, photo_model, disturbed, 9000))


def test_the_torch_runtime_is_within_1(
    photo: Picture, photo_model: Model, photo_runtime: Runtime, encode: Encode
) -> None:
    data = encode(photo, quality=90)
    back = decode(data, photo_model, photo_model.runtime("torch", threads=1))
    assert np.abs(back.color.astype(int) - decode(data, photo_model, photo_runtime).color.astype(int)).max() <= 1


def file_with(latent: bytes, model: Model, coder: str, width: int = 96, height: int = 64) -> bytes:
    header = Header(
        width=width,
        height=height,
        channels=3,
        depth=8,
        alpha=False,
        model_name="photo",
        model_id=model.description.id,
        quality_units=5000,
        coder=coder,
    )
    return pack([Section(SectionType.HEADER, header.pack()), Section(SectionType.LATENT, latent)])


@pytest.mark.parametrize("coder", ["huffman", "rans"])
def test_a_latent_cut_off_anywhere_is_no_latent(
    coder: str, photo: Picture, photo_model: Model, photo_runtime: Runtime, encode: Encode
) -> None:
    latent = read_contents(encode(photo, coder=coder, quality=50)).latents[0]
    assert decode_values(read_contents(file_with(latent, photo_model, coder)), photo_model).shape == (16, 4, 6)
    for bad in (*(latent[:size] for size in range(0, len(latent), 7)), latent[:-1], latent + b"\0", latent + b"\x55"):
        with pytest.raises(PayloadError):
            decode_values(read_contents(file_with(bad, photo_model, coder)), photo_model)


@pytest.mark.parametrize("coder", ["huffman", "rans"])
def test_noise_is_no_latent(coder: str, photo_model: Model) -> None:
    """Whatever the symbols are, the integers bear them: nothing but a PayloadError comes of it."""
    rng = np.random.default_rng(3)
    for size in (3, 30, 300, 3000):
        for _ in range(10):
            with pytest.raises(PayloadError):
                decode_values(read_contents(file_with(rng.bytes(size), photo_model, coder)), photo_model)


def test_a_family_without_a_hyper_latent_says_so(tiny: Model) -> None:
    pytest.importorskip("torch")
    message = re.escape("family 'residual' has no hyper-latent")
    with pytest.raises(BadModelError, match=f"^{message}$"):
        tiny.runtime("torch", threads=1).hyper_analysis(np.zeros((1, 8, 4, 4), np.float32))
