"""RTMPS: strangers, slow and wrong clients, and certificates that change while a feed is up."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from abr.formats.rtmp.event import MediaKind
from abr.ingest.admission import Limits
from abr.ingest.certificate import load_context
from abr.ingest.watched import Watched
from tests.fakes.certificate import make_certificate, write_certificate
from tests.fakes.log import KeptLines
from tests.fakes.rtmp_client import AVC_FRAME, HANDSHAKE, connect, media, publish, stop
from tests.fakes.rtmp_server import TIME_OUT, Reader, Running, servers

pytestmark = pytest.mark.faults


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    with servers() as start:
        yield start


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    return load_context(*write_certificate(tmp_path))


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def secure_client(server: Running, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    return (context or trusting()).wrap_socket(server.client(), server_hostname="localhost")


def read_until_closed(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def test_media_comes_through_tls(start: Callable[..., Running], context: ssl.SSLContext) -> None:
    reader = Reader()
    server = start(reader.read, tls=lambda: context)
    verifying = ssl.create_default_context(cadata=make_certificate(1).certificate.decode())
    with secure_client(server, verifying) as client:
        client.sendall(HANDSHAKE + connect() + publish())
        assert reader.begun.acquire(timeout=TIME_OUT)
        client.sendall(
            b"".join(media(MediaKind.VIDEO, time, AVC_FRAME * 5000) for time in range(20)) + stop()
        )
        read_until_closed(client)
    server.log.wait_for("publisher gone", reason="the publisher stopped", publisher="studio")
    assert reader.data[0].count(AVC_FRAME) == 100_000
    assert reader.feeds[0].name.startswith("studio (rtmps live from 127.0.0.1:")


def test_a_refusal_is_heard_through_tls(start: Callable[..., Running], context: ssl.SSLContext) -> None:
    server = start(Reader().read, tls=lambda: context)
    with secure_client(server) as client:
        client.sendall(HANDSHAKE + connect() + publish("hunter2"))
        said = b""
        with suppress(ssl.SSLError, ConnectionResetError):
            while b"wrong stream key" not in said:
                piece = client.recv(65536)
                if not piece:
                    break
                said += piece
    assert b"NetStream.Publish.BadName" in said
    assert "hunter2" not in str(server.log.lines)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (HANDSHAKE, "this is no TLS client; publish to rtmps://, not to rtmp://"),
        (b"GET / HTTP/1.1\r\n\r\n", "this is no TLS client: this looks like HTTP"),
        (b"\xff" * 2000, "this is no TLS client"),
    ],
)
def test_who_speaks_no_tls_costs_one_line(
    start: Callable[..., Running], context: ssl.SSLContext, sent: bytes, reason: str
) -> None:
    server = start(Reader().read, tls=lambda: context)
    with server.client() as client:
        client.sendall(sent)
        with suppress(ConnectionResetError):
            read_until_closed(client)
    line = server.log.wait_for("connection lost before publishing")
    assert line["reason"].startswith(reason)
    assert len(server.log.lines) == 1


def test_an_encoder_that_does_not_trust_us_says_so(
    start: Callable[..., Running], context: ssl.SSLContext
) -> None:
    server = start(Reader().read, tls=lambda: context)
    strict = ssl.create_default_context(cadata=make_certificate(2).certificate.decode())
    with pytest.raises(ssl.SSLCertVerificationError):
        secure_client(server, strict)
    line = server.log.wait_for("connection lost before publishing")
    assert line["reason"] == "the publisher does not trust the certificate"


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01"])
def test_the_tls_handshake_counts_as_handshake(
    start: Callable[..., Running], context: ssl.SSLContext, sent: bytes
) -> None:
    """Neither silence nor half a greeting holds a thread for longer."""
    server = start(Reader().read, tls=lambda: context, limits=Limits(handshake_ms=50))
    with server.client() as client:
        client.sendall(sent)
        with suppress(ConnectionResetError):
            read_until_closed(client)
    server.log.wait_for("publisher refused", reason="no whole TLS handshake came within 50 ms")


def test_after_tls_the_rest_of_the_time_is_left(
    start: Callable[..., Running], context: ssl.SSLContext
) -> None:
    server = start(Reader().read, tls=lambda: context, limits=Limits(handshake_ms=300))
    with secure_client(server) as client, suppress(ssl.SSLError, ConnectionResetError):
        read_until_closed(client)
    server.log.wait_for("publisher refused", reason="no whole handshake came within 300 ms")


def test_who_leaves_during_tls_is_no_warning(start: Callable[..., Running], context: ssl.SSLContext) -> None:
    server = start(Reader().read, tls=lambda: context)
    server.client().close()
    server.log.wait_for("connection closed before publishing", level="debug")


def test_a_new_certificate_counts_for_new_connections_and_drops_no_feed(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    paths, log, reader = write_certificate(tmp_path), KeptLines(), Reader()
    watched = Watched("certificate", paths, lambda: load_context(*paths), log)
    server = start(reader.read, tls=watched.get)
    with secure_client(server) as live:
        live.sendall(HANDSHAKE + connect() + publish())
        assert reader.begun.acquire(timeout=TIME_OUT)
        paths[0].write_bytes(make_certificate(2).certificate)
        assert shown(server) == make_certificate(1).certificate  # its key is not there yet
        paths[1].write_bytes(make_certificate(2).key)
        assert shown(server) == make_certificate(2).certificate
        live.sendall(media(MediaKind.VIDEO, 0, AVC_FRAME) + stop())
        read_until_closed(live)
    server.log.wait_for("publisher gone", reason="the publisher stopped")
    assert AVC_FRAME in reader.data[0]
    assert [name for name, _ in log.lines] == ["certificate not read again", "certificate read again"]


def shown(server: Running) -> bytes:
    """The certificate that a client is shown now, as it was made."""
    with secure_client(server) as client:
        found = client.getpeercert(binary_form=True)
        assert found is not None
        return next(
            pair.certificate
            for pair in (make_certificate(1), make_certificate(2))
            if ssl.PEM_cert_to_DER_cert(pair.certificate.decode()) == found
        )


def test_abort_and_close_wake_a_feed_that_waits_in_tls(
    start: Callable[..., Running], context: ssl.SSLContext
) -> None:
    reader = Reader()
    server = start(reader.read, tls=lambda: context)
    with secure_client(server) as first, secure_client(server) as second:
        first.sendall(HANDSHAKE + connect() + publish())
        assert reader.begun.acquire(timeout=TIME_OUT)
        reader.feeds[0].abort("enough")
        server.log.wait_for("publisher gone", reason="enough")
        second.sendall(HANDSHAKE + connect() + publish())
        assert reader.begun.acquire(timeout=TIME_OUT)
        server.stop()
    assert [feed.ended for feed in reader.feeds] == ["enough", "the server was closed"]
