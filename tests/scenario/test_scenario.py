"""Does a file become the scenario its writer meant, or else a list of everything wrong with it?"""

from pathlib import Path

import pytest

from soak.scenario import Scenario, ScenarioError, dump, load, resolve
from soak.scenario.shapes import Beta, Even, Hotspot, Zipf
from soak.verdict import ExitCode
from tests.toy_target import Params

MINIMAL = """\
target: tests.toy_target
phases:
  - {name: only, duration: 1h, mix: {store: 1}}
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    file = tmp_path / "night.yaml"
    file.write_text(MINIMAL)
    return file


def test_name_alone_becomes_the_full_form(written: Path) -> None:
    scenario = load(written)

    assert ("tests.toy_target", Params(capacity=10)) == (
        scenario.target.name,
        scenario.target.params,
    )
    phase = scenario.phases[0]
    assert ("poisson", "zipf", Zipf()) == (
        phase.arrivals.kind,
        phase.popularity.kind,
        phase.popularity.params,
    )
    assert Beta(a=2, b=5) == phase.importance.params


def test_quantities_become_base_units(written: Path) -> None:
    scenario = load(written, ["rate=12/min", "target.params={memory: 2KiB, patience: 250ms}"])

    assert (3600.0, 0.2) == (scenario.duration_s, scenario.rate)
    assert Params(memory=2048, patience=0.25) == scenario.target.params


def test_file_gives_the_name(written: Path, tmp_path: Path) -> None:
    spaced = tmp_path / "My Soak!.yaml"
    spaced.write_text(MINIMAL)

    assert "night" == load(written).name
    assert "my-soak" == load(spaced).name
    assert "day" == load(written, ["name=day"]).name


def test_phase_inherits_the_rate_unless_it_has_one(written: Path) -> None:
    assert 50.0 == load(written, ["rate=50"]).phases[0].rate
    assert 7.0 == load(written, ["rate=50", "phases[0].rate=7/s"]).phases[0].rate


def test_closed_arrivals_have_no_rate(written: Path) -> None:
    assert None is load(written, ["phases[0].arrivals=tests.toy_arrivals"]).phases[0].rate


def test_dumped_scenario_loads_as_the_same(written: Path, tmp_path: Path) -> None:
    first = load(written, ["phases[0].popularity={kind: hotspot, params: {keys: 0.2}}", "rate=0.3"])
    again = tmp_path / "scenario.yaml"
    again.write_text(dump(first))

    assert first == load(again)
    assert dump(first) == dump(load(again))
    assert Hotspot(keys=0.2) == load(again).phases[0].popularity.params


def test_dump_is_in_the_units_of_people(written: Path) -> None:
    text = dump(load(written))

    assert "duration: 1h\n" in text
    assert "rate: 100/s\n" in text
    assert "memory: 1MiB\n" in text


def test_plain_values_resolve_like_a_file() -> None:
    phase = {"name": "only", "duration": "1h", "mix": {"store": 1}}
    scenario = resolve({"target": "tests.toy_target", "phases": [phase]}, "memory")

    assert "memory" == scenario.name
    assert 3600.0 == scenario.duration_s


def test_plain_values_name_their_source() -> None:
    with pytest.raises(ScenarioError, match="memory: phases: is missing"):
        resolve({"target": "tests.toy_target"}, "memory")


def test_usual_checks_stand_in_for_absent_ones_only(written: Path) -> None:
    names = [check.name for check in load(written).checks]

    assert {"wrong-answers", "errors", "throughput", "store-p99"} < set(names)
    assert "search-p99" not in names
    assert () == load(written, ["checks=[]"]).checks


def test_a_usual_check_for_slowing_down_needs_a_load_that_stays_as_it_is(written: Path) -> None:
    def slowing() -> list[str]:
        return [check.name for check in load(written).checks if check.detector == "degradation"]

    assert ["store-slows"] == slowing()
    written.write_text(f"{MINIMAL}  - {{name: more, duration: 3h, mix: {{store: 1}}}}\n")
    assert [] == slowing()


def test_whether_recall_falls_is_asked_of_long_runs_with_searches(written: Path) -> None:
    def falling() -> list[float]:
        return [check.needs for check in load(written).checks if check.name == "recall-falls"]

    assert [] == falling()
    on_memory = MINIMAL.replace("tests.toy_target", "memory")
    written.write_text(on_memory.replace("store: 1", "store: 1, search: 1"))
    assert [1800.0] == falling()


def test_duration_scales_all_phases_in_proportion(written: Path) -> None:
    second = "{name: more, duration: 3h, mix: {store: 1}}"
    written.write_text(f"{MINIMAL}  - {second}\n")
    scenario = load(written, duration="60s")

    assert [15.0, 45.0] == [phase.duration for phase in scenario.phases]
    assert 60.0 == scenario.duration_s


def test_rate_scales_all_rates_in_proportion(written: Path) -> None:
    arrivals = "phases[0].arrivals={kind: tests.toy_arrivals, params: {peak: 60/s}}"
    scenario = load(written, [arrivals, "rate=100"], rate="50")

    params = scenario.phases[0].arrivals.params.model_dump()
    assert {"peak": 30.0, "floor": None, "weight": 3.0} == params
    assert 50.0 == scenario.rate
    assert 3.5 == load(written, ["rate=100", "phases[0].rate=7"], rate="50/s").phases[0].rate


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"duration": "60"}, "--duration 60: a duration is written like 90s"),
        ({"duration": "0s"}, "--duration 0s: must be above 0 and at most 366d"),
        ({"duration": "9000d"}, "--duration 9000d: must be above 0 and at most 366d"),
        ({"rate": "2000000"}, "--rate 2000000: must be above 0 and at most 1000000/s"),
        ({"rate": "fast"}, "--rate fast: a rate is operations per time"),
        ({"rate": "-1"}, "--rate -1: a rate is operations per time"),
        ({"target": "nul"}, "--target nul: target.name: is the text 'nul'; no 'nul' among targets"),
    ],
)
def test_wrong_flag_is_named(written: Path, flags: dict[str, str], expected: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(written, **flags)

    assert str(caught.value).startswith(expected)


def test_another_target_comes_with_its_own_parameters(written: Path) -> None:
    overrides = ["target={name: tests.toy_target, clients: 3, params: {capacity: 5}}"]
    scenario = load(written, overrides).with_target("null")

    assert ("null", 3, {}) == (
        scenario.target.name,
        scenario.target.clients,
        scenario.target.params.model_dump(),
    )
    kept = load(written, overrides, target="tests.toy_target").target
    assert kept.params == Params(capacity=5)


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("target.params.capacity=77", {"target": {"params": {"capacity": 77}}}),
        ("phases[only].popularity=uniform", {"phases": [{"popularity": {"kind": "uniform"}}]}),
        ("phases[*].mix.get=2", {"phases": [{"mix": {"store": 1.0, "get": 2.0}}]}),
        ("observe.window=5s", {"observe": {"window": 5.0, "sample": 1.0}}),
        ("phases[0].importance.params.a=3", {"phases": [{"importance": {"params": {"a": 3.0}}}]}),
        ("listen=null", {"listen": None}),
        ("question=a = b", {"question": "a = b"}),
    ],
)
def test_set_changes_one_field(written: Path, assignment: str, expected: object) -> None:
    assert_within(expected, load(written, [assignment]).model_dump())


def assert_within(expected: object, actual: object) -> None:
    if isinstance(expected, dict):
        assert isinstance(actual, dict)
        for key, value in expected.items():
            assert_within(value, actual[key])
    elif isinstance(expected, list):
        assert isinstance(actual, (list, tuple))
        for value, found in zip(expected, actual, strict=True):
            assert_within(value, found)
    else:
        assert expected == actual


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("rate", "is not path=value"),
        ("=3", "is not path=value"),
        ("a..b=3", "is not path=value"),
        ("rate=5e6", "rate: YAML reads 5e6 as text"),
        ("rate=-5", "rate: is -5; should be greater than or equal to 0"),
        ("rate=[", "rate: is not YAML"),
        ("rate=\udcff", "rate: is not UTF-8 text"),
        ("rte=5", "rte: is not a key here; there are: name, question, seed, rate"),
        ("phases[1].rate=5", "phases: has no item '1'; 0 to 0, *, or a name: only"),
        ("phases[0].rate.x=5", "phases[0].rate: a rate is operations per time"),
        ("name.x=5", "name: is a mapping; it should be text"),
        ("target=null", "target: is nothing; it should be a mapping of keys; the name null is"),
    ],
)
def test_wrong_assignment_names_its_flag(written: Path, assignment: str, expected: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(written, [assignment])

    first = caught.value.problems[0]
    assert f"--set {assignment}" == first.origin
    assert expected in str(first)


def test_set_repairs_what_is_wrong_in_the_file(written: Path) -> None:
    written.write_text(MINIMAL + "rate: 5e6\n")

    assert 5.0 == load(written, ["rate=5"]).rate


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(
        "target: {name: tests.toy_target, params: {capacty: 3}}\n"
        "rate: 1_000\n"
        "phases:\n"
        "  - name: warm up\n"
        "    duration: 30\n"
        "    mix: {serch: 1}\n"
        "    importance: {kind: beta, params: {a: x}}\n"
        "obsrve: {}\n"
    )
    with pytest.raises(ScenarioError) as caught:
        load(file)

    assert [
        (1, "target.params.capacty"),
        (2, "rate"),
        (4, "phases[0].name"),
        (5, "phases[0].duration"),
        (6, "phases[0].mix.serch"),
        (7, "phases[0].importance.params.a"),
        (8, "obsrve"),
    ] == [(int(line.split(":")[1]), line.split(": ")[1]) for line in str(caught.value).splitlines()]
    assert "did you mean capacity?" in str(caught.value)
    assert "did you mean search?" in str(caught.value)
    assert "did you mean observe?" in str(caught.value)


def test_mistake_in_a_scenario_is_the_users(written: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(written, ["rate=x"])

    assert ExitCode.USAGE == caught.value.exit_code


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is empty; a scenario has at least phases"),
        ("# only a comment\n", "is empty"),
        ("- a\n- b\n", "is not a mapping of keys"),
        ("just text", "is not a mapping of keys"),
        ("rate: 5\n", "phases: is missing"),
        ("phases: []\n", "phases: has 0 items; it needs at least 1 item"),
        ("phases: 3\n", "phases: is 3; it should be a list"),
        ("phases: [{name: a, mix: {store: 1}}]\n", "phases[0].duration: is missing"),
    ],
)
def test_what_is_no_scenario_says_what_is_missing(
    tmp_path: Path, content: str, expected: str
) -> None:
    file = tmp_path / "f.yaml"
    file.write_text(content)

    with pytest.raises(ScenarioError, match=r"f\.yaml:1: ") as caught:
        load(file)
    assert expected in str(caught.value)


@pytest.mark.parametrize("name", ["stedy", "missing/file.yaml", ".", "a\0b", "x" * 5_000])
def test_file_that_is_not_there_is_a_mistake(name: str) -> None:
    with pytest.raises(ScenarioError):
        load(name)


def test_misspelt_shipped_name_is_put_right() -> None:
    with pytest.raises(ScenarioError, match=r"shipped are: .*smoke.*did you mean smoke\?"):
        load("smok")


def test_code_builds_a_scenario_with_plain_numbers() -> None:
    phase = {"name": "only", "duration": 60.0, "mix": {"store": 1.0}, "popularity": "uniform"}
    scenario = Scenario.model_validate({"name": "x", "target": "null", "phases": (phase,)})

    assert (60.0, Even()) == (scenario.duration_s, scenario.phases[0].popularity.params)
