"""Which key is used next, and how important is a new record? The distributions to choose from."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from soak.scenario.choice import Params, Shape, Strict

Share = Annotated[float, Field(ge=0, le=1)]


class Zipf(Strict):
    """A few keys get most operations: the key of rank n with weight 1 / n ** exponent."""

    exponent: float = Field(0.99, gt=0, le=5)


class Latest(Strict):
    """Zipf over age: the newest keys are the most popular."""

    exponent: float = Field(0.99, gt=0, le=5)


class Even(Strict):
    """Every key is as likely as any other."""


class Hotspot(Strict):
    """A share of the keys gets a share of the operations, each part evenly."""

    keys: float = Field(0.1, gt=0, lt=1)
    operations: float = Field(0.9, gt=0, le=1)


class Popularity(Shape):
    """Which live key an operation is about."""

    shapes: ClassVar[Mapping[str, type[Strict]]] = {
        "zipf": Zipf,
        "uniform": Even,
        "latest": Latest,
        "hotspot": Hotspot,
    }

    kind: str = "zipf"
    params: Params = Field({}, validate_default=True)


class Flat(Strict):
    """Every importance from low to high is as likely as any other."""

    low: Share = 0.0
    high: Share = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) is above high ({self.high})")
        return self


class Beta(Strict):
    """Beta(a, b): mean a / (a + b); the default has many middling and few important records."""

    a: float = Field(2.0, gt=0, le=1000)
    b: float = Field(5.0, gt=0, le=1000)


class Bimodal(Strict):
    """Most records around low, a share around high, each with the standard deviation spread."""

    low: Share = 0.2
    high: Share = 0.9
    share: Share = 0.1
    spread: float = Field(0.05, ge=0, le=0.5)


class Pareto(Strict):
    """A long tail: P(importance > x) = (minimum / x) ** alpha, cut at 1."""

    alpha: float = Field(1.5, gt=0, le=100)
    minimum: float = Field(0.05, gt=0, lt=1)


class Importance(Shape):
    """How important new records are, from 0 to 1."""

    shapes: ClassVar[Mapping[str, type[Strict]]] = {
        "uniform": Flat,
        "beta": Beta,
        "bimodal": Bimodal,
        "pareto": Pareto,
    }

    kind: str = "beta"
    params: Params = Field({}, validate_default=True)
