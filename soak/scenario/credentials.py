"""How does a secret get to a target without being written? By the name of a variable.

`{env: NAME}` stands in a scenario and in all that a run writes; the worker reads the variable. A
secret that stands in a scenario itself is refused, since the run directory is passed on.
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from soak.result import TargetUnavailable
from soak.scenario.choice import Strict

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_HEADER = re.compile("auth|cookie|credential|key|passw|secret|session|token", re.IGNORECASE)
_USER = re.compile(r"(?<=://)[^/\s]*@")
# A user's password in an address, or among what follows it; `token=$token` is a template.
_PASSWORD = re.compile(
    r"://[^/\s]*:[^/\s]*@|\b(passw(or)?d|secret|token|api_?key)=[^$\s]", re.IGNORECASE
)


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError("names no environment variable; it has letters, digits and _")
    return name


class FromEnvironment(Strict):
    """A secret, by the environment variable that has it."""

    env: Annotated[str, AfterValidator(_variable)]

    def read(self) -> str:
        """The secret. Raises TargetUnavailable where the variable has none."""
        secret = os.environ.get(self.env, "")
        if not secret:
            raise TargetUnavailable(
                f"{self.env} is not set; the scenario takes a secret from that environment variable"
            )
        # Whoever sends it would complain with the secret in its words.
        if not (secret.isascii() and secret.isprintable()):
            raise TargetUnavailable(
                f"{self.env} has a line break or a letter beyond ASCII; as a secret it is one line"
            )
        return secret


def _text_or_name(value: object, read: ValidatorFunctionWrapHandler) -> object:
    """One complaint about both forms, and none with what may be a secret."""
    try:
        return read(value)
    except ValidationError as error:
        wanted = "it should be text, or {env: NAME}, the environment variable that has a secret"
        raise ValueError(wanted) from error


MaybeSecret = Annotated[str | FromEnvironment, WrapValidator(_text_or_name)]


def read(value: str | FromEnvironment) -> str:
    """What stands there, or in the environment. Raises TargetUnavailable."""
    return value if isinstance(value, str) else value.read()


def require_reference(field: str, value: str | FromEnvironment | None) -> None:
    """Raises ValueError, without the text, where the field's secret stands in the scenario."""
    if isinstance(value, str):
        raise ValueError(
            f"{field}: would stand in all that the run writes; write {{env: NAME}}, the "
            "environment variable that has it"
        )


def names_credential(header: str) -> bool:
    """Whether what such a header says lets somebody in."""
    return bool(_HEADER.search(header))


def has_password(value: str) -> bool:
    """Whether the text is an address, or the like, with a password in it."""
    return bool(_PASSWORD.search(value))


def masked(text: str) -> str:
    """The same without who the addresses in it are for: `redis://...@host`."""
    return _USER.sub("...@", text)


def passwords_in(tree: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where among plain values a text with a password stands."""
    if isinstance(tree, str) and has_password(tree):
        yield path
    inner: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(tree, Mapping):
        inner = ((str(key), value) for key, value in tree.items())
    elif isinstance(tree, list):
        inner = iter(enumerate(tree))
    for step, value in inner:
        yield from passwords_in(value, (*path, step))
