"""Which id did the system give to a key? For systems that take none of ours."""

from soak.result import RecordMissing

FORGOTTEN_KEPT = 4096


class Names:
    """Ids of all live keys, and of the newest FORGOTTEN_KEPT that were deleted: that those are gone
    is for the system to say, when asked. Many more would look like a leak of the target's."""

    def __init__(self) -> None:
        self.live: dict[int, str] = {}
        self.forgotten: dict[int, str] = {}

    def known(self, key: int) -> str | None:
        """What to ask the system for; None where it was never stored, or is long gone."""
        return self.live.get(key) or self.forgotten.get(key)

    def of_live(self, key: int) -> str:
        """Raises RecordMissing."""
        name = self.live.get(key)
        if name is None:
            raise RecordMissing(f"no memory {key}")
        return name

    def forget(self, key: int) -> None:
        self.forgotten[key] = self.live.pop(key)
        if len(self.forgotten) > FORGOTTEN_KEPT:
            del self.forgotten[next(iter(self.forgotten))]
