"""Do secrets stay out of what is written, and get to the target all the same?"""

import pytest

from soak.result import TargetUnavailable
from soak.scenario import Scenario, ScenarioError, dump, load, resolve
from soak.scenario.credentials import FromEnvironment, masked
from soak.scenario.yaml_source import read

SECRET = "s3cr3tt0ken"


def of(name: str, params: dict[str, object]) -> Scenario:
    phase = {"name": "a", "duration": "1m", "mix": {"store": 1}}
    target = {"name": name, "params": params}
    return resolve({"name": "t", "target": target, "phases": [phase]}, "test")


@pytest.mark.parametrize(
    ("name", "params", "place"),
    [
        ("http", {"headers": {"Authorization": f"Bearer {SECRET}"}}, "headers.Authorization"),
        ("http", {"headers": {"X-Api-Key": SECRET}}, "headers.X-Api-Key"),
        ("http", {"url": f"http://me:{SECRET}@127.0.0.1:1"}, "url"),
        ("http", {"store": {"path": f"/m?api_key={SECRET}"}}, "store.path"),
        ("qdrant", {"url": "http://127.0.0.1:1", "api_key": SECRET}, "api_key"),
        ("redis", {"url": f"redis://:{SECRET}@127.0.0.1:1"}, "url"),
        ("pgvector", {"url": f"postgresql://me:{SECRET}@localhost/db"}, "url"),
        ("pgvector", {"url": f"host=localhost password={SECRET}"}, "url"),
    ],
)
def test_a_secret_in_a_scenario_is_refused_and_not_repeated(name, params, place):
    with pytest.raises(ScenarioError) as refused:
        of(name, params)

    assert place in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "assignment",
    [
        f"target.params.headers={{Authorization: {SECRET}}}",
        f"target.params.headers.Authorization={SECRET}",
        f"target.params.url=http://me:{SECRET}@127.0.0.1:1",
    ],
)
def test_a_flag_with_a_secret_is_refused_without_it(assignment):
    with pytest.raises(ScenarioError) as refused:
        load("http", [assignment])

    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("http", {"url": "http://127.0.0.1:1", "headers": {"X-Tenant": "acme"}}),
        ("http", {"store": {"path": "/m?token=$token"}, "setup": [
            {"path": "/login", "keep": {"token": "token"}}
        ]}),
        ("pgvector", {"url": "postgresql://me@localhost/db"}),
        ("redis", {"url": "redis://127.0.0.1:6379/0"}),
    ],
)  # fmt: skip
def test_what_is_no_secret_may_be_said(name, params):
    assert of(name, params).target.name == name


def test_a_variable_is_what_is_written_and_it_reads_as_itself(monkeypatch):
    monkeypatch.setenv("STORE_TOKEN", SECRET)
    scenario = of("http", {"headers": {"Authorization": {"env": "STORE_TOKEN"}}})
    text = dump(scenario)

    assert SECRET not in text
    assert scenario == resolve(dict(read(text.encode(), "t").tree), "t")
    assert SECRET == scenario.target.params.headers["Authorization"].read()


@pytest.mark.parametrize("value", ["", "two\nlines", "schlüssel"])
def test_a_variable_that_is_no_secret_is_named_and_not_shown(monkeypatch, value):
    monkeypatch.setenv("STORE_TOKEN", value)

    with pytest.raises(TargetUnavailable, match=r"^STORE_TOKEN ") as refused:
        FromEnvironment(env="STORE_TOKEN").read()

    assert not value or value not in str(refused.value)


@pytest.mark.parametrize("value", [5, {"environment": "A"}, {"env": "a b"}, {"env": 7}])
def test_what_is_neither_text_nor_a_variable_is_refused_in_one_line(value):
    with pytest.raises(ScenarioError, match=r"test: target\.params\.headers\.X") as refused:
        of("http", {"headers": {"X": value}})

    assert 1 == len(refused.value.problems), refused.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("redis://:a@b@host:1/0", "redis://...@host:1/0"),
        ("http://me:hidden@host/a@b", "http://...@host/a@b"),
        ("http://host/a@b", "http://host/a@b"),
    ],
)
def test_addresses_are_shown_without_who_they_are_for(text, expected):
    assert expected == masked(text)
