"""How many records came and went since open, and why?"""

from dataclasses import dataclass

from engine.frame import Reason


@dataclass(slots=True)
class Totals:
    """Counted since open."""

    stored: int = 0
    replaced: int = 0
    deleted: int = 0
    evicted: int = 0
    expired: int = 0
    consolidated: int = 0
    damaged: int = 0

    def count_removed(self, reason: Reason, count: int) -> None:
        """`count` records went for this reason."""
        match reason:
            case Reason.DELETED:
                self.deleted += count
            case Reason.EVICTED:
                self.evicted += count
            case Reason.EXPIRED:
                self.expired += count
            case Reason.CONSOLIDATED:
                self.consolidated += count
            case Reason.DAMAGED:
                self.damaged += count
