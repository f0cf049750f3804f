"""Is there a run to go on with? The last one of a scenario, where it was stopped or cut off."""

from contextlib import suppress
from pathlib import Path

from soak.rundir import RunDirectory
from soak.scenario import Scenario, dump
from soak.watch.checkpoint import NotResumable, read, state_at_end


def unfinished_run(out: Path, scenario: Scenario) -> RunDirectory:
    """The newest run of that very scenario below out, which can go on. Raises NotResumable.

    What came before it is over: somebody began another one since. Nor does a target that ended by
    itself get another try: that it did is the verdict.
    """
    directory = _last_run(out, scenario)
    if state_at_end(directory) == "failed":
        raise NotResumable(f"{directory.path}: this run has failed, `soak show` tells how")
    held = directory.claim(directory.path)
    if held is None:
        raise NotResumable(f"{directory.path}: this run is still going on")
    try:
        read(directory, scenario)
    finally:
        directory.release(held)
    return directory


def _last_run(out: Path, scenario: Scenario) -> RunDirectory:
    text = dump(scenario).encode()
    for path in sorted(out.glob("*/scenario.yaml"), reverse=True):
        with suppress(OSError):  # gone since, or not ours to read
            if path.read_bytes() == text:
                return RunDirectory(path.parent)
    raise NotResumable(f"{out}: holds no run of this scenario")
