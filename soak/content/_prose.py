"""Where do real sentences come from? Python's own docstrings, or a file of the user's."""

import ast
import json
import re
import sysconfig
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

SENTENCE_LENGTH = (30, 400)
LINE_LENGTH_MAX = 2_000
PROMPT = ">>>"  # an example in code is not a sentence
_BREAK = re.compile(r"(?<=[.!?])\s+|\n\s*\n")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
PACKAGES = ("asyncio", "collections", "concurrent", "email", "http", "json", "logging", "xml")


class ProseError(ValueError):
    """The file cannot be used; the message says which, where and what is needed."""


def docstring_sentences(limit: int) -> list[str]:
    """At most limit different sentences of the installed Python's standard library.

    In the order of the file names, so one Python version gives one list; some 5,000 a second.
    """
    library = Path(sysconfig.get_path("stdlib"))
    paths = sorted(library.glob("*.py"))
    for package in PACKAGES:
        paths += sorted((library / package).rglob("*.py"))
    return _distinct(_sentences(paths), limit)


def file_sentences(path: Path, field: str, limit: int) -> list[str]:
    """One text per line, at most limit different ones; of JSON lines (.jsonl) that field.

    Longer lines are cut to 2,000 characters. Raises ProseError.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            texts = _distinct(_texts(path, lines, field), limit)
    except (OSError, UnicodeDecodeError) as error:
        raise ProseError(
            f"{path}: {error}; a UTF-8 file with one text per line is needed"
        ) from error
    if not texts:
        raise ProseError(f"{path}: no text in it; one text per line is needed")
    return texts


def _texts(path: Path, lines: Iterable[str], field: str) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        text = _field(f"{path}:{number}", line, field) if path.suffix == ".jsonl" else line
        if text.strip():
            yield " ".join(text.split())[:LINE_LENGTH_MAX]


def _field(where: str, line: str, field: str) -> str:
    if not line.strip():
        return ""
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:
        raise ProseError(
            f"{where}: not JSON: {error.msg}; an object with the text in {field!r} is needed"
        ) from error
    if not isinstance(entry, dict) or not isinstance(entry.get(field), str):
        names = ", ".join(sorted(entry)) if isinstance(entry, dict) else "no fields"
        raise ProseError(
            f"{where}: no text in field {field!r}; there are: {names}; mend or remove it"
        )
    return str(entry[field])


def _sentences(paths: Iterable[Path]) -> Iterator[str]:
    shortest, longest = SENTENCE_LENGTH
    for docstring in chain.from_iterable(map(_docstrings, paths)):
        for sentence in _BREAK.split(docstring):
            plain = " ".join(sentence.split())
            if shortest <= len(plain) <= longest and PROMPT not in plain:
                yield plain


def _docstrings(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return  # the library's own tests of bad syntax
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED):
            yield ast.get_docstring(node) or ""


def _distinct(texts: Iterable[str], limit: int) -> list[str]:
    seen: dict[str, None] = {}
    for text in texts:
        seen[text] = None
        if len(seen) == limit:
            break
    return list(seen)
