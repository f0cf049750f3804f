"""Does each file keep those rules of STYLE.md that a machine can check?

A rule is a function from a source to complaints. EXAMPLES show it code that breaks it, lest it
never complain, and code that looks alike and is fine.
"""

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tests.source_tree import Source, parsed, sources, texts, words

# Where anything may go wrong in code that is not ours, and the run must still end in a verdict.
BROAD_EXCEPTS = {
    ("soak/result.py", "attempt"),  # a call of the target: the exception is its outcome
    ("soak/load/client.py", "run_client"),  # the same in the load loop, without the call
    ("soak/judge/judge.py", "_asked"),  # a user's detector: its check is unknown, the run goes on
    ("soak/bench/suite.py", "function_of"),  # a user's file: the other benchmarks go on
    ("soak/bench/functions.py", "run_function"),  # a user's function: the same
}

VAGUE = {"utils", "util", "helper", "helpers", "manager", "handler", "service", "base", "common"}
VAGUE |= {"data", "info"}
FIELD_WORDS = {"service"}  # service time: from start to end of an operation
FOREIGN_UNITS = {"ms", "us", "msec", "sec", "secs", "seconds", "minutes", "hours"}
FOREIGN_UNITS |= {"kb", "mb", "gb", "kib", "mib", "gib"}
DURATIONS = {"latency", "duration", "elapsed", "timeout", "delay", "uptime", "lateness"}
GENERATORS = {"Generator", "default_rng", "SeedSequence", "BitGenerator", "PCG64", "Philox"}

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)

Rule = Callable[[Source], Iterator[str]]


def is_long(source: Source) -> Iterator[str]:
    limit = 400 if source.path.startswith("tests/") else 350
    length = len(source.text.splitlines())
    if length > limit:
        yield f"1 has {length} lines of at most {limit}"


def has_long_function(source: Source) -> Iterator[str]:
    for node in source.nodes(*FUNCTIONS):
        length = node.end_lineno - node.lineno + 1
        if length > 60:
            yield f"{node.lineno} {node.name} has {length} lines of at most 60"


def nests_deeply(source: Source) -> Iterator[str]:
    for node in source.nodes(*FUNCTIONS):
        if source.is_product and depth(node) > 3:
            yield f"{node.lineno} {node.name} nests {depth(node)} deep, at most 3"


def depth(node: ast.AST) -> int:
    """Blocks within blocks below a node; a function within a function counts for itself."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FUNCTIONS):
            continue
        # An elif stands where its if stands; in the tree it is an if inside an else.
        is_elif = isinstance(node, ast.If) and getattr(child, "col_offset", -1) == node.col_offset
        deepest = max(deepest, depth(child) + (isinstance(child, BLOCKS) and not is_elif))
    return deepest


def has_vague_name(source: Source) -> Iterator[str]:
    """Modules and classes go by their last word, variables by the whole."""
    if words(source.module.rpartition(".")[2])[-1] in VAGUE:
        yield "1 the file's name says nothing"
    for node in source.nodes(ast.ClassDef):
        if words(node.name)[-1] in VAGUE:
            yield f"{node.lineno} {node.name} says nothing"
    for node in source.nodes(*FUNCTIONS):
        # do_GET is what http.server calls.
        if node.name in VAGUE or re.match(
            r"_*(process_|do_(?!DELETE|GET|HEAD|POST|PUT))", node.name
        ):
            yield f"{node.lineno} {node.name} says nothing"
    for line, name in variables(source):
        if name in VAGUE - FIELD_WORDS:
            yield f"{line} {name} says nothing"


def variables(source: Source) -> Iterator[tuple[int, str]]:
    yield from ((node.lineno, node.arg) for node in source.nodes(ast.arg))
    for node in source.nodes(ast.Name):
        if isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def hides_its_unit(source: Source) -> Iterator[str]:
    if not source.is_product:
        return
    for line, name in variables(source):
        *front, unit = words(name)
        if front and unit in FOREIGN_UNITS and "per" not in front:
            yield f"{line} {name}: durations are _ns or _s, sizes _bytes"
    for node in source.nodes(ast.arg, ast.AnnAssign):
        name = node.arg if isinstance(node, ast.arg) else getattr(node.target, "id", "")
        is_number = getattr(node.annotation, "id", "") in {"int", "float"}
        if is_number and words(name)[-1] in DURATIONS:
            yield f"{node.lineno} {name}: in which unit?"


def is_unfinished(source: Source) -> Iterator[str]:
    marks = "|".join(("TO" + "DO", "FIX" + "ME"))
    for number, line in enumerate(source.text.splitlines(), start=1):
        if re.search(rf"#.*\b({marks})\b(?!.*#\d)", line):
            yield f"{number} is unfinished, without the number of an issue"
        if re.search(r"^\s*#\s*([-=*#~])\1{3,}", line):
            yield f"{number} is a banner"


def catches_everything(source: Source) -> Iterator[str]:
    for scope in (source.tree, *source.nodes(*FUNCTIONS)):
        is_edge = (source.path, getattr(scope, "name", "")) in BROAD_EXCEPTS
        for node in own_nodes(scope):
            if is_broad(node) and not is_edge:
                yield f"{node.lineno} catches everything"


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """What lies inside a node, but not inside a function within it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, FUNCTIONS):
            yield from own_nodes(child)


def is_broad(node: ast.AST) -> bool:
    if isinstance(node, ast.ExceptHandler):
        caught = ast.unparse(node.type) if node.type else "Exception"
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
        caught = ast.unparse(node)
    else:
        return False
    return re.search(r"\b(Base)?Exception\b", caught) is not None


