"""Log lines, without secrets."""

import io
import json

import pytest

from abr import log


@pytest.fixture
def lines():
    """The lines that are written meanwhile, as JSON."""
    stream = io.StringIO()
    log.configure(json=True, stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    log.configure()


def test_a_line_has_its_event_its_part_and_its_keys(lines):
    log.Logger("origin", origin="eu-1").bind(pending=3).warning("origin lost", error="503")
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "origin lost", "level": "warning", "part": "origin", "origin": "eu-1", "pending": 3, "error": "503",
    }  # fmt: skip


def test_what_only_a_developer_wants_is_hidden(lines):
    logger = log.Logger("grid")
    logger.debug("slot")
    logger.info("open")
    logger.error("dead")
    assert [line["event"] for line in lines()] == ["open", "dead"]


def test_text_for_a_person_goes_to_the_stream():
    stream = io.StringIO()
    log.configure(stream=stream, level="debug")
    log.Logger("grid").debug("slot", late=3)
    log.configure()
    assert "slot" in stream.getvalue()
    assert "late=3" in stream.getvalue()


def test_values_and_errors_are_redacted(lines):
    error = ValueError("cannot open rtmp://h/live/hunter2")
    log.Logger("feed").info("lost", url="srt://h?passphrase=hunter2", error=error)
    (line,) = lines()
    assert (line["url"], line["error"]) == ("srt://h?passphrase=***", "cannot open rtmp://h/live/***")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtmp://h:1935/live/hunter2", "rtmp://h:1935/live/***"),
        ("rtmps://h/live/hunter2?x=1", "rtmps://h/live/***?x=1"),
        ("rtmp://user:hunter2@h/live/hunter2", "rtmp://***@h/live/***"),
        ("rtmp://h/app/instance/hunter2", "rtmp://h/app/***"),
        ("https://user:hunter2@h/x", "https://***@h/x"),
        ("https://u:hunter2@hunter2@h/x@y and u@h", "https://***@h/x@y and u@h"),
        ("rtmp://u:hunter2@hunter2@h/live/hunter2", "rtmp://***@h/live/***"),
        ("https://h/x?X-Amz-Signature=hunter2&a=1", "https://h/x?X-Amz-Signature=***&a=1"),
        ("https://h/x?token=hunter2", "https://h/x?token=***"),
        ("srt://h:1?passphrase=hunter2&latency=1", "srt://h:1?passphrase=***&latency=1"),
        ("nothing secret: 12:30, a@b", "nothing secret: 12:30, a@b"),
    ],
)
def test_secrets_of_addresses_are_stars(text, shown):
    assert log.redact(text) == shown
