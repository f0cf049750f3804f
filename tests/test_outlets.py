"""Is what --publish was told refused before the run, where no request could ever be made of it?"""

import pytest

from soak.outlets import outlets
from soak.verdict import Mistake


@pytest.mark.parametrize(
    ("pair", "complaint"),
    [
        ("pushgateway=http://[::1:9091", "Invalid IPv6 URL"),
        ("pushgateway=http://gateway:99999", "Port out of range"),
        ("pushgateway=http://gateway/ü", "percent-encoded"),
        ("remote-write=http://host/a path", "percent-encoded"),
        ("remote-write=ftp://host", "not the address of a server"),
        ("remote-write=http://", "not the address of a server"),
        ("pushgatway=http://host", "did you mean pushgateway"),
        ("key=key.pem", "certificate=FILE"),
    ],
)
def test_a_mistake_is_told_with_the_pair(pair: str, complaint: str):
    with pytest.raises(Mistake, match=complaint) as refused:
        outlets([pair])

    assert "--publish " in str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9091", "https://[::1]:9091/prefix"])
def test_the_address_of_a_server_is_taken(url: str):
    assert url == outlets([f"pushgateway={url}"]).pushgateway
