"""What all tests share: golden files, and properties that do not depend on the machine's speed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

GOLDEN = Path(__file__).parent / "golden"

# Noisy machines make deadlines lie; a fixed order of examples makes a failure repeatable anywhere.
settings.register_profile("soak", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("soak")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--refresh-golden",
        action="store_true",
        help="rewrite tests/golden/ with what the code says now; review the diff",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that no process is left alone with one of them in the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """golden("metrics.prom", text): text is what tests/golden/metrics.prom holds, byte for byte."""

    def check(name: str, actual: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--refresh-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(actual, encoding="utf-8")
        assert path.is_file(), f"{path} is missing: run pytest with --refresh-golden"
        assert path.read_text(encoding="utf-8") == actual

    return check
