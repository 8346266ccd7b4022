"""The Python face of cnnzip. Everything heavy is imported on the first call."""

from os import PathLike
from typing import TYPE_CHECKING, Literal

from cnnzip import limits

if TYPE_CHECKING:
    from PIL import Image


def encode(
    image: "Image.Image",
    *,
    quality: float | None = None,
    target_bytes: float | None = None,
    target_bpp: float | None = None,
    target_psnr: float | None = None,
    max_bytes: int | None = None,
    model: str | None = None,
    coder: str = "huffman",
    denoise: float | Literal["auto"] | None = None,
    threads: int = 0,
) -> bytes:
    """The bytes of a `.cnz` file that holds `image`, with its ICC, EXIF and XMP.

    Args:
        image: a PIL image of any mode; what cannot be kept is converted as `cnnzip encode` does.
        quality: 0 … 100, to the hundredth; by default 75.
        target_bytes: choose the quality by the size of the result.
        target_bpp: choose the quality by the bits a pixel.
        target_psnr: choose the quality by the PSNR in dB.
        max_bytes: lower the quality where the result would be larger.
        model: the name of an installed model, or a bundle's folder; by default the one that `encode` takes.
        coder: "huffman" or "rans".
        denoise: take noise of this level (see `denoise_image`) out before; "auto" finds the level.
        threads: threads for the network; 0 is all cores.

    Raises:
        PictureError: an image that cannot be coded.
        ModelError: no such model.
        TargetError: no quality reaches the target, or gets below `max_bytes`.
        ValueError: a quality outside 0 … 100, a target that is no positive number, both of them or two targets, or an
            unknown coder.
    """
    from cnnzip.codec.encode import Encoder
    from cnnzip.codec.models import DEFAULT_MODEL, find_model
    from cnnzip.codec.rate_control import encode_to, goal_of
    from cnnzip.entropy import CODERS
    from cnnzip.image import from_pil

    if coder not in CODERS:
        raise ValueError(f"coder must be one of {', '.join(CODERS)}, not {coder!r}")
    goal = goal_of(quality, target_bytes, target_bpp, target_psnr)
    found = find_model(model or DEFAULT_MODEL)
    picture = from_pil(image)
    if denoise is not None:
        from cnnzip.denoise.denoise import denoise_picture
        from cnnzip.denoise.model import open_denoiser

        picture, _ = denoise_picture(
            picture, open_denoiser(threads=threads), sigma=None if denoise == "auto" else denoise
        )
    encoder = Encoder(picture, found, found.runtime(threads=threads), coder, threads=threads)
    return encode_to(encoder, goal, max_bytes).data


def decode(
    data: bytes,
    *,
    crop: tuple[int, int, int, int] | None = None,
    shrink: int = 1,
    threads: int = 0,
    limit_pixels: int = limits.MAX_PIXELS,
) -> "Image.Image":
    """The picture in the bytes of a `.cnz` file.

    Args:
        data: the whole file.
        crop: left, upper, right and lower edge of what is wanted, as in `Image.crop`, of the picture as viewers show
            it. Of a large picture only the tiles that are needed are decoded.
        shrink: 2, 4 or 8 for a preview of that part of the sides, rounded up, in a fraction of the time.
        threads: 0 is all cores.
        limit_pixels: refuse pictures larger than this.

    Raises:
        CnzError: the data is no good `.cnz` file.
        ModelError: the model that it names is not installed, or damaged.
        PictureError: the crop is not within the picture.
        ValueError: an empty crop, a crop of a preview, or another `shrink`.
    """
    from cnnzip.codec.decode import decode_picture
    from cnnzip.image import Crop, to_pil

    rectangle = None
    if crop is not None:
        left, upper, right, lower = crop
        if not (0 <= left < right and 0 <= upper < lower):
            raise ValueError(f"a crop is (left, upper, right, lower) with something in it, not {crop}")
        rectangle = Crop(right - left, lower - upper, left, upper)
    picture = decode_picture(
        data,
        crop=rectangle,
        shrink=shrink,
        limit_pixels=limit_pixels,
        open_runtime=lambda model: model.runtime(threads=threads),
        threads=threads,
    )
    return to_pil(picture)


def denoise_image(
    image: "Image.Image",
    *,
    sigma: float | None = None,
    strength: float = 1.0,
    keep_detail: bool = False,
    chroma: bool = False,
    model: str | None = None,
    threads: int = 0,
) -> "Image.Image":
    """The image without its noise, with its ICC, EXIF and XMP.

    Args:
        image: a PIL image of any mode; what cannot be kept is converted as `cnnzip denoise` does.
        sigma: the noise's standard deviation on the scale 0…255; by default it is found from the image, and a clean
            one comes back as it was.
        strength: 1 takes all of the noise, 0 none.
        keep_detail: put part of it back where texture and edges hide it.
        chroma: treat colour noise more strongly, in twice the time.
        model: the name of an installed denoising model, or a bundle's folder.
        threads: threads for the network; 0 is all cores.

    Raises:
        PictureError: an image that cannot be denoised.
        ModelError: no such model.
        ValueError: a sigma outside 0 … 255 or a strength outside 0 … 1.
    """
    from cnnzip.denoise.denoise import denoise_picture
    from cnnzip.denoise.model import DEFAULT_DENOISER, open_denoiser
    from cnnzip.image import from_pil, to_pil

    denoiser = open_denoiser(model or DEFAULT_DENOISER, threads=threads)
    picture, _ = denoise_picture(
        from_pil(image), denoiser, sigma=sigma, strength=strength, keep_detail=keep_detail, chroma=chroma
    )
    return to_pil(picture)


def open(  # noqa: A001 — as in Image.open and gzip.open
    path: str | PathLike[str], *, threads: int = 0, limit_pixels: int = limits.MAX_PIXELS
) -> "Image.Image":
    """The picture in the `.cnz` file at `path`; see `decode`.

    Raises:
        FileError: it cannot be read.
        CnzError, ModelError: as `decode`.
    """
    from cnnzip.files import read_bytes

    return decode(read_bytes(path), threads=threads, limit_pixels=limit_pixels)
