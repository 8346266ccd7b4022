"""Pack a folder of training pictures small enough to be carried to another machine.

    python -m cnnzip.train.pack DIR OUT [--side 1024] [--quality 86]

Every picture is written into the folder OUT as a JPEG with colour at full resolution (4:4:4), larger ones scaled
down to SIDE pixels. Training cuts crops at reduced scales, too, and sees little of what that costs. A picture that
is in OUT already is left as it is, so that a run that was broken off goes on.
"""

import argparse
import io
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnzip.errors import CnnzipError, FileError
from cnnzip.files import write_atomic
from cnnzip.train.data import load

SIDE, QUALITY = 1024, 86
"""By default: 760 pictures for training, 321 megapixels, take 54 MB."""


def packed(pixels: NDArray[np.uint8], side: int, quality: int) -> bytes:
    """The JPEG of pixels (H, W, 3), no side longer than `side`."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, subsampling=0, progressive=True)
    return file.getvalue()


def pack(folder: Path, output: Path, *, side: int = SIDE, quality: int = QUALITY) -> tuple[int, int]:
    """Pack the pictures below `folder` into `output`; how many there are, and their bytes together.

    Raises:
        TrainingError: `folder` holds no usable picture.
        FileError: a file cannot be written.
    """
    data = load(folder, cache_bytes=0)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{output}: cannot be made: {error.strerror}") from error
    count = total = 0
    for number, path in enumerate(data.paths):
        # The folder's structure goes into the name: pictures of different folders may be called the same.
        target = output / ("-".join(path.relative_to(folder).with_suffix("").parts) + ".jpg")
        if not target.exists():
            for pixels in data.choose([number]):
                write_atomic(target, packed(pixels, side, quality), force=False)
        if target.exists():
            count, total = count + 1, total + target.stat().st_size
    return count, total


def main() -> None:
    """Parse the command line and pack."""
    parser = argparse.ArgumentParser(description="Pack a folder of training pictures.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--side", type=int, default=SIDE)
    parser.add_argument("--quality", type=int, default=QUALITY)
    arguments = parser.parse_args()
    try:
        count, total = pack(arguments.folder, arguments.output, side=arguments.side, quality=arguments.quality)
    except CnnzipError as error:
        sys.exit(f"cnnzip.train.pack: {error}")
    print(f"{count} pictures, {total / 1e6:.1f} MB, in {arguments.output}")


if __name__ == "__main__":
    main()
