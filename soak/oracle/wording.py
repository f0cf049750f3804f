"""What does a memory say? A tag that names key and version exactly, then words of the asked size.

    [00000012345.000002] the words of a pool entry, repeated and cut to size
    key, 12 digits  version, 6 digits

The tag makes stale and foreign content recognisable from the text alone.
"""

from collections.abc import Sequence

import numpy as np

TAG_LENGTH = 22
POOL_ENTRIES = 4096
# The pool lives as long as the run; a megabyte a text must not cost four gigabytes.
POOL_BYTES = 16 << 20

SENTENCE_WORDS = 48
PROSE = """
    the user asked about a meeting on Monday and said that the train to Vienna was late because of
    snow we agreed to send an invoice before Friday she prefers tea without sugar in the morning
    his sister moved into a larger flat near the harbour last winter remember to water plants
    while they are away project deadline was shifted by two weeks after review budget for travel
    is almost spent doctor advised less salt and more sleep dog needs new food from shop around
    corner password must be changed every quarter server restarted at night during update
    children like stories with dragons or pirates flight lands at noon terminal three bring
    passport weather should clear tomorrow according to radio neighbour borrowed ladder returned
    broken promised repair it soon
"""


class WordingError(ValueError):
    """The texts asked for cannot be made; the message says why."""


class Wording:
    """Texts of key and version: sized bodies take at most 16 MiB, for the whole run.

    text_bytes and text_bytes_max: sizes are drawn evenly between them, one per body; equal for a
    fixed size; both 0 keep the sentences as long as they are.
    """

    def __init__(
        self,
        sentences: Sequence[str],
        text_bytes: int,
        text_bytes_max: int,
        rng: np.random.Generator,
    ) -> None:
        if not sentences:
            raise WordingError("no sentence to make texts of")
        check_sizes(text_bytes, text_bytes_max)
        if text_bytes == 0:
            self._bodies = [_ascii(sentence) for sentence in sentences]
            return
        count = max(1, min(len(sentences), POOL_BYTES // text_bytes_max))
        sizes = rng.integers(text_bytes, text_bytes_max, size=count, endpoint=True)
        self._bodies = [
            _resized(_ascii(sentences[i]), int(sizes[i]) - TAG_LENGTH) for i in range(count)
        ]

    def text(self, key: int, version: int, row: int) -> str:
        """The tag, then body number row (wrapped around the pool)."""
        bodies = self._bodies
        return f"[{key:012d}.{version:06d}] {bodies[row % len(bodies)]}"


def check_sizes(text_bytes: int, text_bytes_max: int) -> None:
    """Raises WordingError where texts cannot have these sizes."""
    if text_bytes != 0 and not TAG_LENGTH < text_bytes <= text_bytes_max:
        raise WordingError(
            f"text_bytes is {text_bytes} to {text_bytes_max}; at least {TAG_LENGTH + 1} and "
            f"ascending, since the tag that names key and version takes the first {TAG_LENGTH}"
        )


def read_tag(text: str) -> tuple[int, int] | None:
    """Key and version that a text claims; None where it carries no tag."""
    if text[:1] != "[" or text[13:14] != "." or text[20:22] != "] ":
        return None
    key, version = text[1:13], text[14:20]
    return (int(key), int(version)) if key.isdecimal() and version.isdecimal() else None


def everyday_sentences(rng: np.random.Generator) -> list[str]:
    """4,096 sequences of 48 everyday words; they compress like prose."""
    words = PROSE.split()
    picks = rng.integers(0, len(words), size=(POOL_ENTRIES, SENTENCE_WORDS)).tolist()
    return [" ".join(words[pick] for pick in row) for row in picks]


def _ascii(sentence: str) -> str:
    # One byte a character, so that a size in bytes is a size in characters in every target.
    return sentence.encode("ascii", "replace").decode("ascii")


def _resized(sentence: str, size: int) -> str:
    repeats = size // (len(sentence) + 1) + 1
    return " ".join([sentence] * repeats)[:size].ljust(size, ".")
