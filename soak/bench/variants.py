"""Which results belong together? Those of one target, length, seed and set of overrides.

A suite asks the same of all its benchmarks, but results that are read back may be of several:
chroma beside the engine, quick beside full. Then they are told apart, not one for the other.
"""

import json
import math
from collections.abc import Mapping, Sequence

from soak.bench.running import QUICK_S
from soak.report.document import Section, as_rows, as_section
from soak.scenario.quantities import parse_duration

UNNAMED = "no target is named"


def name_of(document: Section) -> str:
    return f"{document.get('category')}/{document.get('benchmark')}"


def target_of(document: Section) -> str:
    """Empty where it does not say."""
    name = as_section(_params(document).get("target")).get("name") or _asked(document).get("target")
    return name if isinstance(name, str) else ""


def seed_of(document: Section) -> object:
    return _params(document).get("seed", _asked(document).get("seed"))


def is_quick(document: Section) -> bool:
    """As it was asked for; where that is not said, by the length of its run."""
    asked = _asked(document).get("quick")
    if isinstance(asked, bool):
        return asked
    try:
        lengths = [parse_duration(str(p["duration"])) for p in as_rows(_params(document)["phases"])]
    except (KeyError, ValueError):
        return False
    return math.isclose(sum(lengths), QUICK_S)


def variant_of(document: Section) -> str:
    """`chroma, quick, seed 2, target.params.index=flat`; nothing of what it does not say."""
    seed, overrides = seed_of(document), _asked(document).get("set")
    parts = [target_of(document), "quick" if is_quick(document) else ""]
    parts += [f"seed {seed}" if seed is not None else ""]
    parts += map(str, overrides) if isinstance(overrides, list) else []
    return ", ".join(part for part in parts if part)


def is_of_soak(document: Section) -> bool:
    """Whether it says what was run, or at least asked for; other programs say neither so."""
    return bool(as_section(_params(document).get("target")) or _asked(document))


def by_variant(documents: Sequence[Section]) -> dict[str, list[Section]]:
    """Variant to its documents; all under "" where nothing has to be told apart.

    What was never run, and so has no parameters, stands with those that were asked for with it.
    """
    names = [name_of(document) for document in documents if is_of_soak(document)]
    targets = {target_of(document) for document in documents} - {""}
    if len(set(names)) == len(names) and len(targets) <= 1:
        return {"": list(documents)} if documents else {}
    together: dict[str, str] = {}
    for document in documents:
        if _params(document):
            together.setdefault(json.dumps(_asked(document)), variant_of(document))
    found: dict[str, list[Section]] = {}
    for document in documents:
        said = variant_of(document)
        if _asked(document) and not _params(document):
            said = together.get(json.dumps(_asked(document)), said)
        found.setdefault(said or UNNAMED, []).append(document)
    return found


def _params(document: Section) -> Section:
    return as_section(as_section(document.get("metadata")).get("params"))


def _asked(document: Section) -> Mapping[str, object]:
    return as_section(as_section(document.get("metadata")).get("asked"))
