"""SRT addresses."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.config.address import parse_listen
from abr.config.srt import LATENCY_MS, SrtAddress, parse_srt, parse_srt_listen
from abr.errors import ConfigError


def test_an_address_names_host_port_stream_id_passphrase_latency_and_key_length():
    address = parse_listen(
        "srt://0.0.0.0:9000?streamid=cam1&passphrase=hunter2hunter2&latency=400ms&pbkeylen=32"
    )
    assert isinstance(address, SrtAddress)
    assert (address.host, address.port, address.latency, address.key_length) == ("0.0.0.0", 9000, 400, 32)
    assert (address.stream_id.reveal(), address.passphrase.reveal()) == ("cam1", "hunter2hunter2")
    assert address.name == str(address) == "srt://0.0.0.0:9000"
    assert "hunter2" not in repr(address)
    assert "cam1" not in repr(address)


def test_what_is_left_out_is_libsrts_choice():
    address = parse_srt("SRT://[::1]:9000", "pull")
    assert address == SrtAddress("::1", 9000, None, None, LATENCY_MS, 0)
    assert address.name == "srt://[::1]:9000"


@pytest.mark.parametrize(
    ("written", "stream_id"),
    [
        ("live/cam1", "live/cam1"),
        ("#!::r=cam1,m=publish", "#!::r=cam1,m=publish"),
        ("%23!::r%3Dcam1%2Cu=anna", "#!::r=cam1,u=anna"),
        ("a%26b%2B%20", "a&b+ "),
    ],
)
def test_stream_ids_may_be_escaped(written, stream_id):
    assert parse_srt(f"srt://h:1/?streamid={written}", "listen").stream_id.reveal() == stream_id


@pytest.mark.parametrize(
    ("written", "latency"),
    [("400", 400), ("120ms", 120), ("1s", 1000), ("0.5s", 500), ("20", 20), ("10s", 10000)],
)
def test_a_latency_is_a_duration_and_milliseconds_without_a_unit(written, latency):
    assert parse_srt(f"srt://h:1?latency={written}", "listen").latency == latency


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("srt://h", "'h' has no port"),
        ("srt://h:99999?streamid=hunter2", "99999 is no port"),
        ("srt://:9000?streamid=hunter2", "is not host and port"),
        ("srt://user:hunter2@h:9000?streamid=a", "neither a user nor a path"),
        ("srt://h:9000/hunter2", "neither a user nor a path"),
        ("srt://h:9000", "lets everybody publish"),
        ("srt://h:9000?latency=100", "lets everybody publish"),
        ("srt://h:9000?hunter2", "has an option that is not known"),
        ("srt://h:9000?streamid=a&mode=listener", "has an option that is not known"),
        ("srt://h:9000?streamid=hunter2&streamid=b", "names streamid twice"),
        ("srt://h:9000?streamid=", "streamid that is empty or longer"),
        (f"srt://h:9000?streamid={'hunter2' * 80}", "streamid that is empty or longer"),
        ("srt://h:9000?streamid=%23!::hunter2", "that no publisher could send"),
        ("srt://h:9000?streamid=hunter2+a", "a + in its streamid"),
        ("srt://h:9000?passphrase=hunter2", "10 to 79 letters"),
        (f"srt://h:9000?passphrase={'hunter2' * 12}", "10 to 79 letters"),
        ("srt://h:9000?passphrase=hunter2%C3%A4aaaaa", "10 to 79 letters of ASCII"),
        ("srt://h:9000?passphrase=hunter2+hunter2", "a + in its passphrase"),
        ("srt://h:9000?streamid=hunter2&latency=fast", "no duration"),
        (
            "srt://h:9000?streamid=hunter2&latency=400000",
            "out of range; 20ms to 10s (a bare number is milliseconds)",
        ),
        ("srt://h:9000?streamid=hunter2&latency=10", "out of range"),
        ("srt://h:9000?passphrase=hunter2hunter2&pbkeylen=20", "16, 24 or 32 bytes"),
        ("srt://h:9000?streamid=hunter2&pbkeylen=16", "has a pbkeylen and no passphrase"),
    ],
)
def test_a_wrong_address_is_told_without_its_secrets(text, words):
    with pytest.raises(ConfigError, match=r"^listen: ") as caught:
        parse_srt_listen(text)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=40), st.sampled_from(["", "srt://", "srt://h:1?", "srt://h:1?streamid=a&latency="]))
def test_any_text_is_an_address_or_a_mistake(text, start):
    with suppress(ConfigError):
        assert parse_srt(start + text, "pull").port >= 0
