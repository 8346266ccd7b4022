"""Where the bits went, for both priors."""

from dataclasses import replace

import numpy as np
import pytest

from cnnzip.codec.contents import read_contents
from cnnzip.codec.decode import decode_picture
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.explain import explain
from cnnzip.entropy import symbol_bits
from cnnzip.image import Crop, Picture, prepare


@pytest.fixture(params=["tiny", "photo_model"])
def model(request):
    """A model of each prior."""
    return request.getfixturevalue(request.param)


def explained(picture, model, **options):
    runtime = model.runtime(threads=1)
    data = encode_picture(picture, model, runtime, **options)
    found = explain(data, find_model=lambda _: model, open_runtime=lambda _: runtime)
    return found, read_contents(data)


def cut(photo, width, height):
    return prepare(photo, crop=Crop(width, height, 3, 1))


@pytest.mark.parametrize("coder", ["huffman", "rans"])
@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 33), (90, 60)])
def test_the_bits_are_those_of_the_latent_section(coder, size, photo, model):
    found, contents = explained(cut(photo, *size), model, quality=70, coder=coder)
    total = 8 * len(contents.latents[0])
    assert found.bits.shape == model.latent_shape(*size)[1:]
    assert found.bits.sum() == pytest.approx(total, rel=1e-9)
    assert found.total == pytest.approx(total, rel=1e-9)
    assert found.channel_bits.sum() + found.hyper_bits == pytest.approx(total, rel=1e-9)
    assert (found.hyper_bits > 0) == (model.description.prior == "hyper")
    # The map in bits a pixel means the same bits: drawn over the picture's pixels it sums up to them.
    drawn = found.bpp.repeat(found.stride, axis=0).repeat(found.stride, axis=1)[: size[1], : size[0]]
    assert drawn.shape == size[::-1]
    assert drawn.sum() == pytest.approx(total, rel=1e-9)
    assert found.pixels.sum() == size[0] * size[1]


def test_the_picture_is_the_decoded_one(photo, model):
    runtime = model.runtime(threads=1)
    data = encode_picture(photo, model, runtime)
    found = explain(data, find_model=lambda _: model, open_runtime=lambda _: runtime)
    decoded = decode_picture(data, find_model=lambda _: model, open_runtime=lambda _: runtime)
    assert np.array_equal(found.picture.color, decoded.color)
    assert (found.header.width, found.header.height, found.stride) == (photo.width, photo.height, model.stride)


def test_the_bits_lie_where_the_symbols_do(photo, tiny):
    """One symbol changed changes the bits of its position, and of its channel, by what it costs."""
    passes = []

    class Watching:
        def __getattr__(self, name):
            return getattr(tiny.prior, name)

        def encode(self, *arguments):
            passes[:] = [(symbols.copy(), indices) for symbols, indices in tiny.prior.encode(*arguments)]
            shape = tiny.latent_shape(photo.width, photo.height)
            if changed is not None:
                passes[0][0].reshape(shape)[changed] += 3
            return passes

    watched = replace(tiny, prior=Watching())
    changed = None
    before, contents = explained(photo, watched, quality=50, coder="rans")
    plain = symbol_bits(tiny.codebook.tables, *passes[0])
    changed = (5, 2, 4)
    after, changed_contents = explained(photo, watched, quality=50, coder="rans")
    other = symbol_bits(tiny.codebook.tables, *passes[0])
    assert np.flatnonzero(other != plain).tolist() == [np.ravel_multi_index(changed, after.steps.shape)]
    factors = [8 * len(c.latents[0]) / bits.sum() for c, bits in ((contents, plain), (changed_contents, other))]
    difference = after.bits / factors[1] - before.bits / factors[0]
    assert difference[2, 4] == pytest.approx((other - plain).sum())
    assert np.abs(np.delete(difference.ravel(), 2 * difference.shape[1] + 4)).max() < 1e-6
    by_channel = after.channel_bits / factors[1] - before.channel_bits / factors[0]
    assert np.flatnonzero(np.abs(by_channel) > 1e-6).tolist() == [5]
    assert after.steps[changed] == before.steps[changed] + 3


def test_the_hyper_latents_bits_lie_on_the_positions_it_covers(photo, photo_model):
    found, contents = explained(cut(photo, 90, 60), photo_model, quality=70)
    bits = []

    def read(indices):
        symbols = decoder.read(indices)
        bits.append(symbol_bits(photo_model.codebook.tables, symbols, indices))
        return symbols

    decoder = photo_model.coder("huffman").decoder(contents.latents[0])
    shape = photo_model.latent_shape(90, 60)
    photo_model.prior.decode(read, shape, 7000)
    factor = 8 * len(contents.latents[0]) / sum(one.sum() for one in bits)
    hyper = factor * bits[0].reshape(4, 1, 2).sum(axis=0)
    assert found.hyper_bits == pytest.approx(hyper.sum())
    latent = np.zeros(shape)
    even = np.add.outer(np.arange(shape[1]), np.arange(shape[2])) % 2 == 0
    first = np.concatenate([np.repeat(even[None], 8, 0), np.repeat(~even[None], 8, 0)])
    latent[first], latent[~first] = factor * bits[1], factor * bits[2]
    # 90 × 60 is 6 × 4 positions: the hyper-latent's first column covers 16 of them, its second 8.
    rest = found.bits - latent.sum(axis=0)
    assert np.allclose(rest[:, :4], hyper[0, 0] / 16)
    assert np.allclose(rest[:, 4:], hyper[0, 1] / 8)
    assert np.allclose(found.channel_bits, latent.sum(axis=(1, 2)))


def test_the_most_expensive_channels(photo, model):
    found, _ = explained(photo, model, quality=70)
    order = found.most_expensive(10_000)
    assert sorted(order) == list(range(len(found.channel_bits)))
    assert (np.diff(found.channel_bits[order]) <= 0).all()
    assert found.most_expensive(3) == order[:3]
    assert found.most_expensive(0) == []


def test_the_steps_are_the_latents(photo, model):
    found, contents = explained(photo, model, quality=70)
    latent = model.runtime(threads=1).analysis((photo.color.transpose(2, 0, 1)[None] / 255).astype(np.float32))[0]
    assert np.abs(found.steps - model.prior.gains.scale(latent, contents.header.quality_units)).max() < 1.01


def test_the_scale_ends_at_the_dearest_whole_position(photo, tiny):
    """A sliver of one pixel at the edge may cost hundreds of bits a pixel; the scale does not follow it."""
    found, _ = explained(cut(photo, 65, 49), tiny, quality=90)
    assert found.pixels[-1, -1] == 1
    assert found.highest_bpp == found.bpp[:-1, :-1].max() < found.bpp.max()
    alone, _ = explained(cut(photo, 5, 3), tiny, quality=90)
    assert alone.highest_bpp == alone.bpp.item()


def test_a_gray_picture(model):
    gray = Picture(np.arange(40 * 24, dtype=np.uint16).reshape(40, 24, 1) * 60)
    found, contents = explained(gray, model)
    assert found.picture.channels == 1
    assert found.total == pytest.approx(8 * len(contents.latents[0]))
