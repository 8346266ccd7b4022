"""cnnzip under a clock: the script of which `cnnzip.bench.profile` starts a process for each run.

    python -P trace.py TRACE cold ARGUMENT…                        # once, as `python -m cnnzip ARGUMENT…`
    python -P trace.py TRACE warm encode SOURCE TARGET MODEL THREADS RUNS
    python -P trace.py TRACE warm decode SOURCE TARGET MODEL THREADS RUNS

The codec knows nothing of it. Functions that load, read and write are replaced by timed ones as soon as their module is
loaded, before another can import them from there; runtimes, priors and entropy coders are handed out inside objects
whose methods are timed; and so is every `import`. Where one timed thing calls another, only the inner one is counted.

TRACE gets a line of JSON, {"first", "done", "runs": [{"start", "stop", "spans": [[stage, start, stop], …]}]}, and
below it the time at which that was ready. Times are those of `time.monotonic`, in seconds: all processes share it.
"""

from __future__ import annotations

import _thread
import sys
import time

# What typing would cost is not cnnzip's.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Span = tuple[str, float, float]

FIRST = time.monotonic()

IMPORTS = "imports"

FUNCTIONS = {
    "cnnzip.codec.transforms:pad": "planes",
    "cnnzip.codec.model:load_model": "model load",
    "cnnzip.files:read_bytes": "file reading",
    "cnnzip.files:write_atomic": "file writing",
    "cnnzip.image.planes:from_planes": "pixels",
    "cnnzip.image.planes:to_planes": "planes",
    "cnnzip.image.reading:read": "picture decoding",
    "cnnzip.image.writing:write": "picture encoding",
    "onnxruntime:InferenceSession": "sessions",
}
"""Functions, as module:name, and the stage that each is."""

FACTORIES = {
    "cnnzip.entropy:coder": ("entropy coding", "entropy coding"),
    "cnnzip.networks.runtime:open_runtime": ("analysis", "synthesis"),
    "cnnzip.prior.registry:prior_from_arrays": ("prior", "prior"),
}
"""Functions that make objects, and the stages that the methods of these are: in general, and those called synthesis…"""


class Clock:
    """The spans of time of each stage. In every thread the stage that began last has the time, until it ends."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._stacks: dict[int, list[str]] = {}
        self._since: dict[int, float] = {}

    def begin(self, stage: str) -> None:
        """`stage` begins in this thread."""
        thread = _thread.get_ident()
        stack = self._stacks.setdefault(thread, [])
        if not stack or stack[-1] != stage:
            self._turn(thread, stack)
        stack.append(stage)

    def end(self) -> None:
        """The stage that began last in this thread ends."""
        thread = _thread.get_ident()
        stack = self._stacks[thread]
        if len(stack) < 2 or stack[-2] != stack[-1]:
            self._turn(thread, stack)
        stack.pop()

    def _turn(self, thread: int, stack: list[str]) -> None:
        now = time.monotonic()
        if stack:
            self.spans.append((stack[-1], self._since[thread], now))
        self._since[thread] = now

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, with its time counted as `stage`."""

        def run(*arguments: Any, **options: Any) -> Any:
            self.begin(stage)
            try:
                return function(*arguments, **options)
            finally:
                self.end()

        return run


class TimedObject:
    """An object whose methods are timed: as `stage`, those called synthesis… as `synthesis`. All else is as it was."""

    def __init__(self, clock: Clock, inner: Any, stage: str, synthesis: str) -> None:
        self._clock, self._inner, self._stages = clock, inner, (stage, synthesis)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        # What is loaded ahead is no work of the networks.
        if not callable(value) or name == "preload":
            return value
        timed = self._clock.timed(self._stages[name.startswith("synthesis")], value)
        if name != "decoder":
            return timed
        # What a coder's method of that name gives is an object that decodes.
        return lambda *given: TimedObject(self._clock, timed(*given), *self._stages)


def install(clock: Clock) -> None:
    """Time from here on all imports, and of what they load the functions and objects that are named above."""
    import builtins
    import importlib

    places: dict[str, str | tuple[str, str]] = {**FUNCTIONS, **FACTORIES}
    waiting = {(*place.split(":"),): what for place, what in places.items()}

    def replace_loaded() -> None:
        for (name, function), what in list(waiting.items()):
            module = sys.modules.get(name)
            if module is not None and not getattr(module.__spec__, "_initializing", False):
                setattr(module, function, _replaced(clock, getattr(module, function), what))
                del waiting[name, function]

    def hooked(load: Callable[..., Any]) -> Callable[..., Any]:
        timed = clock.timed(IMPORTS, load)

        def run(*arguments: Any, **options: Any) -> Any:
            module = timed(*arguments, **options)
            replace_loaded()
            return module

        return run

    builtins.__import__ = hooked(builtins.__import__)
    importlib.import_module = hooked(importlib.import_module)


def _replaced(clock: Clock, function: Callable[..., Any], what: str | tuple[str, str]) -> Callable[..., Any]:
    if isinstance(what, str):
        return clock.timed(what, function)
    return lambda *given, **options: TimedObject(clock, function(*given, **options), *what)


def cold(arguments: list[str]) -> None:
    """What `python -m cnnzip` does; SystemExit where it fails."""
    import runpy

    sys.argv[1:] = arguments
    try:
        runpy.run_module("cnnzip", run_name="__main__", alter_sys=True)
    except SystemExit as left:
        if left.code:
            raise


def warm(clock: Clock, what: str, source: str, target: str, model: str, threads: int, runs: int) -> list[Any]:
    """So many runs from file to file with the model loaded, after one that is not counted."""
    from cnnzip import image
    from cnnzip.codec.decode import decode_picture
    from cnnzip.codec.encode import encode_picture
    from cnnzip.codec.models import find_model
    from cnnzip.files import read_bytes, write_atomic

    found = find_model(model)
    runtime = found.runtime(threads=threads)

    def once() -> None:
        data = read_bytes(source)
        if what == "encode":
            result = encode_picture(image.read(data), found, runtime)
        else:
            picture = decode_picture(data, find_model=lambda _: found, open_runtime=lambda _: runtime)
            result = image.write(picture, "PNG")[0]
        write_atomic(target, result, force=True)

    once()
    return [_run(clock, once) for _ in range(runs)]


def _run(clock: Clock, work: Callable[[], None]) -> dict[str, Any]:
    clock.spans = []
    start = time.monotonic()
    work()
    return {"start": start, "stop": time.monotonic(), "spans": clock.spans}


def main() -> None:
    """Run, and write the trace."""
    # As with -m: the cnnzip of a checkout that one stands in.
    sys.path.insert(0, "")
    clock = Clock()
    install(clock)
    trace, kind, *words = sys.argv[1:]
    if kind == "cold":
        runs = [_run(clock, lambda: cold(words))]
    else:
        what, source, target, model, threads, count = words
        runs = warm(clock, what, source, target, model, int(threads), int(count))
    done = time.monotonic()
    import json

    text = json.dumps({"first": FIRST, "done": done, "runs": runs})
    with open(trace, "w", encoding="utf-8") as file:  # noqa: PTH123 — pathlib would be one more import
        file.write(f"{text}\n{time.monotonic()}\n")


if __name__ == "__main__":
    main()
