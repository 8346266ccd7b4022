"""Nothing that a stranger may have made is unpickled: a pickle can run any code."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cnnzip

PACKAGE = Path(cnnzip.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

UNSAFE = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "copyreg"}


def uses(source: str) -> set[str]:
    """What of a source could unpickle something."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= UNSAFE & {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= UNSAFE & {str(node.module).split(".")[0]}
        elif isinstance(node, ast.Call):
            called, given = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
            if called == "torch.load" and given.get("weights_only") != "True":
                found.add("torch.load")
            if called in ("np.load", "numpy.load", "np.fromfile") or "allow_pickle" in given:
                found.add(called)
            if called in ("eval", "exec", "compile"):
                found.add(called)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_file_unpickles_anything(file: Path) -> None:
    assert not uses(file.read_text(encoding="utf-8"))


def test_it_would_be_seen() -> None:
    for source in ("import pickle", "from pickle import loads", "torch.load(f)", "torch.load(f, weights_only=False)"):
        assert uses(source)
    assert uses("np.load(f, allow_pickle=True)")
    assert not uses("torch.load(f, weights_only=True)")


PROGRAM = """
import sys

def watch(event, arguments):
    if event == "pickle.find_class":
        print("unpickled", arguments, file=sys.stderr)
        raise SystemExit(3)

sys.addaudithook(watch)
import pickle
if sys.argv[1] == "unpickle":
    pickle.loads(pickle.dumps(sys.exit))

import numpy as np
from PIL import Image
import cnnzip
from cnnzip import limits
from cnnzip.codec.inspect import describe
from cnnzip.codec.models import installed
from cnnzip.denoise.model import open_denoiser

assert list(installed())
picture, denoiser = sys.argv[2:]
data = cnnzip.encode(Image.open(picture), model=sys.argv[1])
describe(data, limits.MAX_PIXELS)
cnnzip.decode(data)
planes = np.zeros((1, 4, 8, 8), np.float32)
open_denoiser(denoiser).run(planes[:, :3], planes[:, 3:])
"""


@pytest.mark.parametrize(("what", "code"), [("unpickle", 3), ("tiny", 0), ("tiny-photo", 0)])
def test_nothing_is_unpickled_on_the_way(what: str, code: int, installed_tiny: Path, photo_file: Path) -> None:
    assert installed_tiny.is_dir()
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    command = [
        sys.executable,
        "-c",
        PROGRAM,
        what,
        str(photo_file),
        str(Path(__file__).parents[1] / "models" / "denoise"),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == code, done.stderr.decode()
