"""Who may import whom (DESIGN, section 2), and what the commands must not load."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cnnzip

PACKAGE = Path(cnnzip.__file__).parent
BASE = {"errors", "limits"}
ROOMS = {"image", "networks", "prior", "entropy", "container"}

# Each part of the package, and the other parts that it may import. The empty name is cnnzip/__init__.py.
ALLOWED = {
    **dict.fromkeys(ROOMS, BASE),
    "errors": set(),
    "limits": set(),
    "files": BASE,
    "codec": BASE | ROOMS,
    "denoise": BASE | {"codec", "container", "image", "networks", "files"},
    "train": BASE | {"", "codec", "denoise", "networks", "prior", "entropy", "image", "files"},
    # networks: the type of a runtime
    "bench": BASE | {"", "codec", "denoise", "entropy", "image", "networks", "prior", "files"},
    "api": BASE | {"codec", "denoise", "entropy", "image", "files"},
    "pillow_plugin": BASE | {"api", "codec", "container", "image"},
    # container: the magic; networks: a type
    "batch": BASE | {"codec", "container", "denoise", "image", "networks", "files"},
    # networks: the options of a family
    "cli": BASE | {"", "batch", "codec", "denoise", "image", "networks", "train", "bench", "files"},
    "": {"api", "errors"},
    "__main__": {"cli"},
}

# The files that may import torch; all else works without it.
TORCH = {
    "networks": {
        *("family", "layers", "pool", "dense", "deconv", "residual", "photo", "denoise"),
        *("folding", "halo", "preview", "cost", "torch_runtime", "export", "strides"),
    },
    "prior": {"density", "hyper_density"},
    "train": None,  # all of it
    "bench": {"metrics"},  # MS-SSIM
}


def part_of(file: Path) -> str:
    first = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imports(file: Path) -> set[str]:
    """The modules that a file imports anywhere, also inside functions, in full."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import hides what it imports"
            # `from cnnzip import image` imports cnnzip.image; `from cnnzip import __version__` only cnnzip.
            modules = {name.name for name in node.names if (PACKAGE / name.name).exists()}
            modules |= {name.name for name in node.names if (PACKAGE / f"{name.name}.py").exists()}
            whole = node.module == "cnnzip" and modules
            found |= {f"cnnzip.{name}" for name in modules} if whole else {str(node.module)}
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_each_part_imports_only_what_it_may(file: Path) -> None:
    part = part_of(file)
    own = {name for name in imports(file) if name.split(".")[0] == "cnnzip"}
    parts = {name.split(".")[1] if "." in name else "" for name in own}
    assert parts - {part} <= ALLOWED[part]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_torch_is_imported_only_where_it_is_needed(file: Path) -> None:
    part = part_of(file)
    if any(name.split(".")[0] in ("torch", "pytorch_optimizer") for name in imports(file)):
        assert part in TORCH
        assert TORCH[part] is None or file.stem in TORCH[part]


def loaded(tmp_path: Path, *arguments: str) -> set[str]:
    """The top-level modules that a command has loaded when it ends."""
    record = tmp_path / "modules"
    program = (
        "import pathlib, runpy, sys\n"
        "try:\n"
        "    runpy.run_module('cnnzip', run_name='__main__')\n"
        "finally:\n"
        f"    pathlib.Path({str(record)!r}).write_text('\\n'.join(sys.modules))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return {name.split(".")[0] for name in record.read_text().split("\n")}


def test_commands_do_not_load_torch(installed_tiny: Path, tmp_path: Path, photo_file: Path) -> None:
    assert installed_tiny.is_dir()
    encode = loaded(tmp_path, "encode", "--model", "tiny", "-o", "a.cnz", str(photo_file))
    decode = loaded(tmp_path, "decode", "a.cnz")
    verify = loaded(tmp_path, "verify", "a.cnz")
    info = loaded(tmp_path, "info", "a.cnz")
    explain = loaded(tmp_path, "explain", "a.cnz")
    models = loaded(tmp_path, "models")
    # If this were not so, the probe would not see what is loaded.
    assert "onnxruntime" in encode & decode & explain
    for modules in (encode, decode, verify, info, explain, models):
        assert not modules & {"torch", "onnx", "dahuffman", "scipy", "matplotlib", "rich", "pydantic"}
    # What only batches need.
    for modules in (encode, decode, verify, info):
        assert not modules & {"multiprocessing", "sqlite3", "fsspec", "distributed"}
    for modules in (verify, info, models):
        assert not modules & {"onnxruntime"}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["encode", "--help"], ["explain", "--help"], ["train", "--help"], ["--version"]]
)
def test_help_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    modules = loaded(tmp_path, *arguments)
    assert "typer" in modules
    assert not modules & {"torch", "numpy", "PIL", "onnxruntime", "safetensors", "rich", "pydantic"}


def test_import_of_the_package_loads_nothing_heavy() -> None:
    program = "import cnnzip, sys; print(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    modules = {name.split(".")[0] for name in done.stdout.decode().split()}
    assert "cnnzip" in modules
    assert not modules & {"torch", "numpy", "PIL", "onnxruntime", "typer"}
