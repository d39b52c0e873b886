"""Addresses of feeds and of the worker's own pages."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abr.config.address import PullAddress, parse_http, parse_listen, parse_pull
from abr.errors import ConfigError


def test_an_rtmp_address_names_host_port_application_and_key():
    address = parse_listen("rtmp://0.0.0.0:1936/live/hunter2")
    assert (address.scheme, address.host, address.port, address.app) == ("rtmp", "0.0.0.0", 1936, "live")
    assert address.key.reveal() == "hunter2"
    assert address.name == str(address) == "rtmp://0.0.0.0:1936/live/***"
    assert "hunter2" not in repr(address)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("rtmp://[::1]:1/a/k", "::1", 1),
        ("rtmp://localhost/a/k", "localhost", 1935),
        ("RTMP://h:0/a/k", "h", 0),
        ("rtmps://h/a/k", "h", 443),
        ("rtmps://h:8443/a", "h", 8443),
    ],
)
def test_hosts_and_ports(text, host, port):
    address = parse_listen(text)
    assert (address.host, address.port) == (host, port)


@pytest.mark.parametrize("text", ["rtmp://h/live", "rtmp://h/live/"])
def test_an_address_may_leave_the_keys_to_a_file(text):
    address = parse_listen(text)
    assert (address.app, address.key, address.name) == ("live", None, "rtmp://h:1935/live")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("srt://0.0.0.0:9000?passphrase=hunter2", "has a passphrase that SRT does not take"),
        ("hunter2", "is not an address to listen on"),
        ("http://h/live/hunter2", "is not an address to listen on"),
        ("rtmp://h:1935//hunter2", "no usable application"),
        ("rtmp://h:1935/live/hunter2/more", "letters that encoders change"),
        ("rtmp://h:1935/live/hunter2?x=1", "letters that encoders change"),
        ("rtmp://h:1935/live/hunter 2", "letters that encoders change"),
        ("rtmp://user:hunter2@h:1935/live/k", "takes no user or password"),
        ("rtmp://:1935/live/hunter2", "is not host and port"),
        ("rtmp://h:99999/live/hunter2", "99999 is no port"),
        ("rtmp://h:x/live/hunter2", "is not host and port"),
    ],
)
def test_a_wrong_address_is_told_without_its_key(text, words):
    with pytest.raises(ConfigError, match=r"^listen: ") as caught:
        parse_listen(text)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "path", "loop"),
    [
        ("a b.mp4", "a b.mp4", False),
        ("clip.mp4?loop", "clip.mp4", True),
        ("clip.mp4?loop=true", "clip.mp4", True),
        ("clip.mp4?loop=0", "clip.mp4", False),
        ("why?.mp4", "why?.mp4", False),
        ("file:///media/a%20b.mp4", "/media/a b.mp4", False),
        ("file:a.mp4?loop=1", "a.mp4", True),
    ],
)
def test_a_file_may_be_a_path_or_a_url_and_may_loop(text, path, loop):
    address = parse_pull(text)
    assert (address.path, address.url, address.loop) == (Path(path), None, loop)
    assert address.location == address.name == path


def test_a_relative_path_starts_from_the_given_folder():
    assert parse_pull("a.mp4", Path("/media")).path == Path("/media/a.mp4")
    assert parse_pull("/b.mp4", Path("/media")).path == Path("/b.mp4")


def test_a_url_is_opened_whole_and_shown_masked():
    address = parse_pull("https://user:hunter2@host/live.m3u8?token=hunter2")
    assert address.location == "https://user:hunter2@host/live.m3u8?token=hunter2"
    assert address.name == "https://host/live.m3u8"
    assert "hunter2" not in repr(address) + str(address)
    assert address == PullAddress(url=address.url)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("ftp://h/x?hunter2", "ftp:// cannot be pulled"),
        ("rtmp://h/hunter2", "needs application and key"),
        ("http:///x?hunter2", "has no host"),
        ("http://h:port/x?hunter2", "is not a URL"),
        ("a.mp4?loop=often", "?loop=often is not understood"),
        ("a.mp4?looping", "is not understood"),
        ("a\0b", "is empty"),
    ],
)
def test_what_cannot_be_pulled_is_refused(text, words):
    with pytest.raises(ConfigError, match=r"^pull: ") as caught:
        parse_pull(text)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("8080", ("127.0.0.1", 8080)),
        ("[::]:1", ("::", 1)),
        ("h:0", ("h", 0)),
    ],
)
def test_the_workers_pages_have_host_and_port(text, pair):
    assert parse_http(text) == pair


@pytest.mark.parametrize(
    "text", ["", "localhost", ":8080", "h:70000", "http://h:1", "h:1/path", "h:-1", "1:2:3"]
)
def test_what_is_not_host_and_port_is_refused(text):
    with pytest.raises(ConfigError, match=r"^http: "):
        parse_http(text)


@settings(deadline=None)
@given(st.text(max_size=30), st.sampled_from(["", "rtmp://", "http://", "file:", "rtmp://h/live/"]))
def test_any_text_is_an_address_or_a_mistake(text, start):
    for parse in (parse_listen, parse_pull, parse_http):
        with suppress(ConfigError):
            assert parse(start + text)
