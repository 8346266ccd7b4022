"""HTML from Python: escaped text and sortable tables. What comes from outside passes through `text` or `Cell`."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape as text

__all__ = ["Cell", "Column", "choice", "definitions", "nav", "section", "table", "text"]


@dataclass(frozen=True)
class Column:
    """A column: its header, and which order a first click gives (best first, as a rule)."""

    title: str
    first: str = "descending"
    note: str = ""
    """A second, smaller line below the title."""
    numeric: bool = True
    ranked: bool = False
    """Whether its best value is emphasised."""


@dataclass(frozen=True)
class Cell:
    """A cell: what it shows, and what it is sorted by ('' where there is nothing, which stays last)."""

    shown: str
    key: float | str = ""
    note: str = ""
    """A second, smaller line."""
    codec: str = ""
    """Whose marker stands before the text."""
    strong: bool = False
    share: float | None = None
    """The length of a bar below the text, from 0 to 1."""


def table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, metric: str = "") -> str:
    """A table whose headers sort it; the first column heads the rows. Shown only for `metric`, where one is named."""
    belongs = f' data-metric="{text(metric)}"' if metric else ""
    head = "".join(_header(column) for column in columns)
    best = [_best(column, [row[i] for row in rows]) for i, column in enumerate(columns)]
    body = "".join(f"<tr>{''.join(_cells(columns, row, best))}</tr>\n" for row in rows)
    return (
        f"<figure{belongs}><figcaption>{text(caption)}</figcaption>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(caption)}">'
        f'<table aria-label="{text(caption)}"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}</tbody></table></div></figure>\n"
    )


def _best(column: Column, cells: Sequence[Cell]) -> str:
    """What the best of a column shows; empty where none is best."""
    known = [cell for cell in cells if isinstance(cell.key, float)]
    if not column.ranked or len(known) < 2:
        return ""
    choose = max if column.first == "descending" else min
    return choose(known, key=lambda cell: float(cell.key)).shown


def _header(column: Column) -> str:
    note = f"<small>{text(column.note)}</small>" if column.note else ""
    kind = ' class="n"' if column.numeric else ""
    return (
        f'<th scope="col" data-first="{column.first}"{kind}>'
        f'<button type="button"><span>{text(column.title)}</span>{note}</button></th>'
    )


def _cells(columns: Sequence[Column], row: Sequence[Cell], best: Sequence[str]) -> Iterable[str]:
    for i, (column, cell) in enumerate(zip(columns, row, strict=True)):
        tag, scope = ("th", ' scope="row"') if i == 0 else ("td", "")
        kinds = " ".join(
            name for name, on in (("n", column.numeric), ("strong", cell.strong or cell.shown == best[i])) if on
        )
        swatch = f'<span data-swatch="{text(cell.codec)}"></span>' if cell.codec else ""
        note = f"<small>{text(cell.note)}</small>" if cell.note else ""
        bar = f'<meter min="0" max="1" value="{cell.share:.4f}"></meter>' if cell.share is not None else ""
        yield (
            f'<{tag}{scope} class="{kinds}" data-value="{text(_key(cell.key))}">'
            f"{swatch}{text(cell.shown)}{note}{bar}</{tag}>"
        )


def _key(key: float | str) -> str:
    """As JavaScript reads it: an infinite value sorts as a number."""
    if isinstance(key, str):
        return key
    if math.isinf(key):
        return "Infinity" if key > 0 else "-Infinity"
    return "" if math.isnan(key) else repr(float(key))


def section(identity: str, title: str, intro: str, *parts: str) -> str:
    """A section with its heading; `intro` is HTML already, as are the parts."""
    return (
        f'<section id="{identity}">\n<h2>{text(title)}</h2>\n<p class="intro">{intro}</p>\n{"".join(parts)}</section>\n'
    )


def choice(label: str, attribute: str, options: Iterable[tuple[str, str]]) -> str:
    """A row of buttons of which the first is pressed: (value, label) each, the value in `data-attribute`."""
    buttons = "".join(
        f'<button type="button" data-{attribute}="{text(value)}" aria-pressed="{str(i == 0).lower()}">'
        f"{text(shown)}</button>"
        for i, (value, shown) in enumerate(options)
    )
    return f'<div class="picker" role="group" aria-label="{text(label)}">{buttons}</div>'


def definitions(entries: Iterable[tuple[str, str]]) -> str:
    """The inside of a `dl`: terms and what they are, as plain text."""
    return "".join(f"<div><dt>{text(term)}</dt><dd>{text(meaning)}</dd></div>" for term, meaning in entries)


def nav(entries: Iterable[tuple[str, str]]) -> str:
    """Links to sections: (identity, name) each."""
    return "".join(f'<a href="#{text(identity)}">{text(name)}</a>' for identity, name in entries)
