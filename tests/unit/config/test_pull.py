"""What can be pulled, and how a wrong address is told."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.config.pull import UdpAddress, parse_pull, parse_udp
from abr.config.settings import load_live, load_vod
from abr.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "scheme", "name", "awaited"),
    [
        ("https://u:hunter2@host/live.m3u8?token=hunter2", "https", "https://host/live.m3u8", True),
        ("HTTP://host/film.mp4", "http", "HTTP://host/film.mp4", False),
        ("rtmp://u:hunter2@host:1936/live/hunter2?x=hunter2", "rtmp", "rtmp://host:1936/live", True),
        ("rtmps://host/live/hunter2", "rtmps", "rtmps://host/live", True),
        ("srt://host:9000?passphrase=hunter2hunter2&streamid=a", "srt", "srt://host:9000", True),
        ("udp://@239.1.1.1:5000", "udp", "udp://239.1.1.1:5000", True),
        ("film.mp4", "file", "film.mp4", False),
    ],
)
def test_an_address_knows_its_scheme_its_public_name_and_whether_it_is_live(text, scheme, name, awaited):
    address = parse_pull(text)
    assert (address.scheme, address.name, address.awaited) == (scheme, name, awaited)
    assert address.location == text
    assert "hunter2" not in repr(address) + str(address)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gopher://h/x?hunter2", "gopher:// cannot be pulled; give a file, http(s)://"),
        ("https://user:pass/hunter2@h/film.mp4", "is not a URL; write %2F for a /"),
        ("rtmp:/0.0.0.0/live/hunter2", "has no :// after rtmp; write rtmp://…"),
        ("RTMPS:0.0.0.0/live/hunter2", "has no :// after RTMPS; write rtmps://…"),
        ("rtmp//0.0.0.0/live/hunter2", "has no :// after rtmp"),
        ("https:/user:hunter2@h/film.mp4", "has no :// after https"),
        ("rtmp://h/hunter2", "needs application and key"),
        ("rtmp://h/live/", "needs application and key"),
        ("rtmp:///live/hunter2", "has no host"),
        ("srt://h?passphrase=hunter2", "has no port"),
        ("srt://h:9000?hunter2=1", "has an option that is not known"),
        ("udp://239.1.1.1", "is no address and port"),
        ("udp://239.1.1.1:0", "is no address and port"),
        ("udp://name:5000", "names no address of this machine or group"),
        ("udp://239.1.1.1:5000?hunter=1", "has no option 'hunter'"),
        ("udp://239.1.1.1:5000?source=name", "names no address"),
        ("https://h/a b?hunter2", "write %20 for a space"),
        ("http://h/a\r\nHost: x", "control character"),
    ],
)
def test_a_wrong_address_is_told_without_its_secrets(text, words):
    with pytest.raises(ConfigError, match=r"^pull: ") as caught:
        parse_pull(text)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_udp_address_names_what_is_bound_where_it_is_joined_and_who_is_listened_to():
    assert parse_udp("udp://0.0.0.0:5000") == UdpAddress("0.0.0.0", 5000)
    assert parse_udp("udp://@239.1.1.1:5000?interface=192.0.2.1&source=198.51.100.7") == UdpAddress(
        "239.1.1.1", 5000, "192.0.2.1", "198.51.100.7"
    )
    assert parse_udp("udp://[ff05::1]:5000?interface=eth0").host == "ff05::1"


def test_private_addresses_behind_public_ones_are_allowed_by_an_option_alone(tmp_path):
    given = {"pull": "https://host/live.m3u8", "to": (str(tmp_path),)}
    assert not load_live(None, given, {"ABR_PULL_PRIVATE": "true"}).pull_private
    assert load_live(None, given | {"pull_private": True}, {}).pull_private
    film = {"files": ("https://host/film.mp4",), "to": (str(tmp_path),)}
    assert not load_vod(film, {}).pull_private
    assert load_vod(film | {"pull_private": True}, {}).pull_private


def test_a_live_feed_is_no_film():
    with pytest.raises(
        ConfigError, match=r"^files: rtmp://h/live is a live feed; `abr live --pull` takes it"
    ):
        load_vod({"files": ("rtmp://h/live/hunter2",), "to": ("a",)}, {})


@given(st.text(max_size=30), st.sampled_from(["rtmp://", "srt://", "udp://", "http://[", "rtmps://h/a/"]))
def test_any_text_is_an_address_or_a_mistake(text, start):
    with suppress(ConfigError):
        address = parse_pull(start + text)
        assert address.name
        assert address.awaited in {True, False}
