"""How does a browser or a scraper reach a run? An HTTP server beside the load, never in its path.

It listens on loopback unless told otherwise, answers GET and HEAD alone, and has a bound on its
threads. What a scraper asks again, byte for byte, is answered without being parsed again. No
thread gives way to other programs: one that waits for the processor holds the interpreter's lock
meanwhile, and the controller stands still. soak/show/pages.py has what it answers.
"""

import base64
import hmac
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from pathlib import Path

from soak.show.family import Family
from soak.show.negotiation import preferred
from soak.show.pages import (
    CHANGING_PATHS,
    METRICS_PATHS,
    Answer,
    Answers,
    Extra,
    Shelf,
    is_known,
    nothing,
)
from soak.snapshot import Snapshot
from soak.verdict import Mistake

IDLE_TIMEOUT_S = 15.0
CLOSE_WITHIN_S = 0.1
MAX_CONNECTIONS = 64  # each holds a thread; what comes beyond them is told to come back
END_OF_HEAD = b"\r\n\r\n"
HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept, Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


class ListenError(Mistake):
    """The address cannot be listened on; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may look from where. The token is taken as a bearer token or as a Basic password."""

    certificate: Path | None = None  # PEM with the key in it, or beside it in `key`
    key: Path | None = None
    clients: Path | None = None  # PEM of those who sign clients' certificates; None: anybody
    token: str = ""


