"""Where does the worker spend its time? The stacks of its threads, sampled while it is asked to.

`soak profile` writes what it wants and sends SIGUSR1; a thread samples and leaves the stacks,
folded, one `outermost;...;innermost count` a line, which flame graphs are drawn from. Nothing runs
before it is asked. A thread that sleeps or waits for another is not counted; one in native code is
counted in the line that called it, as it holds that line up.
"""

import json
import linecache
import sys
from collections import Counter
from pathlib import Path
from threading import Thread, get_ident
from types import FrameType

from soak.clock import monotonic_ns, sleep_s
from soak.rundir import RunDirectory, RunDirError

REQUEST = "profile.request.json"
STACKS = "profile.txt"
# A stack costs some 20 us; at this pace, of some ten threads, it is a few percent of a processor.
EVERY_S = 0.01
# `soak profile` refuses what is longer; a request that somebody else wrote is cut.
LONGEST_S = 600.0
# The innermost line of a thread that only waits.
IDLE = ("sleep_s(", "sleep(", "waiter.acquire(", ".wait(", "signaler.wait", "get_nowait")
DEEPEST = 100


def answer(directory: RunDirectory) -> None:
    """What a signal handler calls: begins to sample in a thread of its own, and returns."""
    Thread(target=_profile, args=(directory,), name="profile", daemon=True).start()


def _profile(directory: RunDirectory) -> None:
    """Sample as long as the request says; a request that cannot be read is none."""
    try:
        asked = json.loads((directory.path / REQUEST).read_bytes())
        duration_s = min(LONGEST_S, float(asked["duration_s"]))
    except (OSError, ValueError, KeyError, TypeError):
        return
    stacks = sampled(duration_s)
    lines = [f"{stack} {count}" for stack, count in sorted(stacks.items())]
    try:
        directory.replace(directory.path / STACKS, "\n".join([*lines, ""]).encode())
    except RunDirError:
        return  # a full disk; whoever asked waits in vain and says so


def sampled(duration_s: float, every_s: float = EVERY_S) -> Counter[str]:
    """Folded stacks of all threads but this one, and how often each was seen at work."""
    found: Counter[str] = Counter()
    own, until_ns = get_ident(), monotonic_ns() + round(duration_s * 1e9)
    while monotonic_ns() < until_ns:
        for ident, frame in sys._current_frames().items():
            if ident != own and not is_idle(frame):
                found[folded(frame)] += 1
        sleep_s(every_s)
    return found


def is_idle(frame: FrameType) -> bool:
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    return any(word in line for word in IDLE)


def folded(frame: FrameType) -> str:
    """`file:function` from the outermost to the innermost, the last DEEPEST of them."""
    names: list[str] = []
    at: FrameType | None = frame
    while at is not None and len(names) < DEEPEST:
        code = at.f_code
        names.append(f"{_short(code.co_filename)}:{code.co_qualname}")
        at = at.f_back
    return ";".join(name.replace(" ", "_").replace(";", ",") for name in reversed(names))


def _short(filename: str) -> str:
    """The last two parts of a path: enough to know the module by."""
    return "/".join(Path(filename).parts[-2:]).removesuffix(".py")
