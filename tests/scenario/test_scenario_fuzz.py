"""Can a damaged scenario do anything but load or be refused in words?"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from soak.scenario import ScenarioError, dump, load, shipped

FILES = 2_000
SEED = 20_260_301
VALUES = (
    *("", "~", "null", "true", "no", "0", "-1", "5e6", "1_000", "0777", ".5e3", "1:30", "1e999"),
    *(".nan", ".inf", "0x1F", "2024-01-01", "9" * 400, "1" * 5_000, "6h", "512MiB", "200/s", "-5s"),
    *("[]", "{}", "[[[]]]", "{a: {b: c}}", "*mix", "&mix", "<<", "!!python/object:os.system x"),
    *("engine", "null", "a.b", "os.path", "..", "/", "'", '"', "\t", "\x00", "\ud7ff", "٣", "🦜"),
)


@pytest.fixture(scope="module")
def originals() -> list[bytes]:
    return [file.read_bytes() for file in shipped().values()]


def test_damaged_files_are_refused_in_words(originals: list[bytes], tmp_path: Path) -> None:
    rng = np.random.default_rng(SEED)
    file = tmp_path / "damaged.yaml"
    refused_count = 0
    for _ in range(FILES):
        content = damaged(originals[rng.integers(len(originals))], rng)
        file.write_bytes(content)
        lines = refusal(file).splitlines()
        refused_count += bool(lines)
        assert all(line.startswith(f"{file}") for line in lines), content

    assert FILES / 2 < refused_count < FILES


def test_damaged_assignments_are_refused_in_words(tmp_path: Path) -> None:
    rng = np.random.default_rng(SEED)
    file = tmp_path / "sound.yaml"
    file.write_text(
        "target: tests.toy_target\nphases: [{name: a, duration: 1h, mix: {store: 1}}]\n"
    )
    paths = ("rate", "target", "target.params", "phases[0].mix", "phases[*]", "checks[0].name")
    for _ in range(400):
        path, value = str(rng.choice(paths)), str(rng.choice(VALUES))
        assignment = damaged(f"{path}={value}".encode(), rng).decode("utf-8", "surrogateescape")
        lines = refusal(file, assignment).splitlines()
        assert all(line.startswith(("--set ", f"{file}")) for line in lines), assignment


def refusal(file: Path, *overrides: str) -> str:
    """What is said of a scenario; empty when it loads."""
    try:
        dump(load(file, overrides))
    except ScenarioError as error:
        return str(error)
    return ""


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """The content after one to four random accidents."""
    accidents = (flip, cut, drop_line, double_line, swap_lines, indent, replace_value, insert)
    for _ in range(rng.integers(1, 5)):
        content = accidents[rng.integers(len(accidents))](content, rng)
    return content


def flip(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4) if changed else 0):
        changed[rng.integers(len(changed))] = rng.integers(256)
    return bytes(changed)


def cut(content: bytes, rng: np.random.Generator) -> bytes:
    start, end = sorted(rng.integers(0, len(content) + 1, 2))
    return content[:end] if rng.random() < 0.2 else content[:start] + content[start + 9 :]


def drop_line(content: bytes, rng: np.random.Generator) -> bytes:
    lines = content.split(b"\n")
    del lines[rng.integers(len(lines))]
    return b"\n".join(lines)


def double_line(content: bytes, rng: np.random.Generator) -> bytes:
    lines = content.split(b"\n")
    lines.insert(rng.integers(len(lines)), pick(lines, rng))
    return b"\n".join(lines)


def swap_lines(content: bytes, rng: np.random.Generator) -> bytes:
    lines = content.split(b"\n")
    a, b = rng.integers(0, len(lines), 2)
    lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


def indent(content: bytes, rng: np.random.Generator) -> bytes:
    lines = content.split(b"\n")
    at = rng.integers(len(lines))
    lines[at] = pick([b" ", b"  ", b"\t", b"- "], rng) + lines[at]
    return b"\n".join(lines)


def replace_value(content: bytes, rng: np.random.Generator) -> bytes:
    lines = content.split(b"\n")
    at = rng.integers(len(lines))
    key = lines[at].partition(b":")[0]
    lines[at] = key + b": " + VALUES[rng.integers(len(VALUES))].encode()
    return b"\n".join(lines)


def insert(content: bytes, rng: np.random.Generator) -> bytes:
    at = rng.integers(len(content) + 1)
    return content[:at] + VALUES[rng.integers(len(VALUES))].encode() + content[at:]


def pick(items: Sequence[bytes], rng: np.random.Generator) -> bytes:
    return items[rng.integers(len(items))]
