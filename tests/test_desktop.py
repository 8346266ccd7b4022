"""What docs/desktop installs agrees with the format and works."""

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image

import cnnzip
from cnnzip.codec.encode import encode_picture
from cnnzip.container.format import MAGIC

DESKTOP = Path(__file__).parents[1] / "docs" / "desktop"


def test_the_magic_is_that_of_the_format() -> None:
    tree = ElementTree.parse(DESKTOP / "cnnzip.xml")
    (match,) = tree.iterfind(".//{*}match")
    assert match.attrib["offset"] == "0"
    assert match.attrib["value"].encode("latin-1").decode("unicode_escape").encode("latin-1") == MAGIC


def test_the_thumbnailer(tiny, tiny_runtime, photo, installed_tiny, tmp_path) -> None:
    (tmp_path / "a.cnz").write_bytes(encode_picture(photo, tiny, tiny_runtime))
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(DESKTOP / "cnnzip.thumbnailer")
    entry = parser["Thumbnailer Entry"]
    names = {"%i": str(tmp_path / "a.cnz"), "%o": str(tmp_path / "out"), "%s": "32"}
    words = [re.sub("^%[ios]$", lambda found: names[found[0]], word) for word in shlex.split(entry["Exec"])]
    assert words[0] == entry["TryExec"]
    subprocess.run([sys.executable, *words[1:]], check=True, cwd=Path(cnnzip.__file__).parents[1])
    with Image.open(tmp_path / "out") as image:
        assert (image.format, image.size) == ("PNG", (32, 21))
