"""How codecs stand on the page: in which order, and which colour and marker is theirs."""

from collections import Counter
from typing import Any

from cnnzip.bench.results import CodecInfo, Results
from cnnzip.bench.summary import is_ours

FAMILIES = ("cnnzip", "jpeg", "webp", "avif", "jxl", "jpeg2000")
"""Those with a colour of their own; the others share `OTHERS` in turn."""
OTHERS = 3


def family(codec: str) -> str:
    """The name without what tells its variants apart: `jpeg` of `jpeg-444`."""
    return codec.split("-", 1)[0]


def in_order(results: Results) -> list[CodecInfo]:
    """The measured codecs: cnnzip first, then the baseline, then the others as they were measured."""
    measured = {m.codec for m in results.measurements}
    codecs = [codec for codec in results.codecs if codec.name in measured]
    return sorted(codecs, key=lambda codec: (not is_ours(codec.name), codec.name != results.baseline))


def for_scripts(codecs: list[CodecInfo]) -> list[dict[str, Any]]:
    """What the scripts know of each codec."""
    variants: Counter[str] = Counter()
    others: list[str] = []
    entries = []
    for index, codec in enumerate(codecs):
        kin = family(codec.name)
        if kin not in FAMILIES and kin not in others:
            others.append(kin)
        colour = kin if kin in FAMILIES else f"other{others.index(kin) % OTHERS}"
        entries.append(
            {
                "name": codec.name,
                "label": codec.label,
                "family": colour,
                "variant": variants[colour],
                "index": index,
                "ours": is_ours(codec.name),
            }
        )
        variants[colour] += 1
    return entries
