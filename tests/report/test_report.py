import json
import math
from dataclasses import replace

import jsonschema
import pytest

from soak.report.document import MAX_EVENTS, document
from soak.snapshot import Recall
from tests.snapshots import six_hours

NUMBER = {"type": ["number", "null"]}
QUANTILES = {
    "type": "object",
    "required": ["p50", "p95", "p99", "p999", "max"],
    "additionalProperties": NUMBER,
}
COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}
# What others rely on: these keys and types stay, more may come.
STABLE = {
    "type": "object",
    "required": [
        *("schema_version", "run_id", "scenario", "target", "seed", "started", "duration_s"),
        *("verdict", "checks", "certificate", "operations", "resources", "records"),
        *("maintenance", "leaks", "oracle", "recall", "eviction", "health", "environment"),
    ],
    "properties": {
        "schema_version": {"const": 1},
        "seed": {"type": "integer"},
        "started": {"type": "string", "pattern": "^[0-9-]{10}T[0-9:.]{12}Z$"},
        "duration_s": {"type": "number"},
        "verdict": {
            "type": "object",
            "required": ["status", "exit_code", "reason"],
            "properties": {
                "status": {"enum": ["pass", "fail", "unknown"]},
                "exit_code": {"type": "integer"},
            },
        },
        "checks": {
            "items": {
                "required": [
                    *("name", "detector", "status", "effect", "unit", "threshold"),
                    *("since_s", "reason", "interval"),
                ],
                "properties": {
                    "effect": NUMBER,
                    "interval": {"type": ["array", "null"], "minItems": 2, "maxItems": 2},
                },
            }
        },
        "certificate": {
            "required": [
                *("trusted", "reasons", "lateness_s", "dropped_results", "offered_rate"),
                *("achieved_rate", "tester_rss_bytes"),
            ],
            "properties": {"lateness_s": QUANTILES, "trusted": {"type": "boolean"}},
        },
        "operations": {
            "additionalProperties": {
                "required": ["count", "outcomes", "latency_s", "service_s", "lateness_s"],
                "properties": {
                    "outcomes": COUNTS,
                    "latency_s": QUANTILES,
                    "service_s": QUANTILES,
                    "lateness_s": QUANTILES,
                },
            }
        },
        "resources": {
            "required": ["rss_bytes", "anonymous_bytes"],
            "additionalProperties": {"required": ["first", "last", "max"]},
        },
        "records": {"required": ["live", "stored", "evicted", "deleted"]},
        "maintenance": {
            "required": ["detected", "declared", "matched", "precision", "recall", "events"]
        },
        "oracle": {"required": ["checked", "violations"], "properties": {"violations": COUNTS}},
        "recall": {"required": ["k", "mean", "first", "last", "samples"]},
        "health": {"required": ["last", "min", "worst_component"]},
    },
}


def test_stable_keys_are_there_with_their_types():
    jsonschema.validate(document(six_hours(2_000)), STABLE)


def test_what_is_not_known_is_null():
    nothing = Recall(k=10, samples=0, mean=math.nan, first=math.nan, last=math.inf)
    found = document(replace(six_hours(2_000), recall=nothing))

    assert {"k": 10, "samples": 0, "mean": None, "first": None, "last": None} == found["recall"]
    json.dumps(found, allow_nan=False)


def test_same_snapshot_gives_the_same_text():
    texts = {json.dumps(document(six_hours(2_000))) for _ in range(2)}

    assert 1 == len(texts)


def test_operations_say_what_the_histograms_hold():
    snapshot = six_hours(2_000)
    found = document(snapshot)["operations"]["search"]

    assert 600 == found["count"]
    assert snapshot.operations["search"].latency.quantile_s(0.99) == found["latency_s"]["p99"]
    assert {"ok": 600, "missing": 0, "wrong": 0, "error": 0, "timeout": 0} == found["outcomes"]


def test_worst_component_is_the_lowest():
    health = {"score": 0.8, "latency": 0.9, "memory": 0.3, "errors": math.nan}
    found = document(replace(six_hours(2_000), health=health))["health"]

    assert ("memory", 0.8) == (found["worst_component"], found["last"])


def test_no_component_is_the_worst_where_all_are_well():
    health = {"score": 1.0, "latency": 1.0, "memory": math.nan, "errors": 1.0}
    found = document(replace(six_hours(2_000), health=health))["health"]

    assert found["worst_component"] is None
    assert found["components"]["memory"] is None


def test_health_as_the_target_reports_it_stands_beside_the_score():
    snapshot = six_hours(2_000)
    said = replace(snapshot, resources={**snapshot.resources, "health_ratio": 0.5})
    silent = replace(said, sampler_success={**said.sampler_success, "reported": False})

    assert document(snapshot)["health"]["reported"] is None
    assert (0.93, 0.5) == tuple(document(said)["health"][name] for name in ("last", "reported"))
    assert document(silent)["health"]["reported"] is None


def test_maintenance_counts_the_whole_run_and_lists_the_latest():
    snapshot = six_hours(2_000)
    many = tuple(
        replace(event, time_s=event.time_s + 1e5 * copy)
        for copy in range(40)
        for event in snapshot.events
    )
    counts = {("evict", "declared"): 7_000, ("evict", "detected"): 6_990}
    found = document(replace(snapshot, events=many, event_counts=counts))["maintenance"]

    assert (7_000, 6_990) == (found["declared"], found["detected"])
    assert MAX_EVENTS == len(found["events"])
    assert max(event.time_s for event in many) >= found["events"][-1]["time_s"] > 3e6


def test_maintenance_agreement_is_null_when_nothing_was_declared():
    found = document(replace(six_hours(2_000), events=(), event_counts={}))["maintenance"]

    assert (None, None, 0) == (found["precision"], found["recall"], found["matched"])


@pytest.mark.parametrize(("elapsed_s", "planned_s", "ratio"), [(30, 60, 0.5), (90, 60, 1.0)])
def test_progress_never_exceeds_the_plan(elapsed_s, planned_s, ratio):
    found = document(replace(six_hours(2_000), elapsed_s=elapsed_s, planned_s=planned_s))

    assert ratio == found["progress"]["ratio"]
