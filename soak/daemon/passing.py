"""What does the server of a run that goes on answer? Asked when somebody asks the daemon.

Runs listen on the loopback of their machine, which nobody reaches from outside of it.
"""

import urllib.request
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError

from soak.show.pages import PLAIN_TYPE, Answer

# For each wait.
WITHIN_S = 2.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A run sends nobody anywhere; who has its port after it might."""

    def redirect_request(self, *_: Any) -> None:
        return None


# Without a proxy: runs are on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())


def passed_on(url: str, path: str) -> Answer | None:
    """The answer of the run whose server is there; None where none comes, or half of one."""
    try:
        with _opened(f"{url}{path}") as said:
            told = " ".join(said.headers.get("Content-Type", PLAIN_TYPE).split())
            status, body = HTTPStatus(said.status), said.read()
            return Answer(status=status, type=told, body=body)
    except (OSError, ValueError, HTTPException):
        return None


def _opened(url: str) -> Any:
    try:
        return _OPENER.open(url, timeout=WITHIN_S)
    except HTTPError as refusal:
        return refusal  # it is an answer too
