"""Which keys should exist by the schedule? What it may read, change and delete.

Keys are 0, 1, 2, ...; the last `capacity` are followed, key n in slot n % capacity. The live ones
lie in one dense array, so that drawing a rank always gives a live key:

    ranked[0:count]     the keys; the position is the popularity rank
    place[slot]         where in `ranked` the slot's key is, -1 when the slot's key is not live

A new key takes a random rank and sends the key that had it to the end, so popularity does not
depend on age and the hot set drifts once per turnover of the content.
"""

import numpy as np
from numpy.typing import NDArray

from soak.load.popularity import Draw
from soak.state import Tree

Integers = NDArray[np.int64]

# Deletes take the keys first whose slot is needed soon: older than this share of the capacity.
AGED_SHARE = 0.875
LOOKED_AT = 16  # candidates per victim


class LiveKeys:
    """The schedule's model of the population; changed a block at a time.

    All arrays have `capacity` entries for the whole run.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.count = 0
        self.next_key = 0
        self._ranked: Integers = np.zeros(capacity, dtype=np.int64)
        self._place: Integers = np.full(capacity, -1, dtype=np.int64)
        self._aged = 0  # no live key is older than this one

    def state(self) -> Tree:
        return {"next_key": self.next_key, "aged": self._aged, "ranked": self._ranked[: self.count]}

    def restore(self, tree: Tree) -> None:
        """What `state` gave; the rest follows from it."""
        self.next_key, self._aged, ranked = tree["next_key"], tree["aged"], tree["ranked"]
        self.count = ranked.size
        self._ranked[: self.count] = ranked
        self._place.fill(-1)
        self._place[ranked % self.capacity] = np.arange(self.count)

    def store(self, count: int, rng: np.random.Generator) -> int:
        """Take the next `count` keys into the model; returns the first.

        What lived in their slots is no longer followed.
        """
        first = self.next_key
        self.next_key = first + count
        keys = np.arange(max(first, self.next_key - self.capacity), self.next_key, dtype=np.int64)
        old = self._place[keys % self.capacity]
        self._remove_places(old[old >= 0])
        self._append(keys, rng)
        return first

    def take_victims(self, count: int, draw: Draw, rng: np.random.Generator) -> Integers:
        """At most `count` distinct live keys, aged ones first, which are live no longer."""
        count = min(count, self.count)
        victims = self._oldest(count)
        self._remove_places(self._place[victims % self.capacity])
        missing = count - victims.size
        while missing > 0:
            places = _distinct(draw(missing, self.count, rng))
            victims = np.concatenate((victims, self._ranked[places]))
            self._remove_places(places)
            missing = count - victims.size
        return victims

    def popular(self, count: int, draw: Draw, rng: np.random.Generator) -> Integers:
        """`count` live keys by popularity, with repeats; at least one key must be live."""
        return self._ranked[draw(count, self.count, rng)]

    def latest(self, count: int, draw: Draw, rng: np.random.Generator) -> Integers:
        """`count` live keys, rank 0 being the newest; one that is not live any more gives its
        turn to a live key of random age."""
        span = min(self.next_key, self.capacity)
        keys = self.next_key - 1 - draw(count, span, rng)
        dead = np.flatnonzero(self._place[keys % self.capacity] < 0)
        keys[dead] = self._ranked[rng.integers(0, self.count, dead.size)]
        return keys

    def _oldest(self, count: int) -> Integers:
        """At most `count` live keys above the age at which they are in the way, oldest first."""
        self._aged = max(self._aged, self.next_key - self.capacity)
        # Looking at all of them would cost a large population dearly.
        limit = self.next_key - round(AGED_SHARE * self.capacity)
        limit = min(limit, self._aged + LOOKED_AT * count)
        if count == 0 or self._aged >= limit:
            return np.zeros(0, dtype=np.int64)
        keys = np.arange(self._aged, limit, dtype=np.int64)
        alive = np.flatnonzero(self._place[keys % self.capacity] >= 0)[:count]
        found: Integers = keys[alive]
        # All up to the last one taken are dead from now on; all up to the limit if there were few.
        self._aged = int(found[-1]) + 1 if found.size == count else limit
        return found

    def _append(self, keys: Integers, rng: np.random.Generator) -> None:
        room = self._ranked[self.count : self.count + keys.size]
        room[:] = keys
        chosen = self._random_places(min(keys.size, self.count), rng)
        if chosen.size:
            moved = rng.permutation(keys[: chosen.size])
            room[: chosen.size] = self._ranked[chosen]
            self._ranked[chosen] = moved
            self._place[moved % self.capacity] = chosen
        self._place[room % self.capacity] = np.arange(self.count, self.count + keys.size)
        self.count += keys.size

    def _random_places(self, count: int, rng: np.random.Generator) -> Integers:
        """Distinct places, each as likely as any other: one from each of `count` equal parts."""
        if not count:
            return np.zeros(0, dtype=np.int64)
        part = self.count // count
        places = np.arange(count) * part + rng.integers(0, part, count)
        turned: Integers = (places + rng.integers(self.count)) % self.count
        return turned

    def _remove_places(self, places: Integers) -> None:
        """Fill the holes with the last keys; places must be distinct."""
        if not places.size:
            return
        rest = self.count - places.size
        self._place[self._ranked[places] % self.capacity] = -1
        tail = self._ranked[rest : self.count]
        staying = tail[self._place[tail % self.capacity] >= 0]
        holes = places[places < rest]
        self._ranked[holes] = staying
        self._place[staying % self.capacity] = holes
        self.count = rest


def _distinct(places: Integers) -> Integers:
    """The different values in ascending order; np.unique takes four times as long for so few."""
    ordered = np.sort(places)
    is_first = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return ordered[is_first]
