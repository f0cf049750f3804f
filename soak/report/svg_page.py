"""How does a drawn SVG become part of a page? Its colours, font and ids are made the page's."""

import json
import re
from collections.abc import Mapping, Sequence
from html import escape

from soak.report.palette import PALETTE

_SPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
# What the drawing names its curves, so that the page can read values off them.
CURVE = "curve-"


def for_page(
    text: str,
    name: str,
    title: str,
    frame: Sequence[float],
    curves: Sequence[Mapping[str, object]],
) -> str:
    """The `<svg>` element alone, with custom properties for the palette's colours.

    name: unique on the page, put before every id. frame: left, top, width, height of the panel
    in the drawing's own units; curves: one object per curve, what report.js says values with.
    """
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", body, flags=re.DOTALL)
    body = _own_ids(body, name)
    body = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    for tone_name, tone in PALETTE.items():
        body = body.replace(tone.light, f"var(--{tone_name.replace('_', '-')})")
    view = re.search(r'viewBox="[^"]*"', body)
    assert view is not None
    told = {
        "data-frame": " ".join(f"{edge:.2f}" for edge in frame),
        "data-curves": json.dumps(list(curves), allow_nan=False),
        "aria-label": title,
    }
    attributes = " ".join(f'{key}="{escape(value)}"' for key, value in told.items())
    inside = body[body.index(">") + 1 :].strip()
    return f'<svg {_SPACES} {view[0]} role="img" {attributes}>{inside}'


def _own_ids(body: str, name: str) -> str:
    """Ids that something refers to get the name in front; the rest go, curves become data."""
    used = set(re.findall(r"(?:url\(#|href=\"#)([\w.-]+)", body))

    def owned(found: re.Match[str]) -> str:
        identity = found[1]
        if identity.startswith(CURVE):
            return f' data-curve="{identity.removeprefix(CURVE)}"'
        return f' id="{name}-{identity}"' if identity in used else ""

    body = re.sub(r' id="([\w.-]+)"', owned, body)
    return re.sub(r"(url\(#|href=\"#)", rf"\g<1>{name}-", body)
