"""What can be denoised: a picture of any format, or a `.cnz` file."""

from cnnzip.codec.decode import decode_picture
from cnnzip.container import is_cnz
from cnnzip.image import Picture, read


def read_picture(data: bytes, *, limit_pixels: int, runtime: str = "onnx", threads: int = 0) -> Picture:
    """The picture in the bytes of a file; `runtime` and `threads` are for a `.cnz` file.

    Raises:
        PictureError: it is no usable picture.
        CnzError: the data is a bad `.cnz` file.
        ModelError: its model is not here, or damaged.
    """
    if is_cnz(data):
        return decode_picture(
            data,
            limit_pixels=limit_pixels,
            open_runtime=lambda model: model.runtime(runtime, threads),
            threads=threads,
        )
    return read(data, limit_pixels=limit_pixels)
