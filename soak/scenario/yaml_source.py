"""What does a YAML text say, and on which line? Plain values and their positions.

The one home of PyYAML. YAML 1.1 turns `1:30` into 90, `no` into false, `0777` into 511 and `5e6`
into text; whoever writes those means something else, so each is a problem here. What comes out is
only mappings with text keys, lists, text, plain numbers, true, false and null.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

Path = tuple[str | int, ...]

# A scenario is a page; these stop alias bombs, runaway nesting and a core dump given by mistake.
MAX_SOURCE_BYTES = 256 << 10
MAX_VALUES = 10_000
MAX_DEPTH = 32

# Stands in the tree where a problem was reported; nothing accepts it, and nobody complains twice.
UNREADABLE = object()

# The C scanner is ten times faster where it was built; both give the same nodes and marks.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_WORDS = {"": None, "~": None} | {
    spelling: value
    for word, value in (("true", True), ("false", False), ("null", None))
    for spelling in (word, word.title(), word.upper())
}
# What YAML 1.1 makes of plain text by itself; any other tag was written into the file.
_IMPLICIT = {"str", "int", "float", "bool", "null", "timestamp", "value", "merge"}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})?\.[0-9]{1,40}([eE][-+][0-9]{1,3})?")
_READ_AS_TEXT = re.compile(
    r"[-+]?(\.?[0-9][0-9_]*|[0-9][0-9_]*\.[0-9_]*)[eE][-+]?[0-9]+|0o[0-7]+|[-+]\.[0-9]+"
)
_BASE_60 = re.compile(r"([0-9]{1,9}):([0-5]?[0-9])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong. origin: file:line, or the flag it came from."""

    origin: str
    path: Path
    text: str

    def __str__(self) -> str:
        said = ": ".join(part for part in (self.origin, path_text(self.path), self.text) if part)
        # One line, and one that any terminal can show, whatever keys and flags were made of.
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Plain values, where each was written, and what could not be read."""

    tree: object
    origins: Mapping[Path, str]
    problems: Sequence[Problem]

    def origin(self, path: Path) -> str:
        """Where the value at path was written, or else the nearest thing around it."""
        while path and path not in self.origins:
            path = path[:-1]
        return self.origins.get(path, "")


def path_text(path: Path) -> str:
    """('phases', 2, 'rate') is phases[2].rate."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def read(content: bytes, name: str) -> Source:
    """Values and positions of a YAML document; name stands in front of its line numbers."""
    reading = _Reading(name=name)
    tree = _guarded(reading, content)
    return Source(tree=tree, origins=reading.origins, problems=tuple(reading.problems))


def read_value(text: str, flag: str, path: Path) -> Source:
    """One value given on the command line, to be put at path; its position is the flag."""
    reading = _Reading(name=flag, numbered=False, root=path)
    tree = _guarded(reading, text.encode("utf-8", errors="surrogatepass"))
    return Source(tree=tree, origins=reading.origins, problems=tuple(reading.problems))


def write(tree: object) -> str:
    """YAML that reads back as the same plain values, keys in the given order."""
    text: str = yaml.dump(
        tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2
    )
    return text


