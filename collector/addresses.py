"""Whether an address is this machine's, by whatever name it is called."""

import functools
import ipaddress
import socket

import psutil

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parsed(host: str) -> Address | None:
    """The address that a host is written as, IPv4 within IPv6 as itself; None for a name."""
    try:
        found = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@functools.cache
def resolved(host: str) -> tuple[str, ...]:
    """Every address of a host; none where nobody knows it."""
    try:
        return tuple(sorted({str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(host, None)}))
    except (OSError, UnicodeError):
        return ()


def is_here(host: str) -> bool:
    """Whether a name or an address means this machine: loopback, all addresses, or one of its own."""
    every = [found.address for card in psutil.net_if_addrs().values() for found in card]
    own = {address.partition("%")[0] for address in every if address}  # psutil 8: None of a card that has none
    for address in resolved(host.lower().rstrip(".")):
        found = parsed(address)
        if address in own or (found and (str(found) in own or found.is_loopback or found.is_unspecified)):
            return True
    return False
