import re
from pathlib import Path

import numpy as np
import pytest

import engine

GUIDE = Path(__file__).parents[2] / "docs" / "engine" / "guide.md"


def embed(text: str) -> np.ndarray:
    """A stand-in for a model: the same text has the same vector."""
    rng = np.random.default_rng(list(text.encode()))
    return rng.standard_normal(384).astype(np.float32)


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)


def test_the_guide_has_examples_of_all_it_explains() -> None:
    code = "".join(examples())

    assert {"store", "search", "link", "maintain", "events"} <= set(re.findall(r"\.(\w+)\(", code))


@pytest.mark.parametrize("example", examples(), ids=lambda code: code.strip().splitlines()[0])
def test_every_example_of_the_guide_runs(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    exec(compile(example, str(GUIDE), "exec"), {"embed": embed})


def test_the_table_of_calls_names_every_call_there_is() -> None:
    table = " ".join(re.findall(r"^\| (`.*)$", GUIDE.read_text(), re.MULTILINE))
    public = {name for name in vars(engine.Engine) if not name.startswith("_")}

    assert set() == {name for name in public - {"close"} if f"`{name}" not in table}
