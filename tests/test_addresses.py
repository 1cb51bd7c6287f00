"""This machine by any name: all addresses, loopback, and its own in the network."""

import socket

import httpx
import psutil
import pytest

from collector import addresses
from collector.backends.openai_chat import place


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """What names mean here and nowhere else; no name is asked of a network."""
    known = {"localhost": ["127.0.0.1", "::1"], "studio": ["192.168.1.20"], "studio.local": ["fe80::1%en0"]}
    known |= {"mac.lan": ["10.0.0.7"], "example.org": ["93.184.215.14"]}

    def look_up(host: str, port: object) -> list[tuple[object, ...]]:
        told = known.get(host) or ([host.strip("[]")] if addresses.parsed(host) else [])
        if not told:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in told]

    class Card:
        def __init__(self, address: str | None) -> None:
            self.address = address

    cards = {"en0": [Card("192.168.1.20"), Card("fe80::1%en0"), Card("00:11:22:33:44:55")]}
    cards["gif0"] = [Card(None)]  # psutil 8 lists cards without an address; every Mac has gif0 and stf0
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: cards)
    addresses.resolved.cache_clear()


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.8.9.10", "0.0.0.0"),
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:0.0.0.0]", "[0:0:0:0:0:0:0:1]"),
        *("192.168.1.20", "studio", "studio.local", "[::ffff:192.168.1.20]", "[fe80::1]"),
    ],
)
def test_every_address_of_this_machine_is_local(host: str) -> None:
    assert place(httpx.URL(f"http://{host}:1234")) == "local"


@pytest.mark.parametrize(
    ("host", "where"),
    [
        *(("192.168.1.21", "lan"), ("10.0.0.7", "lan"), ("[fe80::2]", "lan"), ("[fd00::5]", "lan")),
        *(("other", "lan"), ("other.local", "lan"), ("[::ffff:192.168.1.21]", "lan")),
        *(("93.184.215.14", "remote"), ("example.org", "remote"), ("nobody.example.com", "remote")),
    ],
)
def test_others_are_not(host: str, where: str) -> None:
    assert place(httpx.URL(f"http://{host}:1234")) == where
