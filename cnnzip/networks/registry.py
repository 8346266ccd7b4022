"""The families by name. A new family is one new file beside `residual.py` and one line here."""

from dataclasses import fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cnnzip.errors import ModelError

if TYPE_CHECKING:
    from cnnzip.networks.family import Network

FAMILIES = {
    "pool": "Pool",
    "dense": "Dense",
    "deconv": "Deconv",
    "residual": "Residual",
    "photo": "Photo",
}
"""Those that code pictures: a `Family` each."""

DENOISERS = {"denoise": "Denoise"}

MAX_OPTION = 4096
"""Far beyond any network that fits here; a bundle's description must not be able to ask for more."""


def family_type(name: str) -> "type[Network]":
    """The class of the family called `name`; imports torch.

    Raises:
        ModelError: there is no such family.
    """
    classes = FAMILIES | DENOISERS
    if name not in classes:
        raise ModelError(f"no family is called '{name}'; there are: {', '.join(classes)}")
    found: type[Network] = getattr(import_module(f"cnnzip.networks.{name}"), classes[name])
    return found


def build(name: str, options: dict[str, Any]) -> "Network":
    """A fresh network of the family `name` with `options` set, each of them known to its config.

    Raises:
        ModelError: there is no such family or option, or a value does not fit.
    """
    kind = family_type(name)
    known = [field.name for field in fields(kind.config_type)]
    for option in options:
        if option not in known:
            raise ModelError(f"family '{name}' has no option '{option}'; there are: {', '.join(known)}")
    try:
        config = kind.config_type(**options)
    except ValueError as error:
        raise ModelError(f"family '{name}': {error}") from error
    return kind(config)
