"""Who waits for processes whose parent was killed? In a container its first process, or nobody."""

import os
from collections.abc import Collection


def bury(own: Collection[int]) -> list[int]:
    """Take the ends of processes that this one inherited, as process 1 does; which these were.

    own: processes whose end somebody else takes; where one of these has ended, others wait.
    """
    buried = []
    try:
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if ended.si_pid in own:
                break
            os.waitpid(ended.si_pid, 0)
            buried.append(ended.si_pid)
    except ChildProcessError:
        pass  # there are no children at all
    return buried
