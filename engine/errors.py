"""What can go wrong in the engine, by kind, so that a caller can tell its own mistake from ours."""


class EngineError(Exception):
    """The root of everything the engine raises on purpose."""


class BadInputError(EngineError, ValueError):
    """The value cannot be accepted: dimension, NaN, zero vector, range. Nothing was written."""


class TooLargeError(BadInputError):
    """One record is larger than `Options.record_bytes_max`. Nothing was written."""


class NotFoundError(EngineError, KeyError):
    """The record named does not exist (never stored, deleted, evicted or expired)."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class ClosedError(EngineError):
    """The engine was closed; open it again."""


class LockedError(EngineError):
    """Another process holds the directory."""


class DirectoryError(EngineError):
    """The directory cannot be an engine's: a file, unwritable, or full of somebody else's files."""


class FormatError(EngineError):
    """The files are of another format version or vector dimension."""


class CorruptError(EngineError):
    """Stored bytes do not match their checksum. Says which record, segment and offset."""


class CapacityError(EngineError):
    """No room, and nothing that may be evicted. Reads go on; delete, unpin or raise a limit."""


class DiskFullError(CapacityError):
    """The disk, or disk_bytes, refused a write; nothing of it remains. Raised when an emergency
    made no room. needed_bytes: how much it was, where that is known."""

    needed_bytes: int = 0


class DurabilityError(EngineError):
    """A write or a sync failed, so this change is not acknowledged. Reads go on.

    After a failed sync every write fails until reopened: what the disk holds is not known.
    """
