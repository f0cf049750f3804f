"""Which vector stands for a text, without a model? Hashed words and character trigrams, signed.

Feature hashing (Weinberger et al. 2009): every feature adds its weight, with a sign, to one of the
dimensions. Texts that share words or spellings are near each other; there is no meaning beyond
that. The same in every process and on every machine.
"""

import re
import zlib
from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from soak.oracle.keyhash import mixed

SIGN_SHIFT = 63
PLACE_SHIFT = 32
TRIGRAM_WEIGHT = 0.35
# A short word says little: its weight grows with its length up to this.
LONG_WORD = 9
_WORD = re.compile(r"[^\W_]+")


def embed(texts: Sequence[str], dimensions: int) -> NDArray[np.float32]:
    """Unit vectors, shape (len(texts), dimensions); a text without words has a vector, too.

    About 10 us a sentence; needs 4 bytes x dimensions per distinct word while it works.
    """
    words_of = [_WORD.findall(text.lower()) or [text] for text in texts]
    distinct = dict.fromkeys(chain.from_iterable(words_of))
    place_of = {word: place for place, word in enumerate(distinct)}
    features = np.zeros((len(place_of), dimensions), dtype=np.float32)
    for word, place in place_of.items():
        _add_features(features[place], word)
    vectors = np.zeros((len(texts), dimensions), dtype=np.float32)
    for vector, words in zip(vectors, words_of, strict=True):
        features[[place_of[word] for word in words]].sum(axis=0, out=vector)
    # Signs may cancel to nothing; a vector must point somewhere.
    vectors[~vectors.any(axis=1), 0] = 1.0
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _add_features(vector: NDArray[np.float32], word: str) -> None:
    weight = min(len(word), LONG_WORD) / LONG_WORD
    spelled = f"<{word}>"
    trigrams = [spelled[i : i + 3] for i in range(len(spelled) - 2)]
    for feature, share in [(word, 1.0), *((trigram, TRIGRAM_WEIGHT) for trigram in trigrams)]:
        bits = mixed(zlib.crc32(feature.encode()))
        sign = 1.0 if bits >> SIGN_SHIFT else -1.0
        vector[(bits >> PLACE_SHIFT) % vector.size] += sign * share * weight
