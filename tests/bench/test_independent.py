"""Pillow's JPEG, WebP and AVIF against the programs of the same libraries: bytes at equal PSNR."""

import numpy as np
import pytest
from bjontegaard import bd_rate

from cnnzip.bench.codecs.codec import Codec
from cnnzip.bench.codecs.command import Command
from cnnzip.bench.codecs.pillow import Avif, Jpeg, Jpeg444, Webp
from cnnzip.bench.metrics import psnr_rgb

# -baseline, because below quality 25 cjpeg writes tables of 16 bits, and Pillow such of 8.
CJPEG = "cjpeg -baseline -quality {{q}} -optimize -sample {} -outfile {{out}} {{in}}.ppm"
DJPEG = "djpeg -outfile {out}.ppm {in}"


class AvifSsim(Avif):
    """As avifenc before 1.4 is set up: tuned for SSIM."""

    def options(self, quality):
        return {**super().options(quality), "advanced": {"tune": "ssim"}}


class Avifenc(Command):
    """avifenc in words that old versions have too; the quality as libavif 1.0 and later translate it."""

    def encode(self, picture, quality):
        return super().encode(picture, ((100 - quality) * 63 + 50) // 100)


def curve(encoder: Codec, decoder: Codec, picture: np.ndarray, qualities: tuple[int, ...]) -> tuple[list, list]:
    files = [encoder.encode(picture, quality) for quality in qualities]
    return [len(data) for data in files], [psnr_rgb(picture, decoder.decode(data)) for data in files]


@pytest.mark.parametrize(
    ("ours", "theirs", "decodes"),
    [
        (Jpeg(), Command("cjpeg", CJPEG.format("2x2"), DJPEG), True),
        (Jpeg444(), Command("cjpeg", CJPEG.format("1x1"), DJPEG), True),
        (Webp(), Command("cwebp", "cwebp -quiet -m 6 -q {q} {in} -o {out}", "dwebp -quiet {in} -o {out}"), True),
        (
            AvifSsim(),
            Avifenc(
                "avifenc",
                "avifenc -j 1 -s 6 --min 0 --max 63 -a end-usage=q -a cq-level={q} -a tune=ssim -y 420 {in} {out}.avif",
                "avifdec {in} {out}",
            ),
            # Old versions of avifdec scale colour up in another way.
            False,
        ),
    ],
    ids=["jpeg", "jpeg-444", "webp", "avif"],
)
def test_the_programs_need_the_same_bytes_at_equal_psnr(ours, theirs, decodes, kodim):
    for codec in (ours, theirs):
        if reason := codec.available():
            pytest.skip(f"{codec.name}: {reason}")
    picture = np.ascontiguousarray(kodim[:256, :384])
    qualities = (20, 40, 60, 80)
    base = curve(ours, ours, picture, qualities)
    others = curve(theirs, theirs if decodes else ours, picture, qualities)
    rate = bd_rate(*base, *others, method="akima", require_matching_points=False, min_overlap=0)
    assert abs(rate) < 2
