"""Every error that cnnzip expects, one type for each way that things can go wrong.

The message is one line: what is wrong and, where it helps, what to do. The command line prints it without
a traceback. Errors about a bad `.cnz` file are all below `CnzError`.
"""


class CnnzipError(Exception):
    """The root of every error that cnnzip raises on purpose."""


class UsageError(CnnzipError):
    """Options or inputs that contradict one another; exit code 2."""


class FileError(CnnzipError):
    """A file or folder could not be read or written: missing, a directory, no permission, disk full."""


class OutputExistsError(FileError):
    """The output is there already and `--force` was not given."""


class PictureError(CnnzipError):
    """An input picture is damaged, of no known format, or of a kind that cannot be coded."""


class PictureTooLargeError(PictureError):
    """An input picture has more pixels, or a longer side, than the limits allow."""


class OutputFormatError(PictureError):
    """The chosen output format is unknown, or cannot hold this picture."""


class TargetError(CnnzipError):
    """No quality gives the size or the PSNR that was asked for."""


class ModelError(CnnzipError):
    """The root of all errors about model bundles."""


class ModelNotFoundError(ModelError):
    """No model of that name or id is installed."""


class BadModelError(ModelError):
    """A model bundle is damaged or not what it claims to be."""


class TrainingError(CnnzipError):
    """Training cannot start or go on: no usable pictures, a checkpoint of another run, a missing extra."""


class BenchError(CnnzipError):
    """A benchmark cannot start or go on: results that are none, a missing extra, a codec that is not there."""


class BatchError(CnnzipError):
    """A batch cannot start or go on: a missing extra, another process at the same batch, workers that die."""


class CnzError(CnnzipError):
    """The root of all errors about `.cnz` data."""


class NotCnzError(CnzError):
    """The data does not begin with the magic of a `.cnz` file."""


class UnsupportedVersionError(CnzError):
    """The file is of a format version that this program does not read."""


class TruncatedError(CnzError):
    """The data ends before the file does."""


class TrailingDataError(CnzError):
    """There are bytes behind the end of the file."""


class ChecksumError(CnzError):
    """A checksum does not match: the file was damaged."""


class UnknownSectionError(CnzError):
    """A section that decoding requires is of a type that this program does not know."""


class SectionError(CnzError):
    """A section is missing, doubled, out of order, or its length is not in its shortest form."""


class HeaderError(CnzError):
    """The header's fields contradict one another or lie outside what the format allows."""


class LimitError(CnzError):
    """The file asks for more than the limits allow."""


class PartialError(CnnzipError):
    """A damaged file of which a part was decoded, and written."""


class PayloadError(CnzError):
    """The coded data cannot be what the header says it is."""
