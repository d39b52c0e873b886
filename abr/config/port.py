"""Ports that several addresses listen on: they must be one protocol there, and mean different publishers."""

from collections.abc import Sequence

from abr.config.address import ListenAddress
from abr.config.srt import SrtAddress
from abr.errors import ConfigError
from abr.formats.streamid import StreamId, parse_stream_id

Listen = ListenAddress | SrtAddress

_ANY, _ANY_OF_BOTH = "0.0.0.0", "::"  # noqa: S104 - compared only


def check_apart(listens: Sequence[tuple[str, Listen]]) -> None:
    """Refuse an address that could get no feed beside one before it. Each comes with its key's path.

    Raises ConfigError.
    """
    for place, (key, address) in enumerate(listens):
        for earlier_key, earlier in listens[:place]:
            if clash := _clash(earlier, address):
                raise ConfigError(key, f"could get no feed beside {earlier_key}: {clash}")


def _clash(first: Listen, second: Listen) -> str:
    """Why the later address would be in vain, and the cure; empty where it is not."""
    if not _meet(first, second):
        return ""
    port, schemes = second.port, (_scheme(first), _scheme(second))
    if schemes[0] != schemes[1]:
        return f"port {port} speaks either {schemes[0]} or {schemes[1]}; give one of them another port"
    if first.host.lower() != second.host.lower():
        return f"port {port} is opened for one host; write the same in both, or another port"
    if isinstance(first, SrtAddress) and isinstance(second, SrtAddress):
        same = _covers(first, second)
        return f"port {port} has their stream id once; give another streamid or port" if same else ""
    same = isinstance(second, ListenAddress) and _key(first) == _key(second)
    return "they have the same application and key; give another key, or another port" if same else ""


def _meet(first: Listen, second: Listen) -> bool:
    """Whether both need the same port of this machine; 0 is another free one each time."""
    if first.port != second.port or not first.port or _is_udp(first) != _is_udp(second):
        return False
    hosts = first.host.lower(), second.host.lower()
    both_old = not any(":" in host for host in hosts)
    return hosts[0] == hosts[1] or _ANY_OF_BOTH in hosts or (_ANY in hosts and both_old)


def _is_udp(address: Listen) -> bool:
    return isinstance(address, SrtAddress)


def _scheme(address: Listen) -> str:
    return address.scheme if isinstance(address, ListenAddress) else "srt"


def _key(address: Listen) -> object:
    return (address.app, address.key) if isinstance(address, ListenAddress) else None


def _covers(first: SrtAddress, second: SrtAddress) -> bool:
    """Whether each caller that the second means is taken by the first."""
    one, other = _stream(first), _stream(second)
    if one is None or other is None:
        return one is other
    return one.resource == other.resource and one.user in {"", other.user}


def _stream(address: SrtAddress) -> StreamId | None:
    return None if address.stream_id is None else parse_stream_id(address.stream_id.reveal())
