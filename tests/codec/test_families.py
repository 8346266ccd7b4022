"""Every family through the whole codec, in colour and in gray, with a tiny bundle that has learnt nothing."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("pytorch_optimizer")

from cnnzip.codec.contents import read_contents  # noqa: E402
from cnnzip.codec.decode import decode_picture, decode_values  # noqa: E402
from cnnzip.codec.encode import Encoder, encode_picture  # noqa: E402
from cnnzip.codec.header import Header  # noqa: E402
from cnnzip.codec.model import load_model  # noqa: E402
from cnnzip.container import Section, SectionType, pack  # noqa: E402
from cnnzip.errors import HeaderError, PictureError  # noqa: E402
from cnnzip.image import Picture  # noqa: E402
from cnnzip.networks.registry import FAMILIES  # noqa: E402
from cnnzip.train.bundle import write_bundle  # noqa: E402
from cnnzip.train.config import TrainConfig  # noqa: E402
from cnnzip.train.data import load  # noqa: E402
from cnnzip.train.model import TrainingModel  # noqa: E402

SIZES = [(1, 1), (1, 40), (33, 7), (32, 32), (65, 33), (1000, 700)]


def make_model(folder, family, options):
    """A model with random weights and a latent large enough for symbols of many sizes."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = TrainConfig(family=family, options=options, levels=3, bf16=False)
    model = TrainingModel(config)
    with torch.no_grad():
        for parameter in model.network.parameters():
            if parameter.ndim == 4:
                parameter += torch.randn_like(parameter) * (0.3 / parameter[0].numel()) ** 0.5
        model.density.log_gain += 2.5
        for _ in range(10):  # the statistics of batch normalisations are those of data
            model.network(torch.rand(4, model.network.config.channels, 64, 64))
    data = load(Path(__file__).parents[1] / "data")
    return load_model(write_bundle(folder, family, model, config, data, {}, force=False))


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, small_options, tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("models"), request.param, small_options[request.param])


@pytest.fixture(scope="module")
def runtime(model):
    return model.runtime(threads=1)


@pytest.fixture(scope="module", params=["dense", "photo"])
def gray_model(request, small_options, tmp_path_factory):
    """A prior of either kind; that the networks of all families can have one plane is a test of theirs."""
    options = {**small_options[request.param], "channels": 1}
    return make_model(tmp_path_factory.mktemp("gray"), request.param, options)


def noise(width, height, channels=3):
    """Smooth enough to be a picture, rough enough for many symbols."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, channels)).repeat(4, axis=0).repeat(4, axis=1)
    return Picture((coarse[:height, :width] * 0.9 + rng.integers(0, 25, (height, width, channels))).astype(np.uint8))


def decode(data, model, runtime):
    return decode_picture(data, find_model=lambda _: model, open_runtime=lambda _: runtime)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_size(model, runtime, width, height):
    given = noise(width, height)
    data = encode_picture(given, model, runtime, quality=100)
    assert decode_values(read_contents(data), model).any() or width * height < 64
    assert decode(data, model, runtime).color.shape == given.color.shape


def test_threads_and_runtimes_change_no_symbol_and_no_pixel_by_more_than_1(model, runtime):
    given = noise(100, 72)
    data = encode_picture(given, model, runtime)
    values, color = decode_values(read_contents(data), model), decode(data, model, runtime).color.astype(int)
    assert len(np.unique(values)) > 3
    for other in (model.runtime(threads=8), model.runtime("torch", 8), model.runtime("torch", 1)):
        assert np.abs(decode(data, model, other).color - color).max() <= 1
        # Another analysis may round a value the other way where it lies between two, and there alone.
        again = decode_values(read_contents(encode_picture(given, model, other)), model)
        assert np.mean(again != values) < 0.001


def test_the_bundle_holds_nothing_that_only_training_has(model):
    from safetensors.numpy import load_file

    arrays = load_file(model.folder / "weights.safetensors")
    weights = {name: a for name, a in arrays.items() if name.startswith(("analysis.", "synthesis."))}
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float16)}
    assert not any("running" in name or "num_batches" in name for name in arrays)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (65, 33), (100, 100)])
@pytest.mark.parametrize("depth", [8, 16])
def test_gray_with_one_plane(gray_model, width, height, depth):
    given = noise(width, height, 1)
    if depth == 16:
        given = Picture(given.color.astype(np.uint16) * 257)
    runtime = gray_model.runtime(threads=1)
    planes = []

    class Spy:
        hyper_analysis = runtime.hyper_analysis

        def analysis(self, pixels):
            planes.append(pixels.shape[1])
            return runtime.analysis(pixels)

    assert gray_model.channels == 1
    data = encode_picture(given, gray_model, Spy(), quality=90)
    assert planes == [1]
    back = decode(data, gray_model, runtime)
    assert (back.color.shape, back.color.dtype) == (given.color.shape, given.color.dtype)
    assert np.array_equal(decode(data, gray_model, gray_model.runtime("torch", 1)).color.shape, given.color.shape)


def test_a_gray_picture_with_a_model_of_colours(model, runtime):
    given = noise(100, 100, 1)
    assert model.channels == 3
    assert decode(encode_picture(given, model, runtime), model, runtime).color.shape == (100, 100, 1)


def test_a_colour_picture_with_a_model_of_gray(gray_model):
    name = gray_model.description.name
    message = rf"^a colour picture, and model '{name}' knows gray alone: use --grayscale or another model$"
    with pytest.raises(PictureError, match=message):
        Encoder(noise(8, 8), gray_model, gray_model.runtime(threads=1))


def test_a_file_that_claims_colours_of_a_model_of_gray(gray_model):
    runtime = gray_model.runtime(threads=1)
    contents = read_contents(encode_picture(noise(8, 8, 1), gray_model, runtime))
    fields = {name: getattr(contents.header, name) for name in Header.__dataclass_fields__}
    header = Header(**{**fields, "channels": 3})
    forged = pack([Section(SectionType.HEADER, header.pack()), Section(SectionType.LATENT, contents.latents[0])])
    with pytest.raises(HeaderError, match=rf"a colour picture, but model '{header.model_name}' knows gray alone$"):
        decode(forged, gray_model, runtime)
