"""May these two runs be compared? What stands against it, and what a reader must know."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from soak.report.document import as_section
from soak.report.record import RunRecord
from soak.rundir import RunDirectory
from soak.verdict import Mistake

# What may differ between two runs of the same load: the target is what A/B is about.
NOT_LOAD = ("name", "question", "seed", "target", "checks", "listen", "turns")
MACHINE = ("cpu_model", "cpus_allowed", "machine")
KIB_PER_GIB = 1 << 20

Plan = Mapping[str, object]


class NotComparable(Mistake):
    """The comparison would answer another question than was asked; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objections:
    """distrust: why nothing that depends on time can be concluded; notes: what else differs."""

    distrust: tuple[str, ...]
    notes: tuple[str, ...]


def objections(run: RunRecord, baseline: RunRecord, *, anyway: bool = False) -> Objections:
    """What stands against comparing run with baseline.

    anyway: other loads and machines are a note. Raises NotComparable for a run with itself, and
    for two loads that differ.
    """
    if run.directory == baseline.directory or _same(run, baseline, "run_id"):
        raise NotComparable(
            f"{run.directory.name}: this is the baseline itself; nothing to compare"
        )
    notes = [*_turns(run), *_different_loads(run, baseline, anyway=anyway)]
    notes += _different_subjects(run, baseline)
    machines = _different_machines(run, baseline)
    distrust = [*_distrusted(run, "the run"), *_distrusted(baseline, "the baseline")]
    if anyway:
        notes += machines
    else:
        distrust += [f"{each} (--anyway compares all the same)" for each in machines]
    return Objections(distrust=tuple(distrust), notes=tuple(notes))


def _turns(run: RunRecord) -> list[str]:
    turns = as_section(run.plan.get("turns"))
    said = f"window by window: the load came to one and the other in turns of {turns.get('every')}"
    return [said] if turns else []


def _same(run: RunRecord, baseline: RunRecord, key: str) -> bool:
    value = run.document.get(key)
    return value is not None and value == baseline.document.get(key)


def require_same_load(plan: Plan, baseline: RunRecord, name: str) -> None:
    """Raises NotComparable where a run of that plan could not be compared with the baseline."""
    names = _load_differences(plan, baseline.plan)
    if names:
        raise NotComparable(
            f"{name} and the baseline {baseline.directory.name}: the loads differ "
            f"({', '.join(names)}); run the same scenario with the same flags"
        )


def require_same_plan(plan: Plan, other: Plan, names: tuple[str, str]) -> None:
    """Raises NotComparable where runs of the two would do different things to their targets."""
    different = _load_differences(plan, other)
    if different:
        raise NotComparable(
            f"{names[0]} and {names[1]}: the loads differ ({', '.join(different)}); two targets "
            "are compared under one load: let nothing but `target` differ"
        )


def _different_loads(run: RunRecord, baseline: RunRecord, *, anyway: bool) -> list[str]:
    notes = []
    names = _load_differences(run.plan, baseline.plan)
    if names:
        said = f"the loads differ: {', '.join(names)}"
        if not anyway:
            raise NotComparable(
                f"{run.directory.name} and {baseline.directory.name}: {said}; run the same "
                "scenario with the same flags, or pass --anyway"
            )
        notes.append(said)
    if run.plan.get("seed") != baseline.plan.get("seed"):
        seeds = f"{run.plan.get('seed')} and {baseline.plan.get('seed')}"
        notes.append(f"the seeds differ ({seeds}), so the operations are alike but not the same")
    return notes


def _load_differences(mine: Plan, other: Plan) -> list[str]:
    ours, theirs = _load(mine), _load(other)
    return sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))


def _load(plan: Plan) -> dict[str, object]:
    """What was asked of the target, as plain values that can be compared."""
    target = as_section(plan.get("target"))
    kept = {key: value for key, value in plan.items() if key not in NOT_LOAD}
    kept["target.clients"] = target.get("clients")
    kept["target.time_scale"] = target.get("time_scale", 1.0)
    plain: dict[str, object] = json.loads(json.dumps(kept, default=str))
    return plain


def _different_subjects(run: RunRecord, baseline: RunRecord) -> list[str]:
    notes = []
    for key, said in (("target", "the targets differ"), ("version", "soak's versions differ")):
        mine, other = run.document.get(key), baseline.document.get(key)
        if mine != other:
            notes.append(f"{said}: {mine} against {other}")
    mine, other = (as_section(record.plan.get("target")) for record in (run, baseline))
    ours, theirs = as_section(mine.get("params")), as_section(other.get("params"))
    changed = sorted(k for k in ours.keys() | theirs.keys() if ours.get(k) != theirs.get(k))
    if changed and mine.get("name") == other.get("name"):
        notes.append(f"the target's parameters differ: {', '.join(changed)}")
    return notes


def _different_machines(run: RunRecord, baseline: RunRecord) -> list[str]:
    mine, other = machine_class(run), machine_class(baseline)
    names = sorted(name for name in mine if mine[name] != other[name])
    if not names:
        return []
    said = ", ".join(f"{name} {mine[name]} against {other[name]}" for name in names)
    return [f"the machines differ: {said}"]


def machine_class(record: RunRecord) -> dict[str, object]:
    """What two machines must have in common for their times to be comparable."""
    environment = as_section(record.document.get("environment"))
    found: dict[str, object] = {name: environment.get(name) for name in MACHINE}
    digits = "".join(c for c in str(environment.get("memory_total") or "") if c.isdigit())
    found["memory_gib"] = round(int(digits) / KIB_PER_GIB) if digits else None
    return found


def _distrusted(record: RunRecord, name: str) -> list[str]:
    certificate = as_section(record.document.get("certificate"))
    if certificate.get("trusted") is True:
        return []
    reasons = certificate.get("reasons")
    listed = [str(reason) for reason in reasons] if isinstance(reasons, list) else []
    why = "; ".join(listed) or f"no certificate in {RunDirectory(record.directory).report.name}"
    return [f"{name} cannot be trusted: {why}"]
