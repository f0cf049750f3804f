"""Which sections has the page of a suite, and which figures? A category each, by variant."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from soak.bench.pictures import Picture, pictures
from soak.bench.variants import by_variant
from soak.report.document import Section

# Sections that are of no category.
RESERVED = ("objectives", "circumstances")
# A name of a file has a bound, and what comes after is no shorter.
MOST_LETTERS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One category. anchor: its name as an id and in names of files, unlike any other's.

    variants: what is said above them (nothing where there is one) to their documents.
    """

    name: str
    anchor: str
    variants: dict[str, list[Section]]


def by_category(documents: Sequence[Section]) -> list[Category]:
    """The categories, in the order they come; what has none is named for a page."""
    found: dict[str, dict[str, list[Section]]] = {}
    for said, group in by_variant(documents).items():
        for document in group:
            name = str(document.get("category") or "other")
            found.setdefault(name, {}).setdefault(said, []).append(document)
    safe = anchors(found)
    return [Category(name=name, anchor=safe[name], variants=found[name]) for name in found]


def anchors(names: Iterable[str], taken: Iterable[str] = RESERVED) -> dict[str, str]:
    """Name to letters, digits and dashes: what is read back may be called ../../etc."""
    found: dict[str, str] = {}
    used = {name.lower() for name in taken}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]+", "-", name)[:MOST_LETTERS].strip("-") or "other"
        anchor, count = plain, 1
        while anchor.lower() in used:
            count += 1
            anchor = f"{plain}-{count}"
        used.add(anchor.lower())
        found[name] = anchor
    return found


def pictures_of(category: Category) -> dict[str, list[Picture]]:
    """Variant to its figures, each with a name of its own."""
    safe = anchors((said for said in category.variants if said), ())
    return {
        said: [
            replace(picture, title=f"{picture.title} · {said}") if said else picture
            for picture in pictures("-".join([category.anchor, *filter(None, [safe.get(said)])]), d)
        ]
        for said, d in category.variants.items()
    }


def every_picture(documents: Sequence[Section]) -> list[Picture]:
    """The figures of all categories, for files of their own."""
    return [
        picture
        for category in by_category(documents)
        for drawn in pictures_of(category).values()
        for picture in drawn
    ]
