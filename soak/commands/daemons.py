"""`soak daemon`: soaks by a schedule, for weeks."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from soak.commands.options import STORE, Published, Store


def daemon(
    config: Annotated[Path, typer.Option(metavar="FILE", help="The schedules, as YAML.")],
    out: Annotated[
        Path, typer.Option(help="Where runs are made, a folder per schedule.", envvar="SOAK_OUT")
    ] = Path("runs"),
    listen: Annotated[
        str, typer.Option(help="Address of /metrics and the page.", envvar="SOAK_LISTEN")
    ] = "127.0.0.1:9464",
    publish: Published = None,
    store: Store = STORE,
) -> None:
    """Soak by cron expressions and intervals, one run at a time per target, until stopped.

    \b
    soak daemon --config configs/daemon/nightly.yaml
    soak daemon --config soaks.yaml --out /var/lib/soak --listen 0.0.0.0:9464

    SIGTERM stops the runs, and the next daemon goes on with them; SIGHUP rereads the file,
    certificate and token.
    Exit codes: 2 usage, 130 and 143 stopped by a signal.

    SOAK_LOG=warning logs less on stderr than the usual info.
    """
    from soak.clock import SystemClock
    from soak.daemon.answers import DaemonAnswers
    from soak.daemon.daemon import Asked, Daemon
    from soak.logs import configure
    from soak.outlets import Credentials, access, outlets
    from soak.show.web import serve_answers
    from soak.verdict import Mistake

    clock, asked = SystemClock(), Asked()
    level = os.environ.get("SOAK_LOG", "info")
    configure(clock, as_json=not sys.stderr.isatty(), level=level)
    told = outlets(publish or ())
    if told.remote_write or told.pushgateway:
        raise Mistake("--publish: a daemon is scraped; leave remote-write and pushgateway out")
    found = Daemon(config, out, store, clock)
    server = serve_answers(listen, lambda _: DaemonAnswers(found), access(told))
    credentials = Credentials(told)
    credentials.server = server
    asked.hear()
    print(server.url, file=sys.stderr)
    code = found.keep_on(asked, credentials.reread)
    server.close()
    found.close()
    raise typer.Exit(code)
