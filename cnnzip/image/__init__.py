"""The image room: image file ↔ pixels, alpha and metadata. Knows nothing of latents and bits.

Pillow does the file formats; it is imported when a picture is first read or written, not with this package.
"""

from cnnzip.image.alpha import decode_plane, encode_plane
from cnnzip.image.formats import format_of
from cnnzip.image.geometry import Crop, Resize, prepare, reduced, stored
from cnnzip.image.orientation import strip
from cnnzip.image.picture import Metadata, Picture, Samples
from cnnzip.image.planes import from_planes, to_planes
from cnnzip.image.reading import HEAD_BYTES, from_pil, read, recognises
from cnnzip.image.writing import to_pil, write

__all__ = [
    "HEAD_BYTES",
    "Crop",
    "Metadata",
    "Picture",
    "Resize",
    "Samples",
    "decode_plane",
    "encode_plane",
    "format_of",
    "from_pil",
    "from_planes",
    "prepare",
    "read",
    "recognises",
    "reduced",
    "stored",
    "strip",
    "to_pil",
    "to_planes",
    "write",
]
