"""Where a pulled playlist or a redirect may lead: never from a public address into the networks behind it."""

import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress
from enum import Enum

from abr.errors import FeedLost, FeedRefused

_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]
"""The addresses of host and port. Raises OSError."""


class Zone(Enum):
    """Who can reach an address."""

    PUBLIC = "public"
    PRIVATE = "private"
    LINK_LOCAL = "link-local"
    """With the metadata services of clouds."""
    LOOPBACK = "loopback"
    SPECIAL = "special"
    """Multicast, reserved, unassigned."""


def zone_of(text: str) -> Zone:
    """The zone of a literal address; one that holds another (IPv4 in IPv6) has that one's. Raises ValueError.

    >>> zone_of("::ffff:169.254.169.254")
    <Zone.LINK_LOCAL: 'link-local'>
    """
    address = _innermost(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_loopback or address.is_unspecified:
        return Zone.LOOPBACK  # connecting to 0.0.0.0 reaches this machine
    if address.is_link_local:
        return Zone.LINK_LOCAL
    if address.is_multicast or address.is_reserved:
        return Zone.SPECIAL
    return Zone.PUBLIC if address.is_global else Zone.PRIVATE


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, as the system orders them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class Guard:
    """Connects to where the user said first, and after that only to public addresses or that one's zone.

    A name is resolved here and what it gave is connected to, so that it cannot change in between.
    `private` lets everything through.
    """

    def __init__(self, *, private: bool = False, resolve: Resolve = resolve) -> None:
        self._private = private
        self._resolve = resolve
        self._home: Zone | None = None
        """The zone of the first address; None before."""

    def connect(self, host: str, port: int, seconds: float) -> socket.socket:
        """A connection. Raises FeedRefused where none is allowed, FeedLost where nobody answers."""
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise FeedLost(f"{host}: the name is not known ({_reason(error)})") from error
        failure: Exception | None = None
        for address in self._allowed(host, addresses):
            try:
                connection = socket.create_connection((address, port), seconds)
            except OSError as error:
                failure = error
            else:
                self._home = self._home or zone_of(address)
                return connection
        raise FeedLost(f"{host}:{port} cannot be reached: {_reason(failure)}") from failure

    def _allowed(self, host: str, addresses: list[str]) -> list[str]:
        if self._home is None or self._private:
            return addresses
        allowed = [address for address in addresses if zone_of(address) in {Zone.PUBLIC, self._home}]
        if addresses and not allowed:
            raise FeedRefused(
                f"what is pulled from a {self._home.value} address leads to {host},"
                f" a {zone_of(addresses[0]).value} address",
                hint="pull_private = true allows it",
            )
        return allowed


def _innermost(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and int(address) >> 32 == 0 and int(address) > 1:
        inner = ipaddress.IPv4Address(int(address))  # the old "compatible" form
    if inner is None and address.teredo:
        inner = address.teredo[1]
    return inner or address


def _reason(error: Exception | None) -> str:
    text = ""
    with suppress(AttributeError):
        text = str(error.strerror or "")  # type: ignore[union-attr]
    return text or str(error or "it has no address")
