"""What one environment makes of the golden files, as JSON; `drill.py` runs it with several interpreters:

    python tests/portability/probe.py GOLDEN THREADS RUNTIME…

GOLDEN is a folder like tests/golden, and a RUNTIME is one of cnnzip's, or `cuda`: then torch runs the networks on the
GPU, and multiplies the matrices of the exact prior there, too. A runtime that is not there is told in a line.
"""

import hashlib
import json
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from cnnzip.codec.contents import read_contents
from cnnzip.codec.decode import decode_picture, decode_values
from cnnzip.codec.model import Model, load_model
from cnnzip.errors import ModelError
from cnnzip.image import read
from cnnzip.networks.runtime import Runtime
from cnnzip.prior import exact


class CudaRuntime:
    """The synthesis of a model on a GPU."""

    def __init__(self, model: Model) -> None:
        from cnnzip.networks.torch_runtime import TorchRuntime

        described = model.description
        self.network = TorchRuntime(model.folder, described.family, described.options).network.cuda()

    def preload(self, *names: str) -> None:
        """See `Runtime`; all is loaded already."""

    def synthesis(self, latent: Any) -> Any:
        """See `Runtime`."""
        import torch

        with torch.inference_mode():
            return self.network.synthesis(torch.from_numpy(latent).cuda()).cpu().numpy()


@contextmanager
def products_on_the_gpu() -> Iterator[None]:
    """Who multiplies the exact prior's matrices must make no difference: let the GPU do it."""
    import torch

    def product(a: Any, b: Any) -> Any:
        return (torch.from_numpy(a).cuda() @ torch.from_numpy(b).cuda()).cpu().numpy()

    before, exact.product = exact.product, product
    try:
        yield
    finally:
        exact.product = before


def why_not(runtime: str, model: Model) -> str | None:
    """Why a runtime cannot be tried here; None where it can."""
    try:
        if runtime != "cuda":
            model.runtime(runtime, threads=1)
            return None
        import torch
    except (ModelError, ImportError) as error:
        return str(error)
    return None if torch.cuda.is_available() else "no GPU here"


def opened(runtime: str, model: Model, threads: int) -> Runtime | CudaRuntime:
    """What runs the model's networks."""
    return CudaRuntime(model) if runtime == "cuda" else model.runtime(runtime, threads=threads)


def seen(file: Path, models: dict[bytes, Model], runtime: str, threads: int) -> dict[str, Any]:
    """The hash of a file's symbols, and how far its pixels are from the PNG beside it, in steps of 8 bits."""
    data = file.read_bytes()
    contents = read_contents(data)
    model = models[contents.header.model_id]
    values = decode_values(contents, model, threads)
    picture = decode_picture(
        data,
        find_model=lambda header: models[header.model_id],
        open_runtime=lambda model: opened(runtime, model, threads),
        threads=threads,
    )
    expected = read(file.with_suffix(".png").read_bytes()).color
    difference = np.abs(picture.color.astype(np.int64) - expected).max() / (1 if picture.depth == 8 else 257)
    return {
        "symbols_sha256": hashlib.sha256(values.astype("<i4").tobytes()).hexdigest(),
        "difference": float(difference),
    }


def main() -> None:
    """Print the report."""
    golden, threads, runtimes = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    loaded = [load_model(folder) for folder in sorted((golden / "models").iterdir())]
    models = {model.description.id: model for model in loaded}
    files = sorted((golden / "good").glob("*.cnz"))
    report: dict[str, Any] = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "versions": {name: version(name) for name in ("numpy", "onnxruntime", "pillow", "safetensors", "constriction")},
        "runtimes": {},
    }
    for runtime in runtimes:
        reason = why_not(runtime, loaded[0])
        if reason:
            report["runtimes"][runtime] = reason
        elif runtime == "cuda":
            with products_on_the_gpu():
                report["runtimes"][runtime] = {file.stem: seen(file, models, runtime, threads) for file in files}
        else:
            report["runtimes"][runtime] = {file.stem: seen(file, models, runtime, threads) for file in files}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
