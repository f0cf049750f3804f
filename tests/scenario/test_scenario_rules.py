"""Is every impossible combination refused, with its place, and every possible one let through?"""

from pathlib import Path

import numpy as np
import pytest

from soak.scenario import ScenarioError, dump, load

SOUND = """\
target: tests.toy_target
population: {keys: 100, agents: 4, batch: 5, k: 3}
phases:
  - {name: first, duration: 1m, warm: true, mix: {store: 1}}
  - {name: second, duration: 1m, mix: {store: 1, get: 1}}
  - {name: third, duration: 1m, mix: {store: 1, delete: 1, search: 0}}
checks: []
"""


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    file = tmp_path / "sound.yaml"
    file.write_text(SOUND)
    return file


RULE = "[{name: rule, detector: threshold_rule, phases: [%s]}]"
SLO = "{name: fast, detector: slo, params: {operation: %s, quantile: %s, max: 50ms}}"
IMPOSSIBLE = [
    (["phases[1].name=first"], "phases[1].name: first is also the name of phases[0]"),
    (["phases[2].warm=true"], "phases[2].warm: warm-up comes first"),
    (["phases[*].warm=true"], "phases: all phases are warm-up"),
    (["phases[*].duration=200d"], "phases: together they last more than 366 days"),
    (["population.batch=101"], "population.batch: is 101, more than population.keys 100"),
    (["population.agents=101"], "population.agents: is 101, more than population.keys 100"),
    (["population.preload=101"], "population.preload: is 101, more than population.keys 100"),
    (["population.k=101"], "population.k: is 101, more than population.keys 100"),
    (["observe.window=500ms"], "observe.window: is 500ms, shorter than observe.sample 1s"),
    (["observe.judge=500ms"], "observe.judge: is 500ms, shorter than observe.sample 1s"),
    (["phases[1].mix.search=1"], "phases[1].mix.search: the target tests.toy_target lacks search"),
    (["maintain_every=10s"], "maintain_every: the target tests.toy_target lacks maintain"),
    (
        ["target={name: memory, params: {dimensions: 64}}"],
        "target.params.dimensions: is 64, and the content's vectors have 384",
    ),
    (
        ["phases[1].arrivals=closed", "phases[1].rate=5"],
        "phases[1].rate: closed arrivals are closed: the clients decide, not a rate",
    ),
    (["phases[*].mix={get: 1}"], "phases: nothing is ever stored, so get has no record"),
    (["phases[1].mix={get: 0}"], "phases[1].mix: all weights are zero"),
    (["phases[1].mix={}"], "phases[1].mix: all weights are zero"),
    (["phases[1].mix={get: -1}"], "phases[1].mix.get: is -1; should be greater than or equal to 0"),
    (["phases[1].duration=0s"], "phases[1].duration: is the text '0s'; should be greater than 0"),
    (["phases[1].rate=0"], "phases[1].rate: is 0; should be greater than 0"),
    (["target.timeout=0s"], "target.timeout: is the text '0s'; should be greater than 0"),
    (["target.timeout=-1s"], "target.timeout: is the text '-1s'; a duration is written like"),
    (
        ["checks=" + RULE % "thrid"],
        "checks[0].phases[0]: there is no phase thrid; there are: first, second, third; did you",
    ),
    (["checks=" + RULE % "second, first"], "checks[0].phases[1]: first is warm-up, which is not"),
    (["checks=" + RULE % ""], "checks[0].phases: has 0 items; it needs at least 1 item"),
    (
        ["checks=[{name: oracle, detector: never, phases: [second]}]"],
        "checks[0].phases: never judges totals, which are not kept by phase",
    ),
    (["target.clients=0"], "target.clients: is 0; should be greater than or equal to 1"),
    (["listen=9464"], "listen: is 9464; it should be text"),
    (["listen=localhost"], "listen: is the text 'localhost'; is host:port"),
    (["listen=localhost:99999"], "listen: is the text 'localhost:99999'; is host:port"),
    ([f"checks=[{SLO % ('search', 'p99')}]"], "no phase's mix contains search; there are: store"),
    (
        ["checks=[{name: a, detector: degradation, params: {series: search_p50_s}}]"],
        "checks[0].params.series: no phase's mix contains search; there are: store, get, delete",
    ),
    (
        ["checks=[{name: a, detector: leak, params: {min_window: 10h}}]"],
        "checks[0].params.min_window: is 10h, and 2m follow warm-up; make it shorter, or give",
    ),
    (["checks=[degradation]"], "checks[0]: no phase's mix contains search; there are: store"),
    (["checks=[recall]"], "checks[0]: no phase's mix contains search; there are: store"),
    (
        ["checks=[{name: a, detector: slo, params: {total: search_p99_s, max: 1s}}]"],
        "checks[0].params.total: no phase's mix contains search; there are: store",
    ),
    (
        ["checks=[{name: a, detector: growth_law, params: {column: search_service_p50_s}}]"],
        "checks[0].params.column: no phase's mix contains search; there are: store",
    ),
    ([f"checks=[{SLO % ('gett', 'p99')}]"], "checks[0].params.operation: "),
    ([f"checks=[{SLO % ('get', 'p98')}]"], "checks[0].params.quantile: is the text 'p98'"),
    (["checks=[{name: a, detector: slow}]"], "no 'slow' among detectors"),
    (["checks=[{name: a, detector: never, params: {min: 1}}]"], "checks[0].params.min: is not a"),
    (["checks=[never, never]"], "checks[1].name: never is also the name of checks[0]"),
    (["phases[1].popularity={kind: zipf, params: {exponent: 0}}"], "params.exponent: is 0"),
    (["phases[1].popularity={kind: hotspot, params: {keys: 2}}"], "params.keys: is 2"),
    (["phases[1].importance={kind: uniform, params: {low: 1, high: 0}}"], "is above high"),
    (["phases[1].importance=gaussian"], "no importance named 'gaussian'; there are: uniform"),
    (["seed=-1"], "seed: is -1"),
    (["name=A B"], "name: is the text 'A B'; it should be lower-case letters"),
]


