"""What does `--set phases[0].rate=500` change? One value of the tree, put where the path says.

target.params.capacity_records   a key in a mapping, made where there is none yet
phases[0].rate                   an item by its position
phases[warm-up].rate             an item by its name
phases[*].mix.link               all items
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from soak.scenario.credentials import masked
from soak.scenario.yaml_source import Path, Problem, Source, read_value

_PATH = re.compile(r"[A-Za-z_][\w-]*(\[[\w*-]+\])*(\.[A-Za-z_][\w-]*(\[[\w*-]+\])*)*", re.ASCII)
_STEP = re.compile(r"\[([\w*-]+)\]|([A-Za-z_][\w-]*)", re.ASCII)

# Fields that a file may give as a bare name, with the key that this name then stands under.
SHORTHAND: Mapping[str, str] = {
    "target": "name",
    "content": "kind",
    "arrivals": "kind",
    "popularity": "kind",
    "importance": "kind",
}


def override(source: Source, assignment: str, flag: str = "") -> Source:
    """The source with one `path=value` put in; its flag is the value's position from then on.

    Changes source.tree in place. A problem is added where the path leads nowhere.
    """
    path, equals, text = assignment.partition("=")
    flag = flag or f"--set {path}{equals}{_told(path, text)}"
    if not equals or not _PATH.fullmatch(path):
        wrong = "is not path=value, like phases[0].rate=500 or target.params.dimensions=64"
        return _with(source, Problem(origin=flag, path=(), text=wrong))
    steps = [index or key for index, key in _STEP.findall(path)]
    try:
        places = list(_places(source.tree, steps, ()))
    except _Nowhere as nowhere:
        return _with(source, Problem(origin=flag, path=nowhere.path, text=str(nowhere)))
    for holder, place in places:
        source = _put(source, holder, place, read_value(text, flag, place))
    return source


def _told(path: str, text: str) -> str:
    """The value as messages repeat it: not what lets somebody in."""
    return "..." if ".headers" in path else masked(text)


def aim(source: Source, target: str, flag: str) -> Source:
    """The source with another target, as after --target; its parameters go with the old one."""
    if not isinstance(source.tree, dict):
        return source
    old = _opened(source.tree.get("target"), "target")
    kept = old if isinstance(old, dict) else {}
    if kept.get("name", "engine") != target:
        kept = {key: kept[key] for key in ("clients", "timeout", "time_scale") if key in kept}
    value = Source(tree={**kept, "name": target}, origins={("target",): flag}, problems=())
    return _put(source, source.tree, ("target",), value)


Holder = dict[str, object] | list[object]


class _Nowhere(Exception):
    """The path names nothing that could be changed."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(text)
        self.path = path


def _places(tree: object, steps: Sequence[str], path: Path) -> Iterator[tuple[Holder, Path]]:
    """What holds the named values, and their paths; mappings on the way are made."""
    if isinstance(tree, list):
        for index in _indexes(tree, steps[0], path):
            place = (*path, index)
            if len(steps) == 1:
                yield tree, place
            else:
                yield from _places(tree[index], steps[1:], place)
    elif isinstance(tree, dict):
        key = steps[0]
        if len(steps) == 1:
            yield tree, (*path, key)
        else:
            tree[key] = _opened(tree.get(key), key)
            yield from _places(tree[key], steps[1:], (*path, key))
    else:
        raise _Nowhere(path, f"has nothing named {steps[0]}")


def _opened(value: object, key: str) -> object:
    """The value with room for keys: a bare name spelled out, nothing made a mapping."""
    if isinstance(value, str) and key in SHORTHAND:
        return {SHORTHAND[key]: value}
    return {} if value is None else value


def _indexes(items: list[object], step: str, path: Path) -> list[int]:
    if step == "*":
        return list(range(len(items)))
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    found = [i for i, name in enumerate(names) if name == step]
    if not found and step.isdigit() and len(step) < 6 and int(step) < len(items):
        found = [int(step)]
    if not found:
        known = ", ".join(str(name) for name in names if name is not None)
        allowed = f"0 to {len(items) - 1}, *, or a name: {known}" if items else "it is empty"
        raise _Nowhere(path, f"has no item {step!r}; {allowed}")
    return found


def _put(source: Source, holder: Holder, place: Path, value: Source) -> Source:
    last = place[-1]
    if isinstance(holder, list):
        holder[int(last)] = value.tree
    else:
        holder[str(last)] = value.tree
    under = len(place)
    # Mappings that were made on the way to the place are the flag's doing too.
    made = {place[:depth]: value.origins[place] for depth in range(under)}
    origins = {at: origin for at, origin in source.origins.items() if at[:under] != place}
    problems = [problem for problem in source.problems if problem.path[:under] != place]
    return replace(
        source, origins={**made, **origins, **value.origins}, problems=[*problems, *value.problems]
    )


def _with(source: Source, problem: Problem) -> Source:
    return replace(source, problems=[*source.problems, problem])
