"""What every benchmark works on: a folder of pictures."""

from collections.abc import Iterator
from pathlib import Path

from cnnzip.errors import FileError, PictureError
from cnnzip.image import Picture, read


def pictures(folder: Path) -> Iterator[tuple[str, bytes, Picture]]:
    """Name, bytes and picture of every picture in `folder`, in the order of their names.

    Raises:
        FileError: `folder` is no folder, or holds no picture.
    """
    if not folder.is_dir():
        raise FileError(f"{folder}: not a folder of pictures")
    found = False
    for path in sorted(folder.iterdir(), key=lambda p: (len(p.name), p.name)):
        if not path.is_file():
            continue
        data = path.read_bytes()
        try:
            picture = read(data)
        except PictureError:
            continue
        found = True
        yield path.name, data, picture
    if not found:
        raise FileError(f"{folder}: no picture in it")
