"""`import cnnzip.pillow_plugin` lets Pillow open and save `.cnz`.

>>> image = Image.open("photo.cnz")             # reads the header; the pixels are decoded when they are needed
>>> image.save("copy.cnz", quality=60)          # also target_bytes=…, model=… and what else encode takes
"""

from typing import IO, Any

from PIL import Image, ImageFile

from cnnzip.api import decode, encode
from cnnzip.container import is_cnz
from cnnzip.errors import CnnzipError
from cnnzip.image.metadata import EXIF_PREFIX

FORMAT = "CNZ"
MIME = "image/x-cnnzip"

ENCODING = ("quality", "target_bytes", "target_bpp", "target_psnr", "max_bytes", "model", "coder")
"""What `save` hands on to `cnnzip.encode`."""


class CnzImageFile(ImageFile.ImageFile):
    """A `.cnz` file, opened lazily: size, mode and metadata at once, pixels on `load`."""

    format = FORMAT
    format_description = "cnnzip learned image compression"

    def _open(self) -> None:
        from cnnzip.codec.contents import read_contents

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
        icc, exif, xmp = contents.metadata.icc, contents.metadata.exif, contents.metadata.xmp
        blocks = {"icc_profile": icc, "exif": exif and EXIF_PREFIX + exif, "xmp": xmp}
        self.info.update({key: block for key, block in blocks.items() if block})
        self.tile = []
        self._shrink = 1

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> tuple[str, tuple[int, int, float, float]] | None:
        """Decode a preview of at least `size` pixels instead, as Pillow's JPEG does; `thumbnail` asks for it.

        Returns:
            The mode, and the box of the whole picture in what will be decoded; None where nothing changes.
        """
        from cnnzip.codec.decode import SHRINKS

        if self._data is None or size is None or self._shrink != 1:
            return None
        width, height = self.size
        scale = min(width // max(size[0], 1), height // max(size[1], 1))
        self._shrink = shrink = max(shrink for shrink in SHRINKS if shrink <= max(scale, 1))
        if shrink == 1:
            return None
        self._size = -(-width // shrink), -(-height // shrink)
        return self.mode, (0, 0, width / shrink, height / shrink)

    def load(self) -> Any:
        """Decode the pixels, once; OSError where the file is damaged, as with Pillow's own formats."""
        if self._data is not None:
            try:
                image = decode(self._data, shrink=self._shrink)
            except CnnzipError as error:
                raise OSError(str(error)) from error
            self._data = None
            self.im = image.im
            if self._exclusive_fp and self.fp is not None:
                self.fp.close()
                self.fp = None
        return super().load()


def _mode(channels: int, depth: int, alpha: bool) -> str:
    if channels == 1 and depth == 16 and not alpha:
        return "I;16"
    return ("L" if channels == 1 else "RGB") + ("A" if alpha else "")


def _save(image: Image.Image, file: IO[bytes], _filename: str | bytes) -> None:
    options = image.encoderinfo
    try:
        # As with Pillow's own formats, what is given wins over what the image brings, and None drops it.
        given = {key: options[key] for key in ("icc_profile", "exif", "xmp") if key in options}
        if given:
            image = image.copy()
            exif = given.get("exif")
            image.info.update(given | {"exif": exif.tobytes()} if isinstance(exif, Image.Exif) else given)
        data = encode(image, **{key: options[key] for key in ENCODING if key in options})
    except CnnzipError as error:
        raise OSError(str(error)) from error
    file.write(data)


Image.register_open(FORMAT, CnzImageFile, is_cnz)
Image.register_save(FORMAT, _save)
Image.register_extension(FORMAT, ".cnz")
Image.register_mime(FORMAT, MIME)
