"""Does a soak of somebody's Redis leave alone what is not its own? Where Redis's packages are."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soak.clock import SystemClock
from soak.result import TargetUnavailable
from soak.targets import redis
from soak.targets._server import free_port
from tests.targets.test_contract import CONTENT, record

pytestmark = pytest.mark.skipif(
    os.environ.get("SOAK_CONTRACT") != "redis", reason="make test-targets asks redis in its own"
)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    server = redis.start(tmp_path / "theirs", port, SystemClock())
    yield f"redis://127.0.0.1:{port}"
    server.stop()


def client(url: str) -> Any:
    return redis.package("redis", "redis").Redis.from_url(url)


def built(url: str, folder: Path) -> Any:
    params = redis.Params(url=url, dimensions=CONTENT.dimensions)
    return redis.build(params, folder, SystemClock())


def test_only_what_an_earlier_run_left_goes(url, tmp_path):
    with client(url) as theirs:
        theirs.hset("m:1", mapping={"text": "somebody's"})
        for key in range(3):
            theirs.hset(f"{redis.PREFIX}{key}", mapping={"agent": 1, "text": "an earlier run's"})
        target = built(url, tmp_path)
        target.store(record(0))
        first = (target.count(), target.get(1))
        target.close()
        again = built(url, tmp_path)
        left = again.count()
        again.close()

        assert ((1, None), 0) == (first, left)
        assert [b"m:1"] == theirs.keys()


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path, monkeypatch):
    port = free_port()
    monkeypatch.setenv("THEIR_REDIS", f"redis://:s3cr3t@127.0.0.1:{port}")
    params = redis.Params.model_validate({"url": {"env": "THEIR_REDIS"}})

    with pytest.raises(TargetUnavailable, match=rf"redis://\.\.\.@127\.0\.0\.1:{port}: Conn") as no:
        redis.build(params, tmp_path, SystemClock())

    assert "s3cr3t" not in str(no.value)
