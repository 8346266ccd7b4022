"""The priors by name: what a bundle's description calls them."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from cnnzip.errors import BadModelError
from cnnzip.prior.factorised import FactorisedPrior
from cnnzip.prior.hyper import HyperPrior
from cnnzip.prior.prior import Prior

PRIORS: dict[str, type[FactorisedPrior] | type[HyperPrior]] = {"factorised": FactorisedPrior, "hyper": HyperPrior}


def prior_from_arrays(name: str, arrays: Mapping[str, NDArray[Any]], tables: int) -> Prior:
    """The prior called `name` with the arrays of a bundle, to be used with `tables` probability tables.

    Raises:
        BadModelError: there is no such prior, or the arrays are not those of one.
    """
    if name not in PRIORS:
        raise BadModelError(f"no prior is called '{name}'")
    return PRIORS[name].from_arrays(arrays, tables)
