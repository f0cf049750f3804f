"""Is a YAML text read as its writer meant it, with the line of everything that is doubtful?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.scenario.yaml_source import MAX_DEPTH, MAX_SOURCE_BYTES, Source, path_text, read, write

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
    | st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn"))),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab_-.?: #", min_size=1), inner)
    ),
    max_leaves=12,
)


def said(source: Source) -> list[str]:
    return [str(problem) for problem in source.problems]


def test_values_come_with_their_lines() -> None:
    source = read(b"a: 1\nb:\n  - x\n  - c: 2.5\n", "f.yaml")

    assert {"a": 1, "b": ["x", {"c": 2.5}]} == source.tree
    assert "f.yaml:4" == source.origin(("b", 1, "c"))
    assert "f.yaml:2" == source.origin(("b",))


def test_what_has_no_line_is_where_its_surroundings_are() -> None:
    source = read(b"a: 1\nb:\n  - c: 2\n", "f.yaml")

    assert "f.yaml:3" == source.origin(("b", 0, "missing", "deeper"))


def test_path_is_written_as_in_code() -> None:
    assert "phases[2].mix.store" == path_text(("phases", 2, "mix", "store"))


@pytest.mark.parametrize(
    ("scalar", "expected"),
    [
        ("5e6", "YAML reads 5e6 as text"),
        (".5e3", "YAML reads .5e3 as text"),
        ("1.5e3", "YAML reads 1.5e3 as text"),
        ("-.5", "YAML reads -.5 as text"),
        ("0o17", "YAML reads 0o17 as text"),
        ("1:30", "YAML reads 1:30 as the number 90"),
        ("1:30:00", "in a form that people read otherwise"),
        ("1_000", "in a form that people read otherwise"),
        ("0777", "in a form that people read otherwise"),
        ("0x1F", "in a form that people read otherwise"),
        (".inf", "in a form that people read otherwise"),
        ("9" * 5_000, "in a form that people read otherwise"),
        ("no", "YAML reads no as false"),
        ("On", "YAML reads On as true"),
        ("2024-01-01", "as a date"),
        ("=", "as a value"),
        ("!!binary aGk=", "the tag binary is not used here"),
        ("!!int '3'", "the tag int is not used here"),
        ("!!binary 5", "the tag binary is not used here"),
        ("!python/name x", "the tag !python/name is not used here"),
    ],
)
def test_trap_is_refused_and_quoted_text_is_not(scalar: str, expected: str) -> None:
    source = read(f"a: 1\nb: {scalar}\n".encode(), "f.yaml")

    assert 1 == len(source.problems)
    assert said(source)[0].startswith("f.yaml:2: b: ")
    assert expected in said(source)[0]
    assert not read(f'b: "{scalar}"'.encode(), "f.yaml").problems


@pytest.mark.parametrize(
    ("scalar", "expected"),
    [
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("-5", -5),
        ("0.25", 0.25),
        (".5", 0.5),
        ("1.0e+3", 1000.0),
        ("200/s", "200/s"),
        ("1h30m", "1h30m"),
        ("127.0.0.1:9464", "127.0.0.1:9464"),
        ("y", "y"),
        ("'no'", "no"),
    ],
)
def test_plain_scalar_is_what_it_looks_like(scalar: str, expected: object) -> None:
    assert {"a": expected} == read(f"a: {scalar}".encode(), "f").tree


@pytest.mark.parametrize("key", ["no", "1", "1:30", "null", "[1, 2]", "''"])
def test_key_that_is_no_text_is_refused(key: str) -> None:
    source = read(f"a:\n  ? {key}\n  : 1".encode(), "f")

    assert [] != source.problems
    assert said(source)[0].startswith("f:2: a: ")


def test_doubled_key_names_both_lines() -> None:
    source = read(b"a: 1\nb: 2\na: 3\n", "f")

    assert ["f:3: a: this key stands here twice (line 1)"] == said(source)


def test_anchors_and_merge_keys_are_followed_and_own_keys_win() -> None:
    source = read(b"a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\nd: {<<: [{q: 9}, *x]}\n", "f")

    assert [] == list(source.problems)
    assert {
        "a": {"p": 1, "q": 2},
        "b": {"p": 1, "q": 2},
        "c": {"p": 1, "q": 3},
        "d": {"p": 1, "q": 9},
    } == source.tree


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a:\n\tb: 1", "f:2: is not YAML: found character that cannot start any token; indent"),
        (b"a: 1\nb: [1", "is not YAML"),
        (b"a: b: c", "f:1: is not YAML"),
        (b"a: 1\n---\nb: 1", "f:2: is not YAML"),
        (b"a: *nowhere", "f:1: is not YAML"),
        (b"a: 1\nb: \xff\xfe", "f:2: is not UTF-8 text"),
        (b"a: 1\nb: \x00", "f:2: has the control character '\\x00'"),
        (b"\x7fELF\x02\x01\x01" + bytes(40), "is this a text file?"),
        (b"[" * 5_000, f"f:1: is nested deeper than {MAX_DEPTH} levels"),
        (b"x" * (MAX_SOURCE_BYTES + 1), "a scenario has at most 256 KiB"),
        (b"&a [*a]", "grows too large with its aliases"),
        (b"a: {<<: 3}", "<< merges mappings only"),
        (b'"\\UFFFFFFFF"', "is not YAML"),
    ],
    ids=lambda value: value[:12].decode("latin-1") if isinstance(value, bytes) else "",
)
def test_what_is_no_yaml_is_said_in_a_line(content: bytes, expected: str) -> None:
    source = read(content, "f")

    assert 1 == len(source.problems)
    assert expected in said(source)[0]
    assert "\n" not in said(source)[0]


@pytest.mark.parametrize("leaf", ["[x, x]", "{x: 1}"])
@pytest.mark.parametrize("nest", ["[{}]", "{{<<: [{}]}}"])
def test_alias_bomb_stops_at_the_limit(leaf: str, nest: str) -> None:
    lines = [f"a0: &a0 {leaf}"]
    lines += [f"a{i}: &a{i} {nest.format(', '.join([f'*a{i - 1}'] * 9))}" for i in range(1, 30)]
    source = read("\n".join(lines).encode(), "f")

    assert any("aliases" in text or "merges" in text for text in said(source))


@given(PLAIN)
def test_whatever_is_written_reads_back(tree: object) -> None:
    source = read(write(tree).encode(), "f")

    assert [] == list(source.problems)
    assert tree == source.tree


@given(st.binary(max_size=60))
def test_any_bytes_are_values_or_problems(content: bytes) -> None:
    source = read(content, "f")

    assert all("\n" not in text for text in said(source))