class Server:
    """Answers until closed, on threads of its own."""

    def __init__(self, listener: "_Listener", secure: bool) -> None:
        self._listener = listener
        self._thread = threading.Thread(
            target=listener.serve_forever, args=(CLOSE_WITHIN_S,), name="web", daemon=True
        )
        self._thread.start()
        self.port: int = listener.server_address[1]
        host = str(listener.server_address[0])
        host = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if secure else 'http'}://{host}:{self.port}"

    def admit(self, access: Access) -> None:
        """From now on only who has this access; connections that had another are closed.

        Raises ListenError where its files cannot be used, and then nothing has changed.
        """
        self._listener.door = Door(access)

    def close(self) -> None:
        """Stop listening; answers under way are finished by their threads."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


def serve(
    listen: str,
    source: Callable[[], Snapshot],
    beat_age_s: Callable[[], float],
    access: Access | None = None,
    extra: Extra = nothing,
) -> Server:
    """Answer on `host:port`; port 0 takes a free one. Raises ListenError.

    source: the newest snapshot, the same object until there is a newer one. beat_age_s: how long
    ago the controller's loop last turned. extra: metrics besides those of the snapshot.
    """

    def shelf(refused: "Refused") -> Answers:
        return Shelf(source, beat_age_s, lambda: (*extra(), refused.family()))

    return serve_answers(listen, shelf, access or Access())


def serve_answers(listen: str, answers: Callable[["Refused"], Answers], access: Access) -> Server:
    """The same with other answers, made once it is known where refusals are counted."""
    host, port = address(listen)
    door = Door(access)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        refused = Refused()
        shelf = answers(refused)
        listener = _Listener(family, (host, port), shelf, door, refused)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ListenError(
            f"cannot listen on {listen}: {reason}; "
            f"choose another address with --listen, such as --listen 127.0.0.1:{port + 1}"
        ) from error
    return Server(listener, door.context is not None)


def address(listen: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[host]:port`; raises ListenError."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65_535:
        raise ListenError(
            f"--listen is {listen!r}; it is host:port, such as --listen 127.0.0.1:9464"
        )
    return host.strip("[]"), int(port)


def _tls(access: Access) -> ssl.SSLContext | None:
    if access.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(access.certificate, access.key)
        if access.clients is not None:
            context.load_verify_locations(access.clients)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise ListenError(f"cannot use the certificate {access.certificate}: {error}") from error
    return context


class Door:
    """An access as it was when its files were read; raises ListenError where they are of no use."""

    def __init__(self, access: Access) -> None:
        self.context = _tls(access)
        self.token = access.token


class Refused:
    """How many were turned away, and why; approximate under a flood, as nobody waits for it."""

    def __init__(self) -> None:
        self.counts = {"certificate": 0, "token": 0, "too_many": 0}

    def family(self) -> Family:
        return Family(
            name="soak_exporter_refused_total",
            kind="counter",
            help="Requests that were turned away.",
            labels=("reason",),
            samples={(reason,): count for reason, count in self.counts.items()},
        )


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        family: socket.AddressFamily,
        where: tuple[str, int],
        shelf: Answers,
        door: Door,
        refused: Refused,
    ) -> None:
        self.refused = refused
        self.address_family = family
        self.shelf = shelf
        self.door = door
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        # By path and compression: the body of the newest snapshot, and that with its head.
        self._ready: dict[tuple[str, bool], tuple[bytes, bytes]] = {}
        super().__init__(where, _Request)

    def server_bind(self) -> None:
        # The inherited one looks the host's name up, which may ask a name server.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def finish_request(self, request: object, client_address: object) -> None:
        """Answer one connection, in its own thread, unless there are too many."""
        assert isinstance(request, socket.socket)
        if not self._places.acquire(blocking=False):
            self.refused.counts["too_many"] += 1
            request.settimeout(1.0)
            request.sendall(b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")
            return
        try:
            request.settimeout(IDLE_TIMEOUT_S)
            with self._wrapped(request) as connection:
                super().finish_request(connection, client_address)
        except ssl.SSLError:
            self.refused.counts["certificate"] += 1
            raise
        finally:
            self._places.release()

    def ready(self, path: str, is_compressed: bool, date: Callable[[], str]) -> bytes:
        """Head and body in one piece, made once per snapshot."""
        made, body = self.shelf.get(path, compressed=is_compressed)
        held = self._ready.get((path, is_compressed))
        if held is None or held[0] is not body:
            held = body, head_of(made, body, date()) + body
            self._ready[path, is_compressed] = held
        return held[1]

    def _wrapped(self, request: socket.socket) -> socket.socket:
        context = self.door.context
        return context.wrap_socket(request, server_side=True) if context else request

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """A client that hangs up in the middle is no news; a bug is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "soak"
    sys_version = ""
    timeout = IDLE_TIMEOUT_S
    disable_nagle_algorithm = True
    server: _Listener
    rfile: BufferedReader
    # The head of the latest request that a snapshot answers, and what it asked for.
    _known_head = b""
    _known: tuple[str, bool] = "", False

    def setup(self) -> None:
        super().setup()
        self._door = self.server.door

    def handle_one_request(self) -> None:
        """As inherited, but for a head that is known: two calls to the system and no parsing."""
        try:
            head = self.rfile.peek()
        except TimeoutError:
            self.close_connection = True
            return
        if self._door is not self.server.door:
            self.close_connection = True  # who came in by the old one has to come in again
            return
        if head and head == self._known_head:
            self.rfile.read(len(head))
            self.wfile.write(self.server.ready(*self._known, self.date_time_string))
            return
        self._known = "", False
        super().handle_one_request()
        is_whole = head.endswith(END_OF_HEAD) and head.count(END_OF_HEAD) == 1
        is_kept = is_whole and self._known[0] and not self.close_connection
        self._known_head = head if is_kept else b""

    def do_GET(self) -> None:
        self._reply()

    def do_HEAD(self) -> None:
        self._reply()

    def do_POST(self) -> None:
        self.close_connection = True  # there may be a body, which nobody reads
        self._send(Answer(status=HTTPStatus.METHOD_NOT_ALLOWED, body=b"GET or HEAD\n"))

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_POST  # noqa: N815

    def _reply(self) -> None:
        if not _is_allowed(self.headers.get("Authorization", ""), self._door.token):
            self.server.refused.counts["token"] += 1
            self._send(Answer(status=HTTPStatus.UNAUTHORIZED, body=b"a token is needed\n"))
            return
        path = self.path.partition("?")[0]
        if path == "/metrics":
            path = METRICS_PATHS[preferred(self.headers.get("Accept", ""))]
        is_compressed = is_known(path) and "gzip" in self.headers.get("Accept-Encoding", "")
        made, body = self.server.shelf.get(path, compressed=is_compressed)
        if self.command == "GET" and is_known(path) and path not in CHANGING_PATHS:
            self._known = path, is_compressed
        self._send(made, body)

    def _send(self, made: Answer, body: bytes | None = None) -> None:
        sent = made.body if body is None else body
        head = head_of(made, sent, self.date_time_string())
        self.wfile.write(head if self.command == "HEAD" else head + sent)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a scrape is not news, and its count is in the scraper."""


def head_of(made: Answer, sent: bytes, date: str) -> bytes:
    """Status line and headers of an answer. sent: its body, or that compressed."""
    headers = {
        "Server": "soak",
        "Date": date,
        **HEADERS,
        "Content-Security-Policy": made.policy,
        "Content-Type": made.type,
        "Content-Length": str(len(sent)),
    }
    if sent is not made.body:
        headers["Content-Encoding"] = "gzip"
    if made.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="soak", charset="UTF-8"'
    if made.status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = "GET, HEAD"
    lines = [f"HTTP/1.1 {made.status.value} {made.status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + END_OF_HEAD


def _is_allowed(header: str, token: str) -> bool:
    if not token:
        return True
    kind, _, given = header.partition(" ")
    if kind.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except ValueError:
            return False
    return hmac.compare_digest(given.encode(), token.encode())
