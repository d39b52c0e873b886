"""The binding of libsrt, as far as it can be known without the library."""

import ctypes
from types import SimpleNamespace

import pytest

from abr.errors import UsageError
from abr.ingest.libsrt import LibSrt, _open, _packed, address_text, version_text
from abr.ingest.srtheader import PerfMon


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("pktRecvTotal", 16), ("pktRcvLossTotal", 28), ("pktRcvDropTotal", 68), ("pktRcvUndecryptTotal", 72),
        ("byteSentTotal", 80), ("byteRecvTotal", 88), ("byteRcvUndecryptTotal", 128), ("pktSent", 136),
        ("pktRcvRetrans", 164), ("mbpsRecvRate", 192), ("pktRcvBelated", 224), ("msRTT", 328),
    ],
)  # fmt: skip
def test_readings_lie_where_srt_h_of_1_5_1_has_them(name, offset):
    assert getattr(PerfMon, name).offset == offset


def test_readings_have_room_for_what_later_versions_append():
    assert ctypes.sizeof(PerfMon) > 2 * 496


def test_a_missing_library_is_one_sentence_with_its_packages(monkeypatch):
    monkeypatch.setattr("ctypes.util.find_library", lambda _: None)
    with pytest.raises(UsageError) as caught:
        _open(("libsrt-of-nobody.so.1.5",))
    assert str(caught.value) == (
        "SRT needs the library libsrt, version 1.5 or newer (install libsrt1.5-openssl (Debian, Ubuntu), "
        "libsrt (Alpine) or srt (Homebrew on macOS))"
    )


def test_a_library_that_cannot_be_loaded_says_why(monkeypatch):
    monkeypatch.setattr("ctypes.util.find_library", lambda _: "libsrt-of-nobody.so")
    with pytest.raises(UsageError, match=r"libsrt-of-nobody\.so: cannot open .*libsrt1\.5-openssl"):
        _open(())


def test_an_old_library_is_refused():
    with pytest.raises(UsageError, match=r"version 1\.5 or newer; this one is 1\.4\.4"):
        LibSrt(SimpleNamespace(srt_getversion=lambda: 0x010404))


def test_versions_as_people_write_them():
    assert version_text(0x01050A) == "1.5.10"


@pytest.mark.parametrize(
    ("host", "text"),
    [("127.0.0.1", "127.0.0.1:9000"), ("::1", "[::1]:9000"), ("::ffff:10.0.0.1", "10.0.0.1:9000")],
)
def test_addresses_pass_through_their_packed_form(host, text):
    assert address_text(_packed(host, 9000, passive=True).ljust(128, b"\0")) == text
