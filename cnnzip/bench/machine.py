"""What the figures were measured on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cnnzip.codec.workers import usable_cores

LIBRARIES = ("cnnzip", "bjontegaard", "matplotlib", "numpy", "onnxruntime", "pillow", "scikit-image", "scipy")
OPTIONAL = (
    *("ssimulacra2", "pillow-jxl-plugin", "pytorch-msssim", "torch"),
    *("opencv-python-headless", "PyWavelets", "bm3d"),
)


def machine() -> dict[str, str]:
    """Processor, cores, memory and system."""
    return {
        "processor": _processor(),
        "cores": str(usable_cores()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
    }


def libraries() -> dict[str, str]:
    """The versions of what is installed of the libraries that matter to the figures."""
    found = {}
    for name in (*LIBRARIES, *OPTIONAL):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"
    except (ValueError, OSError, AttributeError):
        return "unknown"
