"""The RTMP server's address."""

import socket
from collections.abc import Callable

import pytest

from abr.clock import SystemClock
from abr.errors import AddressInUse, UsageError
from abr.ingest.rtmp import RtmpServer, Service
from tests.fakes.log import KeptLines

SERVICE = Service(applications=frozenset({"live"}), authorise=lambda _, __: None, on_feed=lambda _: None)


def make(host: str, port: int = 0) -> RtmpServer:
    return RtmpServer(host, port, SERVICE, clock=SystemClock(), spawn=never, log=KeptLines())


def never(name: str, _: Callable[[], None]) -> None:
    raise AssertionError(name)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost", "::1", "[::1]", "::"])
def test_the_port_is_open_until_close(host: str) -> None:
    server = make(host)
    peer = "::1" if host in {"::1", "[::1]"} else "127.0.0.1"  # "::" takes both
    with socket.create_connection((peer, server.port), 10):
        pass
    server.close()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((peer, server.port), 10)
    server.serve()  # returns at once


def test_a_port_in_use_is_named_with_the_cure() -> None:
    server = make("127.0.0.1")
    with pytest.raises(AddressInUse) as raised:
        make("127.0.0.1", server.port)
    server.close()
    assert raised.value.exit_code == 2
    assert str(raised.value) == (
        f"cannot listen on 127.0.0.1:{server.port}: another program does (stop it, or choose another port)"
    )


@pytest.mark.parametrize(
    ("host", "shown"), [("192.0.2.1", "192.0.2.1:0"), ("2001:db8::1", "[2001:db8::1]:0")]
)
def test_an_address_that_is_not_ours_is_wrong_usage(host: str, shown: str) -> None:
    with pytest.raises(UsageError) as raised:
        make(host)
    assert str(raised.value).startswith(f"cannot listen on {shown}: ")
    assert raised.value.exit_code == 2


def test_a_port_can_be_taken_again_at_once() -> None:
    first = make("127.0.0.1")
    first.close()
    make("127.0.0.1", first.port).close()