def reads_the_clock(source: Source) -> Iterator[str]:
    package, _, rest = source.path.partition("/")
    if package not in {"soak", "engine"} or rest == "clock.py":
        return
    if any(name.partition(".")[0] == "time" for name in source.imports()):
        yield f"1 imports time; only {package}/clock.py does"
    for node in source.nodes(ast.Call):
        if re.search(r"\b(datetime|date)\.(now|utcnow|today)$", ast.unparse(node.func)):
            yield f"{node.lineno} asks for the time; only {package}/clock.py does"


def draws_from_global_state(source: Source) -> Iterator[str]:
    for name in source.imports():
        if name.partition(".")[0] == "random":
            yield "1 imports random; chance comes from a Generator that is passed in"
    for node in source.nodes(ast.Attribute):
        drawn = re.fullmatch(r"(?:np|numpy)\.random\.(\w+)", ast.unparse(node))
        if drawn and drawn[1] not in GENERATORS:
            yield f"{node.lineno} {drawn[0]}: chance comes from a Generator that is passed in"


def waits_or_patches(source: Source) -> Iterator[str]:
    if not source.path.startswith("tests/"):
        return
    for node in source.nodes(ast.Attribute):
        if re.search(r"\b(time|asyncio)\.sleep$|\bmock\.patch\b", ast.unparse(node)):
            yield f"{node.lineno} {ast.unparse(node)}: a test owns its clock and injects its fakes"
    for name in source.imports():
        if name in {"time.sleep", "asyncio.sleep", "unittest.mock.patch"}:
            yield f"1 imports {name}: a test owns its clock and injects its fakes"


NESTED = """
def f(a):
    for b in a:
        if b: pass
        elif a:
            with b:
                {}
"""

EXAMPLES: list[tuple[int, Rule, str, str]] = [
    (1, is_long, "soak/x.py", "\n" * 351),
    (0, is_long, "tests/test_x.py", "\n" * 351),
    (1, has_long_function, "soak/x.py", "def f():\n" + "    pass\n" * 60),
    (0, has_long_function, "soak/x.py", "def f():\n" + "    pass\n" * 59),
    (1, nests_deeply, "soak/x.py", NESTED.format("while a: pass")),
    (0, nests_deeply, "soak/x.py", NESTED.format("pass")),
    (1, has_vague_name, "soak/utils.py", ""),
    (1, has_vague_name, "soak/x.py", "class RunManager: pass"),
    (1, has_vague_name, "soak/x.py", "def process_items(items): pass"),
    (1, has_vague_name, "soak/x.py", "data = 1"),
    (0, has_vague_name, "soak/process.py", "def do_GET(service, data_dir): pass"),
    (1, hides_its_unit, "soak/x.py", "def wait(timeout: float): pass"),
    (1, hides_its_unit, "soak/x.py", "wait_ms = 1"),
    (0, hides_its_unit, "soak/x.py", "NS_PER_MS: int = 1\ntimeout: Duration\ntimeout_s: float"),
    (1, is_unfinished, "soak/x.py", "# TO" + "DO: later"),
    (0, is_unfinished, "soak/x.py", "# TO" + "DO: later, see #12"),
    (1, is_unfinished, "soak/x.py", "# ----- section -----"),
    (1, catches_everything, "soak/x.py", "try: g()\nexcept: pass"),
    (1, catches_everything, "soak/x.py", "def f():\n try: g()\n except (OSError, Exception): pass"),
    (1, catches_everything, "soak/x.py", "with contextlib.suppress(Exception): g()"),
    (
        0,
        catches_everything,
        "soak/result.py",
        "def attempt():\n try: g()\n except Exception: pass",
    ),
    (1, reads_the_clock, "engine/x.py", "from time import monotonic"),
    (1, reads_the_clock, "soak/x.py", "t = datetime.now(UTC)"),
    (0, reads_the_clock, "soak/clock.py", "import time"),
    (1, draws_from_global_state, "soak/x.py", "from random import choice"),
    (1, draws_from_global_state, "engine/x.py", "np.random.seed(1)"),
    (0, draws_from_global_state, "engine/x.py", "rng: np.random.Generator"),
    (1, waits_or_patches, "tests/test_x.py", "time.sleep(1)"),
    (1, waits_or_patches, "tests/test_x.py", "from unittest.mock import patch"),
    (0, waits_or_patches, "tests/test_x.py", "clock.sleep_s(1)"),
]
RULES = list(dict.fromkeys(rule for _, rule, _, _ in EXAMPLES))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_file_breaks_the_rule(rule: Rule) -> None:
    complaints = [f"{source.path}:{found}" for source in sources() for found in rule(source)]

    assert [] == complaints, "\n".join(complaints)


@pytest.mark.parametrize(("count", "rule", "path", "text"), EXAMPLES)
def test_rule_complains_where_it_should(count: int, rule: Rule, path: str, text: str) -> None:
    complaints = list(rule(parsed(path, text)))

    assert count == len(complaints)


def test_no_text_names_a_registry_or_a_machine() -> None:
    foreign = re.compile(
        r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|deb\.debian\.org|ghcr\.io|quay\.io"
        r"|(?<![\w.])/(?:home|Users|root|work)/\w|/opt/(?:pypi|wheels)\b"
    )
    complaints = [
        f"{path}: {match[0]}" for path, text in texts().items() for match in foreign.finditer(text)
    ]
    assert [] == complaints, "\n".join(complaints)


def test_requirements_hold_no_address() -> None:
    pinned = {path: text for path, text in texts().items() if path.startswith("requirements/")}
    addressed = [path for path, text in pinned.items() if re.search(r"://|^-", text, re.MULTILINE)]

    assert {"requirements/runtime.txt", "requirements/test.txt"} <= pinned.keys()
    assert [] == addressed
