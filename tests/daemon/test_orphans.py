"""Does a daemon that is process 1 leave no zombies, and its own children to those that wait?"""

import subprocess
import sys

ORPHAN = """
import ctypes, os, subprocess, sys, time
from soak.daemon.orphans import bury
assert 0 == ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: as process 1
assert [] == bury(())
parent = subprocess.Popen(["sh", "-c", "sleep 0.1 & echo $!"], stdout=subprocess.PIPE)
orphan = int(parent.stdout.readline())
assert 0 == parent.wait()
own = subprocess.Popen(["false"])
found = []
while found != [orphan]:  # it ends when it likes; the test's time limit ends the wait
    time.sleep(0.02)
    own.poll()
    found += bury((own.pid,))
assert 1 == own.wait()
assert not os.path.exists(f"/proc/{orphan}")
own = subprocess.Popen(["false"])
os.waitid(os.P_PID, own.pid, os.WEXITED | os.WNOWAIT)
assert [] == bury((own.pid,))
assert 1 == own.wait()
"""


def test_the_end_of_an_orphan_is_taken_and_that_of_an_own_child_is_not():
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN], capture_output=True, timeout=60, check=False
    )

    assert (0, b"") == (done.returncode, done.stderr)
