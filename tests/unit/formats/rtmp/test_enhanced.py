"""Enhanced RTMP: ModEx and multitrack headers, the old number of HEVC, and what a server answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.formats.rtmp.amf import Value
from abr.formats.rtmp.enhanced import Plain, capabilities, plain
from abr.formats.rtmp.event import MediaKind

VIDEO, AUDIO, DATA = MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.DATA
NANO = b"\x02\x01\xe2\x40" + b"\x01"  # three bytes of nanoseconds, then type 0 (offset) and CodedFrames
CASES = {
    "nothing": (AUDIO, b"", None),
    "data": (DATA, b"\x02\x00\x0aonMetaData", Plain(0, b"\x02\x00\x0aonMetaData")),
    "old picture": (VIDEO, b"\x17\x01\x00\x00\x00x", Plain(0, b"\x17\x01\x00\x00\x00x")),
    "old sound": (AUDIO, b"\xaf\x01x", Plain(0, b"\xaf\x01x")),
    "four letters": (VIDEO, b"\x91hvc1\x00\x00\x00x", Plain(0, b"\x91hvc1\x00\x00\x00x")),
    "four letters of sound": (AUDIO, b"\x91Opusx", Plain(0, b"\x91Opusx")),
    "metadata": (VIDEO, b"\xd4hvc1x", Plain(0, b"\xd4hvc1x")),
    "ModEx": (VIDEO, b"\x97" + NANO + b"hvc1\x00\x00\x00x", Plain(0, b"\x91hvc1\x00\x00\x00x")),
    "ModEx twice": (AUDIO, b"\x97" + b"\x02\x00\x00\x01\x07" + NANO + b"Opusx", Plain(0, b"\x91Opusx")),
    "ModEx of 256 bytes and more": (
        VIDEO,
        b"\xa7\xff\x01\x00" + bytes(257) + b"\x03av01x",
        Plain(0, b"\xa3av01x"),
    ),
    "ModEx before a seek mark": (VIDEO, b"\xd7" + NANO + b"\x00", None),
    "ModEx before metadata": (VIDEO, b"\xd7\x00x\x04hvc1x", Plain(0, b"\xd4hvc1x")),
    "one track": (VIDEO, b"\x96\x01hvc1\x05\x00\x00\x00x", Plain(5, b"\x91hvc1\x00\x00\x00x")),
    "one track of sound": (AUDIO, b"\x95\x00Opus\x01head", Plain(1, b"\x90Opushead")),
    "tracks of one codec": (
        VIDEO,
        b"\x96\x11av01" + b"\x02\x00\x00\x02bb" + b"\x01\x00\x00\x01a",
        Plain(1, b"\x91av01a"),
    ),
    "tracks of several codecs": (
        AUDIO,
        b"\x95\x21" + b"mp4a\x00\x00\x00\x01a" + b"Opus\x01\x00\x00\x02bb",
        Plain(0, b"\x91mp4aa"),
    ),
    "ModEx and tracks": (AUDIO, b"\x97\x00x\x05\x01Opus\x03y", Plain(3, b"\x91Opusy")),
    "no track at all": (AUDIO, b"\x95\x11Opus", None),
    "a track longer than the message": (AUDIO, b"\x95\x11Opus\x00\x00\x00\x09x", None),
    "several tracks within several": (VIDEO, b"\x96\x06hvc1\x00x", None),
    "a form that does not exist": (VIDEO, b"\x96\x31hvc1\x00x", None),
    "cut short": (VIDEO, b"\x97\x05xx", None),
    "old HEVC set-up": (VIDEO, b"\x1c\x00\x00\x00\x00hvcC", Plain(0, b"\x90hvc1hvcC")),
    "old HEVC picture": (VIDEO, b"\x2c\x01\x00\x00\x28nal", Plain(0, b"\xa1hvc1\x00\x00\x28nal")),
    "old HEVC end": (VIDEO, b"\x1c\x02\x00\x00\x00", Plain(0, b"\x92hvc1")),
    "old HEVC of no known kind": (VIDEO, b"\x0c\x06\x00\x00\x00\x00", Plain(0, b"\x0c\x06\x00\x00\x00\x00")),
    "old HEVC cut short": (VIDEO, b"\x1c\x01", Plain(0, b"\x1c\x01")),
    "old HEVC seek mark": (VIDEO, b"\x5c\x00", Plain(0, b"\x5c\x00")),
}


@pytest.mark.parametrize("name", CASES)
def test_a_message_and_its_plain_form(name: str) -> None:
    kind, payload, expected = CASES[name]
    assert plain(kind, payload) == expected


@given(st.sampled_from([VIDEO, AUDIO]), st.binary(max_size=60))
def test_any_bytes_have_a_plain_form_or_none(kind: MediaKind, payload: bytes) -> None:
    found = plain(kind, payload)
    if found is not None:
        assert plain(kind, found.payload) == (0, found.payload) or not found.payload[5:]


def test_a_message_of_many_tracks_is_not_unpacked_to_its_end() -> None:
    """A track's number is one byte: more than 256 tracks would only fill memory."""
    body = b"\x95\x11Opus" + b"\x05\x00\x00\x00" * 256 + b"\x00\x00\x00\x00"
    assert plain(AUDIO, body) == (5, b"\x91Opus")


@pytest.mark.parametrize("asked", ["fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"])
def test_a_client_that_asks_hears_what_is_understood(asked: str) -> None:
    assert capabilities({asked: None}) == {
        "fourCcList": [
            "avc1", "hvc1", "av01", "vp09", "vp08", "mp4a", "Opus", "fLaC", "ac-3", "ec-3", ".mp3",
        ],
        "videoFourCcInfoMap": {"avc1": 1.0, "hvc1": 1.0, "av01": 1.0, "vp09": 1.0, "vp08": 1.0},
        "audioFourCcInfoMap": {"mp4a": 1.0, "Opus": 1.0, "fLaC": 1.0, "ac-3": 1.0, "ec-3": 1.0, ".mp3": 1.0},
        "capsEx": 6.0,
    }  # fmt: skip


def test_an_old_client_hears_nothing_of_it() -> None:
    asked: dict[str, Value] = {"app": "live", "videoCodecs": 252.0}
    assert capabilities(asked) == {}
