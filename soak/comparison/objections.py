"""May these two runs be compared? What stands against it, and what a reader must know."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from soak.report.document import as_rows, as_section
from soak.report.objectives import asked_checks
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
    if is_same_run(run, baseline):
        raise NotComparable(
            f"{run.directory.name}: this is the baseline itself; nothing to compare"
        )
    notes = [*_turns(run), *_different_loads(run, baseline, anyway=anyway)]
    notes += _different_subjects(run, baseline)
    notes += [*_interrupted(run, "the run"), *_interrupted(baseline, "the baseline")]
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


def is_same_run(run: RunRecord, other: RunRecord) -> bool:
    run_id = run.document.get("run_id")
    is_named_so = run_id is not None and run_id == other.document.get("run_id")
    return run.directory == other.directory or is_named_so


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
    return _unlike(_load(mine), _load(other))


def _load(plan: Plan) -> dict[str, object]:
    """What was asked of the target, as plain values that can be compared."""
    target = as_section(plan.get("target"))
    kept = {key: value for key, value in plan.items() if key not in NOT_LOAD}
    kept["target.clients"] = target.get("clients")
    kept["target.time_scale"] = target.get("time_scale", 1.0)
    plain: dict[str, object] = json.loads(json.dumps(kept, default=str))
    return plain


def _different_subjects(run: RunRecord, baseline: RunRecord) -> list[str]:
    mine, other = _subject(run), _subject(baseline)
    notes = [
        f"{said} differ: {mine[said] or 'none'} against {other[said] or 'none'}"
        for said in mine
        if mine[said] != other[said]
    ]
    ours, theirs = (as_section(record.plan.get("target")) for record in (run, baseline))
    changed = _unlike(as_section(ours.get("params")), as_section(theirs.get("params")))
    if changed and ours.get("name") == theirs.get("name"):
        notes.append(f"the target's parameters differ: {', '.join(changed)}")
    checks = _unlike(asked_checks(run), asked_checks(baseline))
    if checks:
        notes.append(f"the checks differ: {', '.join(checks)}")
    return notes


def _subject(record: RunRecord) -> dict[str, object]:
    """What was run, by what: none of it is load, and all of it may be the difference."""
    target = as_section(record.plan.get("target"))
    environment = as_section(record.document.get("environment"))
    return {
        "the scenarios' names": record.document.get("scenario"),
        "the targets": record.document.get("target"),
        "soak's versions": record.document.get("version"),
        "Python's versions": environment.get("python"),
        "the interpreters (target.python)": target.get("python"),
        "the timeouts (target.timeout, in seconds)": target.get("timeout"),
    }


def _unlike(mine: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    return sorted(key for key in mine.keys() | other.keys() if mine.get(key) != other.get(key))


def _different_machines(run: RunRecord, baseline: RunRecord) -> list[str]:
    mine, other = machine_class(run), machine_class(baseline)
    unknown = [
        f"the machine of {whose} is unknown: environment.json has no {', '.join(lacking)}"
        for whose, found in (("the run", mine), ("the baseline", other))
        if (lacking := [name for name, value in found.items() if value is None])
    ]
    names = _unlike(mine, other)
    if unknown or not names:
        return unknown
    said = ", ".join(f"{name} {mine[name]} against {other[name]}" for name in names)
    return [f"the machines differ: {said}"]


def machine_class(record: RunRecord) -> dict[str, object]:
    """What two machines must have in common for their times to be comparable; None is unknown."""
    environment = as_section(record.document.get("environment"))
    found: dict[str, object] = {name: environment.get(name) for name in MACHINE}
    digits = "".join(c for c in str(environment.get("memory_total") or "") if c.isdigit())
    found["memory_gib"] = round(int(digits) / KIB_PER_GIB) if digits else None
    return found


def _interrupted(record: RunRecord, name: str) -> list[str]:
    gaps = as_rows(as_section(record.document.get("certificate")).get("gaps"))
    said = f"{name} was interrupted (gaps: {len(gaps)}): its memory is that of its longest process"
    return [said] if gaps else []


def _distrusted(record: RunRecord, name: str) -> list[str]:
    certificate = as_section(record.document.get("certificate"))
    if certificate.get("trusted") is True:
        return []
    reasons = certificate.get("reasons")
    listed = [str(reason) for reason in reasons] if isinstance(reasons, list) else []
    why = "; ".join(listed) or f"no certificate in {RunDirectory(record.directory).report.name}"
    return [f"{name} cannot be trusted: {why}"]
