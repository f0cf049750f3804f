"""Does freed memory really go back to the system?"""

import subprocess
import sys

# Frees a large block first, which makes glibc keep later ones in its heap, then holds a small
# block above many middle-sized ones and frees those.
PROGRAM = """
import numpy as np
from soak.watch.allocator import keep_flat
if {flat}:
    keep_flat()
del (big := [np.ones(1 << 21)])[:]
held, middle = [], []
for _ in range(400):
    middle.append(np.ones(64 << 7))
    held.append(bytearray(600))
middle.clear()
for line in open("/proc/self/status"):
    if line.startswith("RssAnon"):
        print(line.split()[1])
"""


def resident_kib(*, flat: bool) -> int:
    program = PROGRAM.format(flat=flat)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_freed_columns_go_back_to_the_system():
    kept_kib = resident_kib(flat=False) - resident_kib(flat=True)
    assert kept_kib > 10_000
