"""Where are a target's packages? In an environment of its own, or in the tester's.

A target's module names the packages that it imports in `NEEDS`; without it, it needs none. Its own
environment is build/targets/NAME, which `make target-NAME` fills with pinned packages; there the
worker runs, with this checkout's code. Elsewhere the packages are those of the tester's interpreter
(`pip install 'soak-tester[NAME]'`).
"""

import importlib
import shutil
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from soak import plugins
from soak.result import TargetUnavailable
from soak.scenario import Target
from soak.verdict import ExitCode, Mistake

ENVIRONMENTS = Path(__file__).parents[2] / "build" / "targets"


class NotInstalled(Mistake):
    """The target's packages are nowhere; the message names the command that installs them."""

    exit_code = ExitCode.TARGET


def interpreter(target: Target, environments: Path = ENVIRONMENTS) -> str:
    """Which Python the worker of this target runs with. Raises NotInstalled, and Mistake."""
    if target.python is not None:
        if shutil.which(target.python) is None:
            raise Mistake(
                f"target.python is {target.python}: there is no such program; it names the "
                "interpreter of a virtual environment, like FOLDER/bin/python"
            )
        return target.python
    needs = getattr(plugins.load("targets", target.name), "NEEDS", ())
    own = environments / target.name
    if needs and (own / ".ready").is_file():
        return str(own / "bin" / "python")
    missing = [name for name in needs if find_spec(name) is None]
    if missing:
        raise NotInstalled(f"target {target.name}: {how_to_install(target.name, missing)}")
    return sys.executable


def how_to_install(target: str, missing: list[str]) -> str:
    """One line: what is missing, and the command that helps."""
    return (
        f"{', '.join(missing)} not installed; "
        f"in a checkout: make target-{target}; elsewhere: pip install 'soak-tester[{target}]'"
    )


def package(target: str, name: str) -> ModuleType:
    """A module of the target's packages, imported now. Raises TargetUnavailable if it is missing.

    Its own import errors pass through: a broken installation is not a missing one. What it warns
    of at import is nobody's concern here.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        repository = getattr(plugins.load("targets", target), "REPOSITORY", None)
        if repository and missing.partition(".")[0] == target:
            text = f"{missing} is not in the checkout, which is of another version of {repository}"
            raise TargetUnavailable(text) from error
        raise TargetUnavailable(how_to_install(target, [missing])) from error
