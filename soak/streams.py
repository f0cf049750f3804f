"""Who still listens? A run outlives the readers of its words: what nobody reads goes nowhere."""

import os
import sys
from typing import TextIO

NAMES = ("stdin", "stdout", "stderr")


def say(stream: TextIO, text: str) -> None:
    """Write text now. When it cannot be written (the reader went away, the disk is full), that and
    everything that follows on this stream is dropped: a verdict does not hang on its listener."""
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        # The descriptor, not the object: what is still in its buffer must find a way out, too.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def open_closed() -> None:
    """Give standard streams that were closed before the start somewhere to go.

    Otherwise the first file that is opened gets their number, and the words of a child process.
    """
    for number, name in enumerate(NAMES):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))
