"""The odd pictures of other projects' tests, from the registries that ship their sources: Debian and PyPI.

They go into a folder of the user's, never into the repository; each project has its own licence.
"""

import re
import subprocess
import sys
import tarfile
from pathlib import Path

DEBIAN = "http://deb.debian.org/debian"
SUITE = "bookworm"
DEBIAN_SOURCES = (
    "libpng1.6",  # PngSuite, and files that crashed decoders
    "gdk-pixbuf",  # files that broke it: tests/test-images
    "exiv2",  # hostile metadata
    "tiff",
    "libgd2",
    "libjpeg-turbo",
    "libwebp",
    "libheif",
    "libexif",
    "golang-golang-x-image",
    "imagemagick",
    "graphicsmagick",
    "openjpeg2",
    "leptonlib",
    "vips",
    "kimageformats",
)
PYPI_SOURCES = ("pillow",)

PICTURE = re.compile(
    r"\.(a?png|avifs?|bmp|bw|cur|dds|dib|exr|fits|gif|hdr|heic|icns|ico|j2[ck]|jfif|jp[2cefgx]|jpeg|mpo|pam|p[bfgnp]m|pcx|"
    r"psd|qoi|ras|rgba?|sgi|sun|svg|tga|tiff?|webp|x[bp]m)$",
    re.IGNORECASE,
)


def fetch(folder: Path) -> list[str]:
    """Fill `folder`/pictures with what is not there yet: a folder a project; what could not be had, and why."""
    sources = folder / "sources"
    for part in ("pictures", "sources/lists/partial", "sources/cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    wanted = [name for name in (*DEBIAN_SOURCES, *PYPI_SOURCES) if not (folder / "pictures" / name).exists()]
    missing = []
    if not set(wanted).isdisjoint(DEBIAN_SOURCES):
        try:
            _apt(sources, "update")
        except (OSError, subprocess.CalledProcessError) as error:
            missing.append(f"Debian's list of sources cannot be had; is there a network? ({_reason(error)})")
            wanted = [name for name in wanted if name in PYPI_SOURCES]
    for name in wanted:
        print(f"fetching {name}", file=sys.stderr)
        try:
            if name in PYPI_SOURCES:
                words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", name, name]
                _call(words, sources)
            else:
                _apt(sources, "source", "--download-only", name)
        except (OSError, subprocess.CalledProcessError) as error:
            missing.append(f"{name} cannot be had ({_reason(error)})")
            continue
        _unpack(sources, name, folder / "pictures" / name)
    return missing


def _reason(error: OSError | subprocess.CalledProcessError) -> str:
    """The last line that a command has said."""
    lines = error.stderr.strip().splitlines() if isinstance(error, subprocess.CalledProcessError) else []
    return lines[-1] if lines else str(error)


def _apt(sources: Path, *words: str) -> None:
    """apt-get with a list of its own, which needs no rights and leaves the system's alone."""
    entries = sources / "sources.list"
    entries.write_text(f"deb-src {DEBIAN} {SUITE} main\n", encoding="ascii")
    settings = {
        "Dir::Etc::sourcelist": entries.resolve(),
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": (sources / "lists").resolve(),
        "Dir::Cache": (sources / "cache").resolve(),
        "APT::Update::Error-Mode": "any",
    }
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    _call(["apt-get", "-q", *options, *words], sources)


def _call(words: list[str], folder: Path) -> None:
    subprocess.run(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)


def _unpack(sources: Path, name: str, target: Path) -> None:
    """Take the pictures, by their suffix, out of the archive of a project."""
    archives = [*sources.glob(f"{name}_*.orig.tar.*"), *sources.glob(f"{name}-*.tar.*")]
    draft = target.with_name(f"{name}.part")
    for archive in archives:
        if archive.suffix == ".asc":
            continue
        with tarfile.open(archive) as tar:
            members = [m for m in tar if m.isfile() and PICTURE.search(m.name)]
            tar.extractall(draft, members, filter="data")
    draft.mkdir(exist_ok=True)
    draft.rename(target)
