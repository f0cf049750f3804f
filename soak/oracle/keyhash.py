"""What is random about a key? A hash that every process computes alike, for one key or a million.

Two rounds of odd multiplication (Knuth 1973, section 6.4; constants of Steele et al. 2014). The
bits are spent once: 40-63 choose the agent, 24-39 the quantile of importance, 8-23 the pin.
"""

import numpy as np
from numpy.typing import NDArray

MASK = 0xFFFF_FFFF_FFFF_FFFF
FIRST = 0x9E37_79B9_7F4A_7C15
SECOND = 0xBF58_476D_1CE4_E5B9
SIXTEEN_BITS = 0xFFFF


def mixed(key: int) -> int:
    """64 bits that look random, of one key."""
    x = (key + 1) * FIRST & MASK
    return ((x >> 32) ^ x) * SECOND & MASK


def mixed_all(keys: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The same of many keys at once, shape (n,)."""
    x = (keys.astype(np.uint64) + np.uint64(1)) * np.uint64(FIRST)
    return ((x >> np.uint64(32)) ^ x) * np.uint64(SECOND)


def agent_bits(bits: int) -> int:
    return bits >> 40


def quantile_bits(bits: int) -> int:
    """0 to 65,535: which entry of an importance table."""
    return bits >> 24 & SIXTEEN_BITS


def pin_bits(bits: int) -> int:
    """0 to 65,535, compared with a share of 65,536."""
    return bits >> 8 & SIXTEEN_BITS
