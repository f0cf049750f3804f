"""Where do log lines go? To stderr: readable on a terminal, one JSON object per line elsewhere."""

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from soak.clock import Clock, iso_utc
from soak.streams import say
from soak.verdict import Mistake

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(
    clock: Clock,
    *,
    as_json: bool,
    level: str = "info",
    colors: bool = False,
    stream: TextIO | None = None,
) -> None:
    """Set up the process's only log. stream: None for whatever sys.stderr is at each line.

    The live view puts its own stream in the place of sys.stderr, so that lines scroll above it.
    """

    if level not in LEVELS:
        raise Mistake(f"SOAK_LOG is {level!r}; there are: {', '.join(LEVELS)}")
    # What the scheduler has to say the controller hears through listeners.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)

    def stamp(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["time"] = iso_utc(clock.wall_s())
        return event

    def logger(*_: object) -> _Writer:
        return _Writer(stream or sys.stderr)

    # Plain tracebacks: the pretty ones print every local variable, and a snapshot is thousands.
    render: list[Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(default=str),
    ]
    if not as_json:
        pretty = structlog.dev.ConsoleRenderer(
            colors=colors,
            timestamp_key="time",
            sort_keys=False,
            pad_event_to=0,
            exception_formatter=structlog.dev.plain_traceback,
        )
        render = [pretty]
    structlog.configure(
        processors=[structlog.processors.add_log_level, stamp, *render],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=logger,
        cache_logger_on_first_use=False,
    )


class _Writer:
    """A line per message of any level; structlog's own would end a run whose reader is gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, level: str) -> Callable[[str], None]:
        return lambda message: say(self._stream, message + "\n")


def log() -> FilteringBoundLogger:
    """The log: `log().info("worker_died", pid=pid)`; events in snake_case, facts as keys."""
    found: FilteringBoundLogger = structlog.get_logger()
    return found
