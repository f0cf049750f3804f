"""Where is a system that is on no package index? In a checkout that the scenario names.

Its code is imported from there and never copied.
"""

import sys
from pathlib import Path

from soak.result import TargetUnavailable


def importable(target: str, repository: str, checkout: str | None, inside: str) -> None:
    """Make the package named like the target importable. inside: where it lies, "." or "src".

    Raises TargetUnavailable where no checkout is named, or the package is not in it.
    """
    if checkout is None:
        raise TargetUnavailable(
            f"{target} is on no package index: git clone https://github.com/{repository}, "
            "then --set target.params.checkout=FOLDER"
        )
    folder = Path(checkout).expanduser() / inside
    if not (folder / target).is_dir():
        raise TargetUnavailable(
            f"{folder / target}: not there; `checkout` names a clone of {repository}"
        )
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
