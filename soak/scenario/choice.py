"""How is one of several kinds chosen in a file? By its name, with that kind's own parameters."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializeAsAny,
    ValidationInfo,
    field_validator,
    model_validator,
)

from soak import plugins

Params = SerializeAsAny[BaseModel]


class Strict(BaseModel):
    """Nothing is converted, nothing is added, nothing changes."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Choice(Strict):
    """One of several kinds with that kind's parameters; its bare name is enough in a file."""

    chooser: ClassVar[str] = "kind"

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """What comes with the tester."""
        raise NotImplementedError

    @classmethod
    def params_model(cls, kind: str) -> type[BaseModel]:
        """The model of a kind's parameters. Raises PluginError for a kind there is not."""
        raise NotImplementedError

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, value: object) -> object:
        return {cls.chooser: value} if isinstance(value, str) else value

    @field_validator("kind", "name", "detector", mode="after", check_fields=False)
    @classmethod
    def _exists(cls, value: str, known: ValidationInfo) -> str:
        if known.field_name == cls.chooser:
            cls.params_model(value)
        return value

    @field_validator("params", mode="before", check_fields=False)
    @classmethod
    def _of_the_kind(cls, value: object, known: ValidationInfo) -> BaseModel:
        kind = known.data.get(cls.chooser)
        if not isinstance(kind, str):
            return plugins.NoParams()
        return cls.params_model(kind).model_validate(value, context=known.context)


class PlugIn(Choice):
    """A kind that is a file in a folder of the tester, or a module from outside."""

    seam: ClassVar[str]

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        return plugins.shipped(cls.seam)

    @classmethod
    def params_model(cls, kind: str) -> type[BaseModel]:
        return plugins.params_model(cls.seam, kind)


class Shape(Choice):
    """A kind out of a closed set, each with a model of this file."""

    shapes: ClassVar[Mapping[str, type[Strict]]]

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        return tuple(cls.shapes)

    @classmethod
    def params_model(cls, kind: str) -> type[BaseModel]:
        if kind not in cls.shapes:
            allowed = f"there are: {', '.join(cls.shapes)}{plugins.nearest(kind, cls.shapes)}"
            raise plugins.PluginError(f"no {cls.__name__.lower()} named {kind!r}; {allowed}")
        return cls.shapes[kind]
