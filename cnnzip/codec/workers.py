"""Tiles and windows side by side: what is done to one is done by one thread of Python, some at a time."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any, TypeVar

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

    yield from side_by_side(one, items, workers)


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """What `work` makes of every item, in order; items are drawn in this thread, when there is a worker for them."""
    if workers <= 1:
        yield from map(work, items)
        return
    left = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        flying = [pool.submit(work, item) for item in islice(left, workers)]
        try:
            while flying:
                result = flying.pop(0).result()
                flying += [pool.submit(work, item) for item in islice(left, 1)]
                yield result
        finally:
            for rest in flying:
                rest.cancel()


def flow(
    make: Callable[[int], Result],
    needs: Sequence[Sequence[int]],
    finish: Callable[[int, Mapping[int, Result]], None],
    *,
    threads: int,
    at_once: int,
) -> None:
    """Make parts, and finish whatever is made of them as soon as its parts are there; what is of no more use is let go.

    Args:
        make: gives a part by its number.
        needs: for everything that is to be finished the numbers of its parts.
        finish: is given its number, and all parts that are there. Spends its time in libraries, as `make` does.
        threads: how many at a time; 0 for all cores. A part that is the only one has them all for its products.
        at_once: how many are finished at a time.
    """
    workers = threads or usable_cores()
    uses = Counter(number for needed in needs for number in needed)
    products = threads if len(uses) == 1 else 1

    def one(number: int) -> Result:
        with product_threads(products):
            return make(number)

    parts: dict[int, Result] = {}
    unmade, unfinished = sorted(uses, reverse=True), list(range(len(needs)))
    making: dict[Future[Any], int] = {}
    finishing: dict[Future[Any], int] = {}
    with ThreadPoolExecutor(workers) as pool:
        while unfinished or finishing:
            while len(making) + len(finishing) < workers:
                ready = (number for number in unfinished if parts.keys() >= set(needs[number]))
                if len(finishing) < at_once and (number := next(ready, None)) is not None:
                    unfinished.remove(number)
                    finishing[pool.submit(finish, number, parts)] = number
                elif unmade:
                    number = unmade.pop()
                    making[pool.submit(one, number)] = number
                else:
                    break
            done, _ = wait([*making, *finishing], return_when=FIRST_COMPLETED)
            for future in done:
                if future in making:
                    parts[making.pop(future)] = future.result()
                    continue
                future.result()
                for number in needs[finishing.pop(future)]:
                    uses[number] -= 1
                    if not uses[number]:
                        del parts[number]
