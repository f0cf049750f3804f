"""What does the server of a run that goes on answer? Asked when somebody asks the daemon.

Runs listen on the loopback of their machine, which nobody reaches from outside of it.
"""

import urllib.request
from http import HTTPStatus
from urllib.error import HTTPError, URLError

from soak.show.pages import PLAIN_TYPE, Answer

WITHIN_S = 2.0
# Without a proxy: runs are on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def passed_on(url: str, path: str) -> Answer | None:
    """The answer of the run whose server is there; None where there is none within two seconds."""
    try:
        with _OPENER.open(f"{url}{path}", timeout=WITHIN_S) as said:
            return Answer(type=said.headers.get("Content-Type", PLAIN_TYPE), body=said.read())
    except HTTPError as refusal:
        with refusal:
            return Answer(status=HTTPStatus(refusal.code), body=refusal.read())
    except (URLError, OSError, ValueError):
        return None
