"""The command line where memory ends: whatever allocation fails, one clear line, exit code 1, and nothing left behind.

    python tests/fuzz/short_of_memory.py

Runs commands in this process, which has loaded all libraries before, under a limit on the address space that leaves
them four megabytes, then more, until they are done. A line of the output is a command, what was left to it, and how it
ended; where that is otherwise than told above it ends with WRONG, and the exit code is then 1.
"""

import contextlib
import io
import os
import random
import resource
import sys
import tempfile
from pathlib import Path

import decode
import numpy as np

from cnnzip.cli.app import run
from cnnzip.codec.tiling import WHOLE
from cnnzip.image import Picture, read, write

TESTS = Path(__file__).parent.parent
COMMANDS = (
    "decode --threads 1 {}-tiny.cnz -o out.png",
    "decode --threads 1 {}-tiny-photo.cnz -o out.png",
    "decode --threads 1 --partial {}-tiny-photo.cnz -o out.png",
    "encode --threads 1 --model tiny {}.png -o out.cnz",
    "encode --threads 1 --model tiny-photo --coder rans {}.png -o out.cnz",
)
"""One thread: where not even the stack of another can be had, the C library ends the process."""

MODELS = ("tiny", "tiny-photo")
"""Of these commands: making files for others as well would leave more memory behind that can be had again."""

MOST_MEGABYTES = 4096
CLEAR = "not enough memory"


def call(command: str) -> tuple[int, str]:
    """The exit code of a command and what it wrote on standard error."""
    sys.argv = ["cnnzip", *command.split()]
    error = io.StringIO()
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        try:
            run()
        except SystemExit as ended:
            return int(ended.code or 0), error.getvalue()
        except BaseException as escaped:
            return -1, f"{type(escaped).__name__}: {escaped}\n"
    return -1, error.getvalue()


def used() -> int:
    """Bytes of address space of this process."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def main() -> None:
    """Go through the commands."""
    os.environ |= {"CNNZIP_MODELS": str(TESTS / "golden" / "models"), "OMP_NUM_THREADS": "1"}
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["XDG_DATA_HOME"] = folder
        photo, rng = read((TESTS / "data" / "parrots-96x64.png").read_bytes()), random.Random(1)
        for name, repeats, tiling in (("small", 1, WHOLE), ("large", 12, 4)):
            picture = Picture(np.tile(photo.color, (repeats, repeats, 1)))
            Path(f"{name}.png").write_bytes(write(picture, "PNG")[0])
            for model in (one for one in decode.INSTALLED.values() if one.description.name in MODELS):
                data = decode.of_noise(model, "rans", picture.width, picture.height, tiling, 1.0, rng)
                Path(f"{name}-{model.description.name}.cnz").write_bytes(data)
        for command in COMMANDS:  # what is loaded when it is first needed
            assert call(command.format("small"))[0] == 0
            for name in ("out.cnz", "out.png"):
                Path(name).unlink(missing_ok=True)
        before = sorted(Path().iterdir())
        for template in COMMANDS:
            command = template.format("large")
            megabytes, code = 4.0, 1
            while code and megabytes < MOST_MEGABYTES:
                resource.setrlimit(resource.RLIMIT_AS, (used() + int(megabytes * 2**20), resource.RLIM_INFINITY))
                code, told = call(command)
                resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                left = set(Path().iterdir()) - set(before)
                clear = told.count("\n") == 1 and CLEAR in told
                sound = code == 0 or (code == 1 and clear and not left)
                failures += not sound
                mark = "" if sound else f"  WRONG {sorted(map(str, left))}"
                print(f"{command}: {megabytes:.1f} MB: {code} {told.strip()!r}{mark}", flush=True)
                for path in left:
                    path.unlink()
                megabytes *= 2.2
    print(f"{len(COMMANDS)} commands, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