class _Refused(Exception):
    """The document as a whole cannot be read. line: 1-based, 0 where it has none."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def _guarded(reading: "_Reading", content: bytes) -> object:
    try:
        text = _decoded(content)
        return reading.value(_composed(text), reading.root)
    except _Refused as refused:
        reading.origins.setdefault(reading.root, reading.name)
        reading.report(refused.line, reading.root, str(refused))
        return UNREADABLE


def _decoded(content: bytes) -> str:
    if len(content) > MAX_SOURCE_BYTES:
        limit = f"a scenario has at most {MAX_SOURCE_BYTES >> 10} KiB"
        raise _Refused(0, f"is {len(content)} bytes long; {limit}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _Refused(line, "is not UTF-8 text") from error
    control = _CONTROL.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        raise _Refused(line, f"has the control character {control[0]!r}; is this a text file?")
    return text


def _composed(text: str) -> yaml.Node | None:
    try:
        _refuse_depth(text)
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        wrong = " ".join((error.problem or error.context or "cannot be parsed").split())
        raise _Refused(line, f"is not YAML: {wrong}{_tab_hint(text, line)}") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise _Refused(0, f"is not YAML: {' '.join(str(error).split())}") from error


def _refuse_depth(text: str) -> None:
    # Both composers recurse, the C one without a guard: look at the flat events first.
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise _Refused(line, f"is nested deeper than {MAX_DEPTH} levels")


def _tab_hint(text: str, line: int) -> str:
    lines = text.splitlines()
    around = "".join(lines[max(0, line - 2) : line])
    return "; indent with spaces, not tabs" if "\t" in around else ""


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One walk over the nodes. Bounded by MAX_VALUES, so an alias bomb or a cycle ends."""

    name: str
    numbered: bool = True
    root: Path = ()
    origins: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    def report(self, line: int, path: Path, text: str) -> None:
        origin = f"{self.name}:{line}" if self.numbered and line else self.name
        self.problems.append(Problem(origin=origin, path=path, text=text))

    def value(self, node: yaml.Node | None, path: Path, line: int = 0) -> object:
        """The node as plain values. line: of its key, where it has one."""
        line = line or (node.start_mark.line + 1 if node else 1)
        self.origins[path] = f"{self.name}:{line}" if self.numbered else self.name
        self._count_one(line, len(path) - len(self.root))
        if node is None:
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, path)
        self.report(line, path, f"the tag {node.tag.removeprefix(_TAG)} is not used here")
        return UNREADABLE

    def _count_one(self, line: int, depth: int) -> None:
        self.count += 1
        if self.count > MAX_VALUES or depth > MAX_DEPTH:
            limit = f"a scenario has at most {MAX_VALUES} values, {MAX_DEPTH} levels deep"
            raise _Refused(line, f"grows too large with its aliases; {limit}")

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> object:
        answer = plain_value(node)
        if isinstance(answer, _Trap):
            self.report(node.start_mark.line + 1, path, answer.text)
            return UNREADABLE
        return answer

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        own: dict[str, object] = {}
        lines: dict[str, int] = {}
        pairs = [pair for pair in node.value if pair[0].tag != f"{_TAG}merge"]
        for key_node, value_node in pairs:
            line = key_node.start_mark.line + 1
            key = self._key(key_node, path)
            if key in lines:
                self.report(line, (*path, key), f"this key stands here twice (line {lines[key]})")
            elif key:
                lines[key] = line
                own[key] = self.value(value_node, (*path, key), line)
        for key_node, value_node in self._merged(node, path):
            key = self._key(key_node, path)
            if key and key not in own:
                own[key] = self.value(value_node, (*path, key), key_node.start_mark.line + 1)
        return own

    def _merged(
        self, node: yaml.MappingNode, path: Path, depth: int = 0
    ) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """What `<<` brings in, the nearest first, so that the first of a key wins."""
        for key_node, value_node in node.value:
            if key_node.tag != f"{_TAG}merge":
                continue
            is_list = isinstance(value_node, yaml.SequenceNode)
            for source in value_node.value if is_list else [value_node]:
                line = key_node.start_mark.line + 1
                self._count_one(line, depth)
                if not isinstance(source, yaml.MappingNode):
                    self.report(line, path, "<< merges mappings only")
                    continue
                yield from (p for p in source.value if p[0].tag != f"{_TAG}merge")
                yield from self._merged(source, path, depth + 1)

    def _key(self, node: yaml.Node, path: Path) -> str:
        """The key's text; empty when it is none, which is then reported."""
        key = plain_value(node) if isinstance(node, yaml.ScalarNode) else UNREADABLE
        if isinstance(key, str) and key:
            return key
        is_read_as = "nothing" if key is None or key == "" else f"the number {key}"
        if key is UNREADABLE:
            is_read_as = "a list or mapping"
        text = key.text if isinstance(key, _Trap) else f"a key is read as {is_read_as}"
        self.report(node.start_mark.line + 1, path, f"{text}; keys are text")
        return ""


@dataclass(frozen=True, slots=True)
class _Trap:
    """Why a scalar is not what it seems, and what to write instead."""

    text: str


def plain_value(node: yaml.ScalarNode) -> object:
    """Text, number, boolean or None where people and YAML 1.1 agree on it; else a _Trap."""
    text, kind = node.value, node.tag.removeprefix(_TAG)
    if kind not in (_IMPLICIT if not node.style else {"str"}):
        return _Trap(f"the tag {kind} is not used here")
    if node.style:
        return _checked_text(text)
    if text in _WORDS and kind in ("bool", "null"):
        return _WORDS[text]
    if kind == "int" and _INT.fullmatch(text):
        return int(text)
    if kind == "float" and _FLOAT.fullmatch(text):
        return float(text)
    if kind == "str":
        if _READ_AS_TEXT.fullmatch(text):
            return _Trap(f"YAML reads {text} as text; write the number in full, or quote it")
        return _checked_text(text)
    return _Trap(f"YAML reads {text} as {_misread(text, kind)}")


def _checked_text(text: str) -> object:
    control = _CONTROL.search(text)
    return _Trap(f"text with the control character {control[0]!r}") if control else text


def _misread(text: str, kind: str) -> str:
    if kind == "bool":
        return f"{text.lower() in ('yes', 'on')}".lower() + "; write true or false, or quote it"
    base_60 = _BASE_60.fullmatch(text)
    if base_60:
        number = int(base_60[1]) * 60 + int(base_60[2])
        return f"the number {number}; write a duration like 1m30s, or quote it"
    if kind in ("int", "float"):
        return "a number in a form that people read otherwise; write plain digits, or quote it"
    if kind == "timestamp":
        return "a date; quote it"
    return f"a {kind}; quote it if text is meant"


class _Dumper(yaml.SafeDumper):
    """Quotes what this reader would misread; repeats a value instead of naming an alias."""

    def represent_data(self, value: object) -> yaml.Node:
        if not isinstance(value, str):
            return super().represent_data(value)
        tag = self.resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
        is_plain = plain_value(yaml.ScalarNode(tag, value)) == value
        return self.represent_scalar(f"{_TAG}str", value, style=None if is_plain else '"')

    def ignore_aliases(self, value: object) -> bool:
        return True
