"""Where do the calls of an asynchronous client run? On one event loop, in a thread of its own.

Client threads wait for their own call only: those that await something run at the same time.
"""

import asyncio
from collections.abc import Coroutine
from threading import Thread
from typing import Any


class Loop:
    """An event loop; closed by `close`, after its last call."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What the coroutine returns; whatever it raises is raised here."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """Ends the thread; what was left running in the loop is dropped."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
