"""How is a person told what is wrong with a scenario? The model's complaints, in words.

Every complaint says where, what stands there, what is allowed, and the nearest name if it is a
slip of the finger.
"""

from collections.abc import Iterable, Mapping
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from soak.plugins import PluginError, nearest
from soak.scenario.choice import Choice
from soak.scenario.model import Scenario
from soak.scenario.yaml_source import Path, Problem, Source

_SHOULD_BE = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "dict_type": "a mapping of keys",
    "mapping_type": "a mapping of keys",
    "tuple_type": "a list",
    "list_type": "a list",
}


def complaints(
    error: ValidationError, source: Source, model: type[BaseModel] = Scenario
) -> list[Problem]:
    """The model's errors as problems, in the order of the file, none said twice.

    model: what the whole file was read as.
    """
    found = {}
    for details in error.errors(include_url=False):
        path = _path(details)
        # A list of which nothing could be read is not also too short.
        is_echo = details["type"] == "too_short" and bool(details["input"])
        if is_echo or _is_known(path, source.problems):
            continue
        text = _text(details, path, source.tree, model)
        problem = Problem(origin=source.origin(path), path=path, text=text)
        found[(path, problem.text)] = problem
    return list(found.values())


def _path(details: ErrorDetails) -> Path:
    # Pydantic marks a wrong key of a mapping with a last step "[key]".
    return tuple(step for step in details["loc"] if step != "[key]")


def _is_known(path: Path, problems: Iterable[Problem]) -> bool:
    return any(p.path and path[: len(p.path)] == p.path for p in problems)


def _text(details: ErrorDetails, path: Path, tree: object, model: type[BaseModel]) -> str:
    kind, value = details["type"], details["input"]
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return _unknown_key(path, tree, model)
    if kind == "value_error":
        is_key = details["loc"][-1] == "[key]"
        words = str(details["ctx"]["error"])
        return words if is_key else _own_words(value, words)
    if kind == "string_pattern_mismatch":
        return f"is {_shown(value)}; it should be lower-case letters, digits, - and _, at most 64"
    if kind in ("too_short", "too_long"):
        limits = details["ctx"]
        most = limits.get("max_length")
        allowed = f"at most {most} items" if most else f"at least {limits['min_length']} item"
        return f"has {limits['actual_length']} items; it needs {allowed}"
    if kind in _SHOULD_BE:
        return f"is {_shown(value)}; it should be {_SHOULD_BE[kind]}{_null_hint(value)}"
    return f"is {_shown(value)}; {details['msg'].replace('Input s', 's')}"


def _own_words(value: object, words: str) -> str:
    is_plain = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    return f"is {_shown(value)}; {words}" if is_plain else words


def _null_hint(value: object) -> str:
    return '; the name null is written "null", in quotes' if value is None else ""


def _shown(value: object) -> str:
    """A value as the file's writer would recognise it, cut where it is long."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, str):
        return f"the text {value[:60]!r}"
    words = {None: "nothing", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)[:60]


def _unknown_key(path: Path, tree: object, root: type[BaseModel]) -> str:
    key = str(path[-1])
    model = _model_at(path[:-1], tree, root)
    if model is None:
        return "is not a key here"
    fields = tuple(model.model_fields)
    if not fields:
        return "is not a key here; there are none"
    return f"is not a key here; there are: {', '.join(fields)}{nearest(key, fields)}"


def _model_at(path: Path, tree: object, root: type[BaseModel]) -> type[BaseModel] | None:
    """Which model reads the mapping at path; None where no model of ours does."""
    model: type[BaseModel] | None = root
    for step in path:
        if isinstance(step, str) and model is not None:
            model = _field_model(model, step, tree)
        tree = _child(tree, step)
    return model


def _field_model(model: type[BaseModel], field: str, tree: object) -> type[BaseModel] | None:
    if field == "params" and issubclass(model, Choice):
        default = model.model_fields[model.chooser].default
        kind = _child(tree, model.chooser) or default
        try:
            return model.params_model(str(kind))
        except PluginError:
            return None
    wanted = model.model_fields.get(field)
    return _model_in(wanted.annotation) if wanted else None


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The model that an annotation is about: of X, tuple[X, ...] or X | None it is X."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in inner if model), None)


def _child(tree: object, step: str | int) -> object:
    if isinstance(tree, Mapping):
        return tree.get(step)
    if isinstance(tree, list) and isinstance(step, int) and step < len(tree):
        return tree[step]
    return None
