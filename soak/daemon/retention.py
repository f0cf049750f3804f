"""Which runs of a schedule are deleted? The oldest, where there are more than are to be kept.

Only what is called like a run and is nobody's now: one that somebody resumed by hand, or a folder
that was put there, stays.
"""

import re
import shutil
from pathlib import Path

from soak.logs import log
from soak.rundir import RunDirectory, RunDirError

_RUN = re.compile(r"\d{8}T\d{6}Z-[a-z0-9_-]+")
# Out of sight before it is deleted: what is left of a run after a crash is no run.
_SUFFIX = ".deleted"


def forget_one(folder: Path, keep: int, last: str) -> str:
    """Delete the oldest run beyond the newest `keep`; its name, empty where there is none.

    last: a run that stays, whatever its name says of its age, since a clock may be put back.
    """
    _sweep(folder)
    runs = sorted(path for path in folder.glob("*Z-*") if _RUN.fullmatch(path.name))
    for path in runs[:-keep]:
        if path.name != last and _is_deleted(path):
            return path.name
    return ""


def _is_deleted(path: Path) -> bool:
    """False where somebody has it, or where it cannot be deleted, which the log then says."""
    directory = RunDirectory(path)
    try:
        held = directory.claim(path)
    except RunDirError:
        return False  # gone meanwhile, or not a directory
    if held is None:
        return False
    try:
        shutil.rmtree(path.rename(path.with_name(f".{path.name}{_SUFFIX}")))
    except OSError as error:
        log().warning("run_not_deleted", run=path.name, reason=str(error))
        return False
    finally:
        directory.release(held)
    return True


def _sweep(folder: Path) -> None:
    for path in folder.glob(f".*{_SUFFIX}"):
        shutil.rmtree(path, ignore_errors=True)
