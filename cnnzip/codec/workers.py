"""Tiles side by side: what is done to one is done by one thread of Python, as many at a time as there are cores."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from cnnzip.prior.products import product_threads

Item = TypeVar("Item")
Result = TypeVar("Result")


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(work: Callable[[Item], Result], items: Sequence[Item], threads: int) -> Iterator[Result]:
    """What `work` makes of every item, in order; no more results wait than there are threads.

    Args:
        work: spends its time in libraries that let other threads run.
        items: what to do.
        threads: how many at a time; 0 for all cores. A single item has them all for its matrix products.
    """
    workers = min(threads or usable_cores(), len(items))
    products = threads if len(items) == 1 else 1

    def one(item: Item) -> Result:
        with product_threads(products):
            return work(item)

    if workers <= 1:
        yield from map(one, items)
        return
    left = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        flying = [pool.submit(one, item) for item in islice(left, workers)]
        try:
            while flying:
                result = flying.pop(0).result()
                flying += [pool.submit(one, item) for item in islice(left, 1)]
                yield result
        finally:
            for rest in flying:
                rest.cancel()
