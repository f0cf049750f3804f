"""How does text become HTML that cannot be broken by what it says? Escaped, unless it is Html."""

from collections.abc import Iterable, Sequence
from html import escape

# A shape beside the colour: a tenth of the readers cannot tell red from green, paper neither.
SIGNS = {"pass": "✓", "fail": "✕", "unknown": "?"}


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def safe(text: object) -> Html:
    """The text as HTML; what is HTML already stays as it is."""
    return text if isinstance(text, Html) else Html(escape(str(text)))


def together(parts: Iterable[object], between: str = "\n") -> Html:
    return Html(between.join(safe(part) for part in parts if part != ""))


def element(tag: str, *inside: object, **attributes: str) -> Html:
    """`element("p", "a < b", class_="note")`; an attribute's final underscore is dropped."""
    written = "".join(f' {k.rstrip("_")}="{escape(v)}"' for k, v in attributes.items())
    return Html(f"<{tag}{written}>{together(inside, '')}</{tag}>")


def badge(status: str, word: str = "") -> Html:
    """A status with its sign and colour; word: said instead of the status."""
    known = status if status in SIGNS else "unknown"
    return element("span", f"{SIGNS[known]} {word or status}", class_=f"badge {known}")


def table(
    head: Sequence[str], rows: Sequence[Sequence[object]], *, text_columns: Sequence[int] = (0,)
) -> Html:
    """A table; nothing when there is no row. Columns not in text_columns are set to the right."""
    if not rows:
        return Html("")

    def cells(tag: str, row: Sequence[object]) -> Html:
        kinds = ("text" if i in text_columns else "figure" for i in range(len(row)))
        return together(
            (element(tag, cell, class_=kind) for cell, kind in zip(row, kinds, strict=True)), ""
        )

    body = together(element("tr", cells("td", row)) for row in rows)
    inner = together((element("thead", element("tr", cells("th", head))), element("tbody", body)))
    return element("div", element("table", inner), class_="table")


def facts(rows: Iterable[tuple[str, object]]) -> Html:
    """Names and values side by side; nothing when there is none."""
    pairs = together(
        part for name, value in rows for part in (element("dt", name), element("dd", value))
    )
    return element("dl", pairs, class_="facts") if pairs else Html("")


def folded(summary: str, *inside: object) -> Html:
    """Shut at first; printing opens it."""
    return element("details", element("summary", summary), *inside)


def section(name: str, title: str, *inside: object) -> Html:
    return element("section", element("h2", title), *inside, id=name)
