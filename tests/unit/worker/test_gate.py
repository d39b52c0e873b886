"""Who is let in at a channel's RTMP port."""

from pathlib import Path

import pytest

from abr.config.access import Access
from abr.config.address import parse_listen
from abr.errors import ConfigError
from abr.ingest.rtmp import Permit, Service
from abr.worker.gate import rtmp_service
from tests.fakes.certificate import write_certificate
from tests.fakes.log import KeptLines


def gate(address: str, access: Access | None = None, log: KeptLines | None = None) -> Service:
    return rtmp_service(parse_listen(address), access or Access(), lambda _: None, log or KeptLines())


def test_the_key_of_the_address_opens_its_application() -> None:
    service = gate("rtmp://h/live/hunter2")
    assert service.applications == {"live"}
    assert service.authorise("live", "hunter2") == Permit("", "live")
    assert service.authorise("live", "hunter3") is None
    assert service.authorise("other", "hunter2") is None
    assert service.tls is None


def test_keys_of_a_file_count_beside_it_and_are_read_again(tmp_path: Path) -> None:
    keys, log = tmp_path / "keys", KeptLines()
    keys.write_text("studio hunter3\n")
    service = gate("rtmp://h/live/hunter2", Access(keys), log)
    assert service.authorise("live", "hunter2") == Permit("", "live")
    assert service.authorise("live", "hunter3") == Permit("studio", "live")
    keys.write_text("studio hunter3\nvan hunter4\n")
    assert service.authorise("live", "hunter4") == Permit("van", "live")
    keys.write_text("hunter5\n")
    assert service.authorise("live", "hunter4") == Permit("van", "live")
    assert [name for name, _ in log.lines] == [
        "keys stand in the keys file", "keys stand in the keys file", "keys file read again", "keys file not read again",
    ]  # fmt: skip
    assert "hunter" not in str(log.lines)


def test_rtmps_shows_the_certificate_of_now(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    service = gate("rtmps://h/live/hunter2", Access(None, certificate, key))
    assert service.tls is not None
    first = service.tls()
    assert service.tls() is first
    write_certificate(tmp_path, 2)
    assert service.tls() is not first


def test_a_wrong_certificate_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tls_cert: .* cannot be read"):
        gate("rtmps://h/live/hunter2", Access(None, tmp_path / "none", tmp_path / "none"))
