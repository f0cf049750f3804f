"""What does an editor have to know to help with a scenario? A JSON Schema, draft 7.

The models give the fields; every kind of a choice adds its own parameters, so that an editor
completes `target.params` for the target that is named. `soak schema` prints it, and
configs/scenario.schema.json is what it printed.
"""

from collections.abc import Callable, Mapping, Sequence

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from soak.scenario import quantities
from soak.scenario.choice import Choice, PlugIn
from soak.scenario.model import Arrivals, Check, Content, Scenario, Target
from soak.scenario.shapes import Importance, Popularity

Schema = dict[str, object]

CHOICES: Sequence[type[Choice]] = (Target, Content, Arrivals, Check, Popularity, Importance)
DOTTED = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$"
# By pattern: how a default is written, and what an editor says when the pattern does not match.
_WRITTEN: Mapping[str, tuple[Callable[[float], str], str]] = {
    quantities.DURATION_PATTERN: (quantities.format_duration, quantities.DURATION_HELP),
    quantities.SIZE_PATTERN: (lambda size: quantities.format_size(int(size)), quantities.SIZE_HELP),
    quantities.RATE_PATTERN: (quantities.format_rate, quantities.RATE_HELP),
}


def json_schema() -> Schema:
    """The schema of scenario files, with the parameters of everything that is shipped."""
    schema = _of_model(Scenario, "")
    definitions = _definitions(schema)
    for choice in CHOICES:
        definitions[choice.__name__] = _of_choice(choice, definitions)
    # The reader takes the name from the file and has checks of its own where there are none.
    schema["required"] = ["phases"]
    properties = schema["properties"]
    assert isinstance(properties, dict)
    del definitions["BaseModel"], properties["checks"]["default"]
    head: Schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A scenario of soak",
    }
    plain = _in_draft_7({**schema, **head, "definitions": dict(sorted(definitions.items()))})
    assert isinstance(plain, dict)
    return plain


class _Untitled(GenerateJsonSchema):
    """Without a title per field: it would only repeat the key."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def _of_model(model: type[BaseModel], prefix: str) -> Schema:
    return model.model_json_schema(
        ref_template=f"#/definitions/{prefix}{{model}}", schema_generator=_Untitled
    )


def _definitions(schema: Schema) -> dict[str, object]:
    definitions = schema.pop("$defs", {})
    assert isinstance(definitions, dict)
    return definitions


def _of_choice(choice: type[Choice], definitions: dict[str, object]) -> Schema:
    """A bare name, or a mapping whose params depend on the name."""
    fields = definitions[choice.__name__]
    assert isinstance(fields, dict)
    chooser = choice.model_fields[choice.chooser]
    branches = []
    for kind in choice.kinds():
        prefix = f"{choice.__name__}.{kind}."
        params = _of_model(choice.params_model(kind), prefix)
        for name, inner in _definitions(params).items():
            definitions[prefix + name] = inner
        params.pop("title", None)
        definitions[prefix.rstrip(".")] = params
        branches.append(_branch(choice.chooser, chooser, kind, prefix.rstrip(".")))
    properties = {**fields["properties"], choice.chooser: _name(choice, chooser)}
    properties["params"] = {"type": "object", "description": "Depends on the kind."}
    mapping = {**fields, "properties": properties, "allOf": branches}
    about = {key: mapping.pop(key) for key in ("title", "description") if key in mapping}
    return {**about, "anyOf": [_name(choice, chooser), mapping]}


def _branch(key: str, chooser: FieldInfo, kind: str, definition: str) -> Schema:
    condition: Schema = {"properties": {key: {"const": kind}}}
    if chooser.default != kind:
        condition["required"] = [key]
    params = {"params": {"$ref": f"#/definitions/{definition}"}}
    return {"if": condition, "then": {"properties": params}}


def _name(choice: type[Choice], chooser: FieldInfo) -> Schema:
    names: Schema = {"enum": list(choice.kinds())}
    if issubclass(choice, PlugIn):
        names = {"anyOf": [names, {"type": "string", "pattern": DOTTED}]}
    if chooser.description:
        names["description"] = chooser.description
    if not chooser.is_required():
        names["default"] = chooser.default
    return names


def _in_draft_7(node: object) -> object:
    """The same schema for readers of draft 7, with quantities as people write them."""
    if isinstance(node, list):
        return [_in_draft_7(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _in_draft_7(value) for key, value in node.items()}
    pattern = plain.get("pattern")
    if isinstance(pattern, str) and pattern in _WRITTEN:
        plain["patternErrorMessage"] = _WRITTEN[pattern][1]
    if "default" in plain:
        plain["default"] = _written(plain["default"], node)
    # Draft 7 ignores everything beside a $ref.
    if "$ref" in plain and len(plain) > 1:
        plain["allOf"] = [{"$ref": plain.pop("$ref")}]
    return plain


def _written(default: object, node: Mapping[str, object]) -> object:
    options = node.get("anyOf")
    if isinstance(default, bool) or not isinstance(default, (int, float)):
        return default
    for option in options if isinstance(options, list) else []:
        written = _WRITTEN.get(option.get("pattern", ""))
        if written:
            return written[0](default)
        if "anyOf" in option:
            return _written(default, option)
    return default
