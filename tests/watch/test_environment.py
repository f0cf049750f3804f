"""Does what is written of the machine keep secrets out?"""

import pytest

from soak.watch.environment import describe


def test_passwords_in_addresses_are_not_written_down(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOAK_PUBLISH", "remote-write=http://me:hidden@127.0.0.1:9090/write")
    monkeypatch.setenv("SOAK_SEED", "7")

    facts = describe(["soak", "run", "--publish", "pushgateway=http://me:hidden@127.0.0.1:9091"])

    assert "hidden" not in str(facts)
    assert {"SOAK_SEED": "7"} == facts["settings"]
    assert "pushgateway=http://...@127.0.0.1:9091" in facts["command"]
