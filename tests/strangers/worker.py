"""Takes one picture after the other through `cnnzip encode` and `cnnzip decode`; `run.py` starts it and watches it:

    python tests/strangers/worker.py SCRATCH MEMORY LIMIT_PIXELS

It reads a file's name from every line of standard input, and answers on descriptor 3 with a line of JSON: `outcome` is
"coded", an error's type, or "ESCAPE"; `message` says more, `seconds` is the processor's time for both commands.
"""

import json
import os
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import cnnzip.errors
from cnnzip.cli.app import run
from cnnzip.image import HEAD_BYTES, read, recognises
from cnnzip.image.picture import to_8_bit

UNCODED = "pictures of "
"""So begin the errors about samples that a .cnz file cannot hold."""
FAR = 1
"""Steps of 8 bits by which samples may differ in the mean from what Pillow sees."""


class EscapeError(Exception):
    """Something that no input may provoke."""


def command(scratch: Path, *words: str) -> tuple[int, list[str], str]:
    """Exit code, lines of standard output, and standard error of `cnnzip`, what C libraries write there included."""
    saved = os.dup(1), os.dup(2)
    streams = [(scratch / name).open("w+b") for name in ("out", "err")]
    sys.argv = ["cnnzip", *words]
    code: object = None
    try:
        for number, stream in enumerate(streams, 1):
            os.dup2(stream.fileno(), number)
        try:
            run()
        except SystemExit as end:
            code = end.code
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, copy in enumerate(saved, 1):
                os.dup2(copy, number)
        out, err = ((scratch / name).read_text("utf-8", "backslashreplace") for name in ("out", "err"))
    finally:
        for stream in streams:
            stream.close()
        for copy in saved:
            os.close(copy)
    if code not in (0, 1):
        raise EscapeError(f"exit code {code}: {err[-300:]}")
    return int(code), out.splitlines(), err


def coded(file: str, scratch: Path, limit_pixels: str) -> tuple[str, str]:
    """(outcome, message) of a picture that was taken through both commands."""
    work = scratch / "work"
    result, back = work / "x.cnz", work / "x.png"
    options = ["--json", "--threads", "1", "--limit-pixels", limit_pixels, "-o"]
    code, lines, told = command(scratch, "encode", "--model", "tiny", "-q", "100", *options, str(result), file)
    if told or len(lines) != 1:
        raise EscapeError(f"encode said: {(told or repr(lines))[:300]}")
    record = json.loads(lines[0])
    if code:
        left = [path.name for path in work.iterdir()]
        if left or "\n" in record["message"] or not record["message"]:
            raise EscapeError(f"left behind {left} after: {record['message']}")
        kind = getattr(cnnzip.errors, record["error"], None)
        if not (kind and issubclass(kind, cnnzip.errors.PictureError)):
            raise EscapeError(f"encode gave {record['error']}: {record['message']}")
        if kind is cnnzip.errors.PictureError and not record["message"].startswith(UNCODED) and readable(Path(file)):
            raise EscapeError(f"Pillow reads what was refused: {record['message']}")
        return record["error"], record["message"]
    code, lines, told = command(scratch, "decode", *options, str(back), str(result))
    if code or told:
        raise EscapeError(f"decode said: {(told or lines[0])[:300]}")
    differs = difference(Path(file), back)
    if differs:
        raise EscapeError(differs)
    return "coded", "; ".join(record.get("notes", ()))


def readable(file: Path) -> bool:
    """Whether Pillow reads a picture of a format that cnnzip takes."""
    data = file.read_bytes()
    if not recognises(data[:HEAD_BYTES], file.name):
        return False
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file) as image:
            image.load()
    except Exception:  # of any type, as Pillow's errors are
        return False
    return True


def difference(file: Path, back: Path) -> str | None:
    """What is wrong with the picture that came back, by the judgement of Pillow alone; None if nothing.

    The samples are compared as they were read: the model was trained for a minute, and knows few colours.
    """
    picture = read(file.read_bytes())
    if any("than Pillow reads" in note for note in picture.notes):
        return None
    with warnings.catch_warnings(action="ignore"), Image.open(file) as given, Image.open(back) as found:
        given.load()
        found.load()
        if found.size != given.size:
            return f"came back as {found.size}, not {given.size}"
        sought = given.has_transparency_data
        if found.has_transparency_data != sought:
            return f"{given.mode} {'lost its' if sought else 'came back with'} alpha"
        distance = float(np.abs(as_rgb(given) - to_8_bit(picture.color)).mean())
    managed = any("by its colour profile" in note for note in picture.notes)
    return f"{given.mode} was read wrong by {distance:.1f} of 255" if distance > FAR and not managed else None


def as_rgb(image: Image.Image) -> Any:
    """(H, W, 3) in steps of 8 bits."""
    if image.mode.startswith("I"):
        return np.asarray(image)[..., None] / 257
    if image.mode == "La":  # Pillow knows no other way from there
        image = image.convert("LA")
    return np.asarray(image.convert("RGBA").convert("RGB")).astype(float)


def main() -> None:
    """Answer until there is nothing more to do."""
    scratch, memory, limit_pixels = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    answers = os.fdopen(3, "w", encoding="utf-8")
    for line in sys.stdin.buffer:
        file = os.fsdecode(line.rstrip(b"\n"))
        for left in (scratch / "work").iterdir():
            left.unlink()
        start = time.process_time()
        try:
            outcome, message = coded(file, scratch, limit_pixels)
        except EscapeError as error:
            outcome, message = "ESCAPE", str(error)
        except Exception as error:  # the very thing that is looked for
            outcome, message = "ESCAPE", f"{type(error).__name__}: {error}"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        answer = {"outcome": outcome, "message": message, "seconds": time.process_time() - start, "peak": peak}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
