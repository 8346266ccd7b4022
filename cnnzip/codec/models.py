"""Where models are found: a path, `CNNZIP_MODELS`, the user's folder, and those that come with cnnzip."""

import os
from collections.abc import Iterator
from pathlib import Path

from cnnzip.codec.header import Header
from cnnzip.codec.model import DESCRIPTION, Description, Model, load_model, read_description
from cnnzip.errors import BadModelError, ModelNotFoundError

DEFAULT_MODEL = "photo"
ENVIRONMENT = "CNNZIP_MODELS"


def search_path() -> list[Path]:
    """The folders whose subfolders are bundles, first the one that wins."""
    package = Path(__file__).parent.parent
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    given = [Path(entry) for entry in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if entry]
    # A wheel carries them inside the package; a checkout, also an editable one, has them beside it.
    return [*given, data / "cnnzip" / "models", package / "_models", package.parent / "models"]


def installed() -> Iterator[tuple[Path, Description | BadModelError]]:
    """Every bundle that can be found: its folder, and its description or what is wrong with it."""
    for root in search_path():
        for folder in _bundles(root):
            try:
                yield folder, read_description(folder)
            except BadModelError as error:
                yield folder, error


def _bundles(root: Path) -> list[Path]:
    try:
        return sorted(filter(_is_bundle, root.iterdir()))
    except OSError:  # it is not there, no folder, or not ours to read
        return []


def _is_bundle(folder: Path) -> bool:
    try:
        return (folder / DESCRIPTION).is_file()
    except OSError:  # not ours to read, or no possible name
        return False


def find_bundle(name: str) -> Path:
    """The folder of the bundle called `name`, or `name` itself when that is a path to one.

    Raises:
        ModelNotFoundError: there is none.
        BadModelError: it is there, but its description is damaged.
    """
    if _is_bundle(Path(name)):
        return Path(name)
    for folder, description in installed():
        if folder.name == name:
            if isinstance(description, BadModelError):
                raise description
            return folder
    names = sorted({folder.name for folder, _ in installed()})
    known = f"installed: {', '.join(names)}" if names else "none is installed"
    raise ModelNotFoundError(f"no model is called '{name}' ({known}); see cnnzip models")


def find_model(name: str = DEFAULT_MODEL) -> Model:
    """The codec's model called `name`, or in the folder `name`; see `find_bundle`.

    Raises:
        ModelNotFoundError: there is none.
        BadModelError: it is there, but damaged.
        ModelError: it is a denoiser.
    """
    return load_model(find_bundle(name))


def model_for(header: Header) -> Model:
    """The model that coded the file with this header, by its id.

    Raises:
        ModelNotFoundError: it is not installed.
        BadModelError: it is, but damaged.
    """
    damaged = None
    for folder, description in installed():
        if isinstance(description, BadModelError):
            damaged = description if folder.name == header.model_name else damaged
        elif description.id == header.model_id:
            return load_model(folder)
    if damaged:
        raise damaged
    raise ModelNotFoundError(
        f"the file needs model '{header.model_name}' ({header.model_id.hex()}), which is not installed; "
        f"put its folder into one of those that {ENVIRONMENT} names"
    )


class Models:
    """`model_for` for many files: the models that were used last stay loaded."""

    KEPT = 4

    def __init__(self) -> None:
        self._loaded: dict[bytes, Model] = {}

    def __call__(self, header: Header) -> Model:
        """The model that coded the file with this header; raises as `model_for`."""
        model = self._loaded.pop(header.model_id, None) or model_for(header)
        if len(self._loaded) == self.KEPT:
            del self._loaded[next(iter(self._loaded))]
        # Behind all others: the first one is always the one used longest ago.
        self._loaded[header.model_id] = model
        return model
