"""The one file: the template, style and scripts of this folder put together with the data.

The scripts are ES modules in files of their own, for people and editors; a page without network cannot load them
one by one, so they are joined into one script, each in a function of its own and behind those that it imports.
"""

import base64
import hashlib
import json
import re
from importlib.resources import files
from string import Template
from typing import Any

from cnnzip.bench.report.formats import digits
from cnnzip.bench.report.images import Gallery
from cnnzip.bench.report.markup import text
from cnnzip.bench.results import MetricInfo

ASSETS = files("cnnzip.bench.report")
ENTRY = "main"
_IMPORT = re.compile(r'^import (?P<names>\{[^}]*\}) from "\./(?P<name>\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:const|function|class) (?P<name>\w+))", re.MULTILINE)


def asset(name: str) -> str:
    """The text of a file of this folder."""
    return (ASSETS / name).read_text(encoding="utf-8")


def bundle(entry: str = ENTRY) -> str:
    """The module `entry` and all that it imports, as one script without imports."""
    done: dict[str, str] = {}

    def add(name: str) -> None:
        if name in done:
            return
        source = asset(f"{name}.js")
        for found in _IMPORT.finditer(source):
            add(found["name"])
        exported = ", ".join(found["name"] for found in _EXPORT.finditer(source))
        body = _EXPORT.sub("", _IMPORT.sub(r"const \g<names> = _\g<name>;", source))
        done[name] = f"const _{name} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"

    add(entry)
    return "".join(done.values())


def json_block(data: object) -> str:
    """JSON that may stand in a script element: nothing in it can end the element or begin a comment."""
    plain = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def blob_block(identity: str, data: bytes) -> str:
    """A data block that the viewer decodes when it is looked at."""
    return f'<script type="application/base64" id="blob-{identity}">{base64.b64encode(data).decode()}</script>\n'


def viewer(shown: Gallery) -> str:
    """The places of the strip of pictures and of the viewer, as HTML."""
    thumbs = "".join(
        f'<button type="button" data-picture="{i}" aria-pressed="false" title="{text(picture["name"])}">'
        f'<img alt="{text(picture["name"])}" src="data:image/webp;base64,{base64.b64encode(data).decode()}"></button>'
        for i, (picture, data) in enumerate(zip(shown.pictures, shown.thumbnails, strict=True))
    )
    return f'<div class="strip" role="group" aria-label="Pictures">{thumbs}</div><div id="viewer"></div>'


def metric_entry(metric: MetricInfo) -> dict[str, Any]:
    """What the scripts know of a metric."""
    fields = {"name": metric.name, "label": metric.label, "unit": metric.unit}
    return {**fields, "higher": metric.higher_is_better, "digits": digits(metric)}


def assemble(parts: dict[str, str], data: dict[str, Any], blobs: dict[str, bytes]) -> str:
    """The page.

    Args:
        parts: HTML for the places of the template that are not filled here.
        data: what the scripts work on.
        blobs: the pictures, by identity.
    """
    style, theme, script = asset("style.css"), asset("theme.js"), bundle()
    return Template(asset("page.html")).substitute(
        parts,
        policy=_policy(style, theme, script),
        style=style,
        theme=theme,
        script=script,
        data=json_block(data),
        blobs="".join(blob_block(identity, content) for identity, content in blobs.items()),
    )


def _policy(style: str, *scripts: str) -> str:
    """No network at all, and no style or script but ours."""
    allowed = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
