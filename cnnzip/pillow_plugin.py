"""`import cnnzip.pillow_plugin` lets Pillow open and save `.cnz`.

>>> image = Image.open("photo.cnz")             # reads the header; the pixels are decoded when they are needed
>>> image.save("copy.cnz", quality=60)          # also coder=…, model=…
"""

from typing import IO, Any

from PIL import Image, ImageFile

from cnnzip.api import decode, encode
from cnnzip.container import is_cnz
from cnnzip.errors import CnnzipError, PictureError

FORMAT = "CNZ"
MIME = "image/x-cnnzip"


class CnzImageFile(ImageFile.ImageFile):
    """A `.cnz` file, opened lazily: size, mode and metadata at once, pixels on `load`."""

    format = FORMAT
    format_description = "cnnzip learned image compression"

    def _open(self) -> None:
        from cnnzip.codec.decode import read_contents

        assert self.fp is not None
        self._data: bytes | None = self.fp.read()
        try:
            contents = read_contents(self._data)
        except CnnzipError as error:
            # What ImageFile turns into "cannot identify"; the reason stays as its cause.
            raise SyntaxError(str(error)) from error
        header = contents.header
        self._size = header.width, header.height
        self._mode = _mode(header.channels, header.depth, header.alpha)
        for key, block in (
            ("icc_profile", contents.metadata.icc),
            ("exif", contents.metadata.exif),
            ("xmp", contents.metadata.xmp),
        ):
            if block is not None:
                self.info[key] = block
        self.tile = []

    def load(self) -> Any:
        """Decode the pixels, once; OSError where the file is damaged, as with Pillow's own formats."""
        if self._data is not None:
            try:
                image = decode(self._data)
            except CnnzipError as error:
                raise OSError(str(error)) from error
            self._data = None
            self.im = image.im
            self._mode = image.mode
            self.info.update(image.info)
        return super().load()


def _mode(channels: int, depth: int, alpha: bool) -> str:
    if channels == 1 and depth == 16 and not alpha:
        return "I;16"
    return ("L" if channels == 1 else "RGB") + ("A" if alpha else "")


def _save(image: Image.Image, file: IO[bytes], _filename: str | bytes) -> None:
    options = image.encoderinfo
    try:
        for key in ("icc_profile", "exif", "xmp"):
            if options.get(key) is not None:
                image = image.copy()
                block = options[key]
                image.info[key] = block.tobytes() if isinstance(block, Image.Exif) else block
        data = encode(
            image,
            quality=options.get("quality", 75),
            model=options.get("model"),
            coder=options.get("coder", "huffman"),
        )
    except PictureError as error:
        raise OSError(str(error)) from error
    file.write(data)


Image.register_open(FORMAT, CnzImageFile, is_cnz)
Image.register_save(FORMAT, _save)
Image.register_extension(FORMAT, ".cnz")
Image.register_mime(FORMAT, MIME)
