"""Where do a run's figures go besides the screen? Web server, remote write, Pushgateway, by flags.

    --publish certificate=server.pem       serve https; the key in the same file or in key=FILE
    --publish clients=ca.pem               only to clients with a certificate that this signed
    --publish token-file=token             only to who knows the token in the file
    --publish remote-write=URL             write every 15 s; remote-write-token-file=FILE
    --publish pushgateway=URL              the outcome, when the run is over

Secrets are in files, never in arguments, which everybody on the machine can read. They are read
when the run begins, and again at a SIGHUP: certificates and tokens expire in a soak of weeks.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from soak.clock import Clock
from soak.logs import log
from soak.plugins import nearest
from soak.push.gateway import PushError, push_outcome
from soak.push.remote_write import Receiver, RemoteWrite
from soak.rundir import RunDirectory
from soak.show.pages import nothing
from soak.show.web import Access, Server, serve
from soak.snapshot import Snapshot
from soak.verdict import Mistake


def _address(url: str) -> str:
    """The URL. Raises ValueError for one that no request could be made of."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("is not the address of a server")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("has characters that must be percent-encoded")
    return url


Address = Annotated[str, AfterValidator(_address)]


class Outlets(BaseModel):
    """What --publish was told. Absent: not at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    certificate: Path | None = None
    key: Path | None = None
    clients: Path | None = None
    token_file: Path | None = Field(None, alias="token-file")
    remote_write: Address | None = Field(None, alias="remote-write")
    remote_write_token_file: Path | None = Field(None, alias="remote-write-token-file")
    pushgateway: Address | None = None


NOWHERE = Outlets()
NAMES = [field.alias or name for name, field in Outlets.model_fields.items()]


def outlets(pairs: Sequence[str]) -> Outlets:
    """What the pairs `name=value` say. Raises Mistake, naming the pair."""
    told = dict(_split(pair) for pair in pairs)
    if told.keys() & {"key", "clients"} and "certificate" not in told:
        raise Mistake("--publish key and clients need certificate=FILE beside them")
    try:
        return Outlets.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        reason = first.get("ctx", {}).get("error", first["msg"])
        raise Mistake(
            f"--publish {name}={told.get(name)}: {reason}; write http://host:port/path"
        ) from error


def _split(pair: str) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    if not equals or not value or name not in NAMES:
        there_are = f"there are: {', '.join(NAMES)}{nearest(name, NAMES)}"
        raise Mistake(f"--publish {pair}: is not name=value with a known name; {there_are}")
    return name, value


class Credentials:
    """What is in files, and who goes by it: `publishing` says who that is."""

    def __init__(self, told: Outlets) -> None:
        self._told = told
        self.server: Server | None = None
        self.writer: RemoteWrite | None = None

    def reread(self) -> None:
        """Read all files anew; what is of no use changes nothing. Either is logged."""
        told, server, writer = self._told, self.server, self.writer
        read: list[str] = []
        refused: list[str] = []

        def renew(files: Sequence[Path | None], use: Callable[[], None]) -> None:
            try:
                use()
                read.extend(str(file) for file in files if file)
            except Mistake as error:
                refused.append(str(error))

        if server:
            files = told.certificate, told.key, told.clients, told.token_file
            renew(files, lambda: server.admit(access(told)))
        if writer:
            file = told.remote_write_token_file
            renew([file], lambda: writer.use_token(_secret(file)))
        if refused:
            log().warning("reread_refused", reasons=refused, files=read)
        else:
            log().info("reread", files=read)


@contextmanager
def publishing(
    told: Outlets,
    listen: str | None,
    source: Callable[[], Snapshot],
    beat_age_s: Callable[[], float],
    directory: RunDirectory,
    clock: Clock,
    credentials: Credentials | None = None,
) -> Iterator[str]:
    """Serve and write until the block is left; gives the server's address, empty for none.

    credentials: of the same outlets, to be told who goes by them.
    """
    writer = _writer(told, source, directory, clock)
    extra = writer.families if writer else nothing
    server = serve(listen, source, beat_age_s, access(told), extra) if listen else None
    if writer:
        writer.start()
    try:
        if credentials:
            credentials.server, credentials.writer = server, writer
        yield server.url if server else ""
    finally:
        if writer:
            writer.close()
        if server:
            server.close()


def access(told: Outlets) -> Access:
    """Who may look at a server. Raises Mistake for a token that cannot be read."""
    return Access(
        certificate=told.certificate,
        key=told.key,
        clients=told.clients,
        token=_secret(told.token_file),
    )


def conclude(told: Outlets, snapshot: Snapshot) -> None:
    """Tell the Pushgateway how it ended; that it cannot be reached changes no verdict."""
    if told.pushgateway is None:
        return
    try:
        push_outcome(told.pushgateway, snapshot)
    except PushError as error:
        log().warning("outcome_not_pushed", reason=str(error))


def _writer(
    told: Outlets, source: Callable[[], Snapshot], directory: RunDirectory, clock: Clock
) -> RemoteWrite | None:
    if told.remote_write is None:
        return None
    receiver = Receiver(
        url=told.remote_write,
        token=_secret(told.remote_write_token_file),
        fixed={"job": "soak", "instance": directory.run_id},
    )

    def say(trouble: str) -> None:
        log().warning("remote_write_failed", reason=trouble)

    return RemoteWrite(receiver, source, directory.path / "backlog", clock, say)


def _secret(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        secret = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Mistake(f"{file}: the token cannot be read: {error}") from error
    if not secret:
        raise Mistake(f"{file}: there is no token in it")
    return secret
