"""Which file is meant by a name? `arrivals: poisson` is soak/arrivals/poisson.py.

A name with a dot is a module anywhere (`mypackage.mytarget`); an installed package adds names
through an entry point of group `soak.<seam>`, whose value is the module. No registry, no enum.
"""

import difflib
import importlib
import re
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType

from pydantic import BaseModel, ConfigDict

# Folder of a seam to what each of its modules must have.
SEAMS: Mapping[str, tuple[str, ...]] = {
    "arrivals": ("build",),
    "content": ("build",),
    "detectors": ("detect",),
    "operations": ("build",),
    "samplers": ("build",),
    "targets": ("build", "CAPABILITIES"),
}
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)


class PluginError(ValueError):
    """No such plug-in, or it lacks what its seam asks for; the message says what there is."""


class NoParams(BaseModel):
    """The parameters of a plug-in that declares none."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def available(seam: str) -> tuple[str, ...]:
    """Names that can stand in a scenario for this seam, sorted; nothing is imported."""
    return tuple(sorted({*shipped(seam), *_entry_points(seam)}))


def shipped(seam: str) -> tuple[str, ...]:
    """The names that come with the tester, sorted."""
    spec = find_spec(f"soak.{seam}") if seam in SEAMS else None
    folders = spec.submodule_search_locations if spec else None
    names = (module.name for module in iter_modules(folders or ()))
    return tuple(sorted(name for name in names if not name.startswith("_")))


def load(seam: str, name: str) -> ModuleType:
    """The plug-in's module. Raises PluginError: not there, not importable, or not of this seam.

    What its import raises otherwise is a bug of the plug-in and passes through.
    """
    module = _module(seam, name)
    missing = [wanted for wanted in SEAMS[seam] if not hasattr(module, wanted)]
    if missing:
        raise PluginError(f"{module.__name__} is not one of {seam}: it has no {missing[0]}")
    return module


def summary(seam: str, name: str) -> str:
    """The first line of the module's docstring, for `soak list`."""
    lines = (load(seam, name).__doc__ or "").strip().splitlines()
    return lines[0] if lines else ""


def params_model(seam: str, name: str) -> type[BaseModel]:
    """The model of the plug-in's parameters; without fields where it declares none."""
    model: type[BaseModel] = getattr(load(seam, name), "Params", NoParams)
    return model


def params_of(seam: str, name: str, mapping: Mapping[str, object]) -> BaseModel:
    """The plug-in's parameters. Raises PluginError or pydantic's ValidationError."""
    return params_model(seam, name).model_validate(dict(mapping))


def nearest(name: str, allowed: Iterable[str]) -> str:
    """`; did you mean x?` when something allowed is close, else nothing."""
    close = difflib.get_close_matches(name, list(allowed), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _module(seam: str, name: str) -> ModuleType:
    if name in shipped(seam):
        return importlib.import_module(f"soak.{seam}.{name}")
    outside = _entry_points(seam).get(name)
    if outside is None and not _DOTTED.fullmatch(name):
        names = available(seam)
        allowed = f"there are: {', '.join(names) or 'none'}, or a dotted module name"
        raise PluginError(f"no {name!r} among {seam}; {allowed}{nearest(name, names)}")
    dotted = outside.value if outside else name
    if outside is None and "" not in sys.path:
        # A console script, unlike `python -m`, does not look where the user stands.
        sys.path.append("")
    try:
        return importlib.import_module(dotted)
    except ImportError as error:
        raise PluginError(f"{name} of {seam} cannot be imported: {error}") from error


def _entry_points(seam: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"soak.{seam}")}
