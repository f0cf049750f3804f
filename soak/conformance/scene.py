"""What is a claim asked of? A target that nobody has used yet, and what can be stored in it."""

from collections.abc import Mapping
from pathlib import Path

from soak import plugins
from soak.clock import Clock
from soak.scenario import Target as Chosen
from soak.seams import Content, Hit, Query, Record, Target

SHOWN = 160
# A search in one agent's records. Of all that search, only a module that names it may lack it.
SEARCH_AGENT = "search_agent"


class Broken(Exception):
    """A claim that does not hold; the message says what should have come, and what came."""


class Scene:
    """One target at a time, in its own directory; what it raises when it is built passes through.

    promised: by its module, for its parameters; possible: by its module at all. leaves_out: its
    search may leave out what it should find, and its module says so. changes: parameters that
    the claim wants otherwise, where the target has them.
    """

    def __init__(
        self,
        chosen: Chosen,
        changes: Mapping[str, object],
        *,
        content: Content,
        home: Path,
        clock: Clock,
    ) -> None:
        fields = type(chosen.params).model_fields
        had = {name: value for name, value in changes.items() if name in fields}
        self._params = chosen.params.model_copy(update=had)
        self._module = plugins.load("targets", chosen.name)
        self._home = home
        self.content = content
        self.clock = clock
        self.promised = promised_by(chosen)
        self.possible = frozenset(self._module.CAPABILITIES)
        self.leaves_out = bool(getattr(self._module, "LEAVES_OUT", ""))
        self.target = self._built()

    def build_again(self) -> None:
        """Close the target, and build it where it was, as a worker does that takes over."""
        self.target.close()
        self.target = self._built()

    def can(self, *capabilities: str) -> bool:
        return self.promised.issuperset(capabilities)

    def record(self, key: int, *, version: int = 0, agent: int = 1, pinned: bool = False) -> Record:
        return Record(
            key=key,
            agent=agent,
            text=self.content.text(key, version),
            vector=self.content.vector(key, version),
            importance=0.5,
            pinned=pinned,
        )

    def store(self, count: int, agents: int = 1) -> None:
        """Records 0, 1, 2, ...; agents take turns, or all are agent 1's."""
        for key in range(count):
            self.target.store(self.record(key, agent=key % agents if agents > 1 else 1))

    def text_of(self, key: int) -> str | None:
        found = self.target.get(key)
        return None if found is None else found.text

    def hits(self, query: Query) -> list[Hit]:
        return list(self.target.search(query))

    def tiers(self) -> dict[str, float]:
        """How many records it says are in each of its tiers."""
        figures = self.target.stats()
        return {name: n for name, n in figures.items() if _is_of_a_tier(name)}

    def require_hits(self, count: int, hits: list[Hit]) -> None:
        """Raises Broken unless there are so many; of one that leaves some out, one at least."""
        least = 1 if self.leaves_out else count
        require(least <= len(hits) <= count, f"hits: expected {count}, got {len(hits)}")

    def _built(self) -> Target:
        target: Target = self._module.build(self._params, self._home, self.clock)
        return target


def promised_by(chosen: Chosen) -> frozenset[str]:
    """What the target can, as its module says for these parameters."""
    module = plugins.load("targets", chosen.name)
    capabilities_of = getattr(module, "capabilities_of", lambda _: module.CAPABILITIES)
    return frozenset(capabilities_of(chosen.params))


def require_same(expected: object, found: object, what: str) -> None:
    """Raises Broken unless they are equal."""
    if expected != found:
        raise Broken(f"{what}: expected {_short(expected)}, got {_short(found)}")


def require(holds: bool, said: str) -> None:
    """Raises Broken with those words unless it holds."""
    if not holds:
        raise Broken(said)


def _is_of_a_tier(name: str) -> bool:
    return name.startswith("tier_") and name.endswith("_count")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
