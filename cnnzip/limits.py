"""The limits on what a picture or a file may claim. Nothing is allocated before its claim is checked here."""

MAX_PIXELS = 178_956_970
"""Pixels a picture, as Pillow's own bomb limit: 1 GiB at 6 bytes a pixel (16-bit RGB).

Raised with `--limit-pixels`.
"""

MAX_SIDE = 65_535
"""Pixels a side; the common limit of JPEG, and enough for any scan."""

MAX_METADATA_BYTES = 8 * 1024 * 1024
"""Bytes a metadata section, after inflation: real ICC, EXIF and XMP blocks stay far below."""

MAX_FILE_BYTES = 4 * 1024**3
"""Bytes a file that is read into memory whole."""
