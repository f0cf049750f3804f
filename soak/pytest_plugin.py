"""How does a project's own test suite soak its memory? `pytest --soak`, a fixture and a marker.

    pytest --soak configs/smoke.yaml --soak-target mine.adapter      one more test, which is the run

    @pytest.mark.soak("smoke", target="mine.adapter", duration="30s")
    def test_memory_holds(soak):
        record = soak()                                  # fails here unless the verdict is pass
        assert record.document["recall"]["mean"] > 0.98

`--soak-json FILE` writes what all of them measured as pytest-benchmark would.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from soak.verdict import Mistake, Status

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr

    from soak.report.record import RunRecord

# What a test run leaves for the reports, also across the processes of xdist.
PROPERTY = "soak_run"


class SoakFailed(AssertionError):
    """The verdict of a run is not pass; the message says why, check by check."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("soak", "soak tests of agent memories")
    group.addoption(
        "--soak",
        action="append",
        default=[],
        metavar="SCENARIO",
        help="soak by this file or shipped scenario, too, as one more test; may be repeated",
    )
    group.addoption("--soak-target", metavar="NAME", help="every run soaks this target instead")
    group.addoption("--soak-duration", metavar="TIME", help="every run is scaled to this: 30s, 1h")
    group.addoption("--soak-out", metavar="DIR", help="where run directories are made")
    group.addoption("--soak-json", metavar="FILE", help="write figures as pytest-benchmark does")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "soak(scenario, target=, duration=, rate=, seed=, changes=): what the fixture `soak` runs",
    )
    file = config.getoption("soak_json")
    # Of xdist's processes only the first sees all reports.
    if file and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Figures(Path(file)), "soak-figures")


class Soak:
    """Soaks when called, as often as asked; `soak` in a test is one of these."""

    def __init__(
        self,
        config: pytest.Config,
        out: Path,
        properties: list[tuple[str, object]],
        usual: tuple[Sequence[object], Mapping[str, object]] = ((), {}),
    ) -> None:
        self._config = config
        self._out = out
        self._properties = properties
        self._usual = usual

    def __call__(
        self, scenario: str | Path | None = None, *, judged: bool = True, **changes: object
    ) -> "RunRecord":
        """Soak and return the run; arguments as of `soak.run`, by default the marker's.

        judged: raise SoakFailed unless the verdict is pass.
        """
        from soak.api import run

        given, usual = self._usual
        asked = {**usual, **changes}
        chosen = scenario or (given[0] if given else asked.pop("scenario", None))
        if chosen is None:
            raise TypeError('which scenario? soak("smoke"), or @pytest.mark.soak("smoke")')
        for name in ("target", "duration"):
            asked[name] = self._config.getoption(f"soak_{name}") or asked.get(name)
        record = run(chosen, out=self._out, **asked)  # type: ignore[arg-type]
        self._properties.append((PROPERTY, str(record.directory)))
        if judged:
            require_pass(record)
        return record


def require_pass(record: "RunRecord") -> None:
    """Raises SoakFailed, which says of each check that did not pass what was measured."""
    from soak.report.document import as_rows
    from soak.report.markdown import bound_text, effect_text, sentence

    document = record.document
    if record.verdict.status is Status.PASS:
        return
    checks = as_rows(document.get("checks"))
    lines = [
        f"{check.get('name')}: {check.get('status')}: {check.get('reason')} "
        f"({effect_text(check)}, bound {bound_text(check)})"
        for check in checks
        if check.get("status") != "pass"
    ]
    raise SoakFailed("\n".join([sentence(document), *lines, f"run: {record.directory}"]))


@pytest.fixture
def soak(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Soak:
    """Soaks by the scenario it is called with, or by the one of @pytest.mark.soak."""
    marker = request.node.get_closest_marker("soak")
    usual = (marker.args, marker.kwargs) if marker else ((), {})
    out = _out(request.config, tmp_path_factory)
    return Soak(request.config, out, request.node.user_properties, usual)


def _out(config: pytest.Config, factory: pytest.TempPathFactory | None) -> Path:
    chosen = config.getoption("soak_out")
    if chosen or factory is None:
        return Path(chosen or "runs")
    return factory.mktemp("soak")


class SoakItem(pytest.Item):
    """One scenario of --soak; its name is the scenario's."""

    scenario: str

    def runtest(self) -> None:
        Soak(self.config, _out(self.config, None), self.user_properties)(self.scenario)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> "str | TerminalRepr":
        """The verdict in words: where in this plug-in it was raised tells nobody anything."""
        if isinstance(excinfo.value, SoakFailed | Mistake):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return Path(self.scenario), None, f"soak {self.scenario}"


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """After the project's own tests, which are faster."""
    for scenario in config.getoption("soak"):
        name = Path(scenario).stem
        item: SoakItem = SoakItem.from_parent(session, name=name, nodeid=f"soak::{scenario}")
        item.scenario = scenario
        # By which -m knows it.
        item.add_marker(pytest.mark.soak)
        items.append(item)


class Figures:
    """What the runs of a session measured, gathered for one file where all reports arrive."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._runs: list[Path] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            found = (value for name, value in report.user_properties if name == PROPERTY)
            self._runs.extend(Path(str(value)) for value in found)

    def pytest_sessionfinish(self) -> None:
        from soak.report.pytest_benchmark import benchmark_json
        from soak.report.record import load_run

        content = benchmark_json([load_run(run) for run in self._runs])
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(content, indent=1))