@pytest.mark.parametrize(("overrides", "expected"), IMPOSSIBLE, ids=[i[0][0] for i in IMPOSSIBLE])
def test_impossible_is_refused(sound: Path, overrides: list[str], expected: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(sound, overrides)

    assert expected in str(caught.value)
    assert 1 <= len(caught.value.problems) <= 3


def test_more_phases_than_a_byte_counts_are_refused(tmp_path: Path) -> None:
    phases = [f"  - {{name: p{i}, duration: 1s, mix: {{store: 1}}}}" for i in range(256)]
    file = tmp_path / "many.yaml"
    file.write_text("\n".join(["target: tests.toy_target", "phases:", *phases]))

    with pytest.raises(ScenarioError, match="phases: has 256 items; it needs at most 255 items"):
        load(file)


def test_refusal_says_how_to_leave_an_operation_out(sound: Path) -> None:
    with pytest.raises(ScenarioError, match=r"--set 'phases\[\*\].mix.search=0'"):
        load(sound, ["phases[1].mix.search=1"])
    assert (
        0
        == load(sound, ["phases[1].mix.search=1", "phases[*].mix.search=0"]).phases[1].mix["search"]
    )


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["phases[*].mix={store: 1}"],
        ["phases[*].mix={get: 1}", "population.preload=100"],
        ["phases[1].arrivals=closed"],
        [
            "target={name: memory, params: {dimensions: 64}}",
            "content={kind: clustered, params: {dimensions: 64}}",
        ],
        ["population.keys=5", "population.agents=5"],
        ["listen=localhost:0"],
        ['listen="[::1]:9464"'],
        ["listen=null"],
        ["observe={window: 1s, sample: 1s, judge: 1s}"],
        ["phases[0].warm=false"],
        [f"checks=[{SLO % ('get', 'p99')}]"],
        ["checks=[never]"],
        ["checks=[{name: a, detector: leak, needs: 11h, params: {min_window: 10h}}]"],
        ["checks=[{name: a, detector: leak, params: {min_window: 2m}}]"],
        ["checks=[leak]"],
    ],
    ids=str,
)
def test_possible_is_let_through(sound: Path, overrides: list[str]) -> None:
    assert 180.0 == load(sound, overrides).duration_s


def test_vectors_of_another_length_than_the_target_s_are_refused(sound: Path, tmp_path: Path):
    path = tmp_path / "short.npy"
    np.save(path, np.ones((3, 64), dtype=np.float32))
    changes = ["content.kind=vectors", f"content.params.path={path}", "phases[2].mix.search=1"]
    with pytest.raises(ScenarioError, match="is 384, and the content's vectors have 64; make"):
        load(sound, changes, target="memory")


def test_a_target_whose_clock_cannot_be_set_is_refused() -> None:
    said = r"target\.time_scale: the clock of memory cannot be set; set it to 1, or take"
    with pytest.raises(ScenarioError, match=said):
        load("aging", target="memory")
    assert 720 == load("aging", target="engine").target.time_scale
    assert 720 == load("aging").with_target("null").target.time_scale


def test_a_run_made_shorter_than_a_check_needs_is_that_of_its_resolved_scenario(
    sound: Path, tmp_path: Path
) -> None:
    changes = ["checks=[{name: a, detector: leak, params: {min_window: 2m}}]"]
    resolved = tmp_path / "resolved.yaml"
    resolved.write_text(dump(load(sound, changes, duration="30s")))

    assert 30.0 == load(resolved).duration_s
    assert 86_400.0 == load(sound, [changes[0].replace("2m", "1h")], duration="1d").duration_s
