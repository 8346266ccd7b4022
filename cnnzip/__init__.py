"""cnnzip: a learned image compressor.

>>> data = cnnzip.encode(image, quality=75)     # a PIL image to the bytes of a .cnz file
>>> image = cnnzip.decode(data)                 # and back
>>> image = cnnzip.open("photo.cnz")            # from a file
>>> image = cnnzip.denoise_image(image)         # without its noise
"""

from cnnzip.api import decode, denoise_image, encode, open  # noqa: A004 — as in Image.open and gzip.open
from cnnzip.errors import CnnzipError, CnzError

__version__ = "0.1.0"

__all__ = ["CnnzipError", "CnzError", "__version__", "decode", "denoise_image", "encode", "open"]
