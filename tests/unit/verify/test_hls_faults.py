"""Each HLS rule bites: a right stream is broken in one place, and exactly that rule is found."""

import re
from collections.abc import Callable

import pytest

from abr.verify.judge import judge
from tests.fakes.broadcast import Broadcast, Shelf, box, broadcast, not_idr, rates, shift
from tests.fakes.clock import FakeClock

LISTS = ("hi/index.m3u8", "lo/index.m3u8", "audio/index.m3u8")
ALL = (*LISTS, "lo/iframes.m3u8")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return Shelf(tmp_path_factory.mktemp("stream"))


def rules_of(shelf: Shelf, stream: Broadcast) -> set[str]:
    verdict = judge(shelf.put(stream), clock=FakeClock(stream.now))
    return {finding.rule for finding in verdict.findings}


ADVICE = {"A-6.2", "A-7.5", "A-9.10"}
"""What is said of the right stream: advice that four segments of a small picture cannot follow."""


def both(paths, old, new, count=1):
    def change(stream):
        for path in paths:
            stream.edit(path, old, new, count)

    return change


def text(path, old, new, count=1):
    return both((path,), old, new, count)


def drop(path):
    return lambda stream: stream.files.pop(path)


def patch(path, mark: bytes, after: int, new: bytes):
    """Overwrite bytes that stand `after` bytes from the first place of a mark."""

    def change(stream):
        data = stream.files[path]
        place = data.index(mark) + after
        stream.files[path] = data[:place] + new + data[place + len(new) :]

    return change


def without(name):
    """Take a tag's lines out of a list."""

    def change(*paths):
        def inner(stream):
            for path in paths:
                lines = stream.files[path].decode().splitlines(keepends=True)
                assert any(line.startswith(name) for line in lines)
                stream.files[path] = "".join(line for line in lines if not line.startswith(name)).encode()

        return inner

    return change


def late(name, first=0, ticks=54_000):
    def change(stream):
        for index in range(first, stream.count):
            path = f"{name}/{index}.m4s"
            stream.files[path] = shift(stream.files[path], ticks)

    return change


def cut_list(path, first, last):
    """Keep segments first..last of a media list."""

    def change(stream):
        lines = stream.files[path].decode().splitlines()
        start = next(place for place, line in enumerate(lines) if line.startswith("#EXT-X-PROGRAM"))
        ends = lines[start + 3 * stream.count :]
        kept = lines[start + 3 * first : start + 3 * (last + 1)]
        stream.files[path] = "\n".join([*lines[:start], *kept, *ends, ""]).encode()

    return change


def move(path, name, after):
    """Move a tag's line behind another line."""

    def change(stream):
        lines = stream.files[path].decode().splitlines()
        line = next(line for line in lines if line.startswith(name))
        lines.remove(line)
        lines.insert(lines.index(after) + 1, line)
        stream.files[path] = "\n".join([*lines, ""]).encode()

    return change


def replace(path, change_bytes: Callable[[bytes], bytes]):
    def change(stream):
        stream.files[path] = change_bytes(stream.files[path])

    return change


def scaled(factor):
    """BANDWIDTH of the first variant times a factor."""
    peak = rates("hi")[0] + rates("audio")[0]
    return text("index.m3u8", f":BANDWIDTH={peak}", f":BANDWIDTH={int(peak * factor)}")


def second_trak(data: bytes) -> bytes:
    moov, trak = data.index(b"moov") - 4, data.index(b"trak") - 4
    size = int.from_bytes(data[trak : trak + 4], "big")
    grown = int.from_bytes(data[moov : moov + 4], "big") + size
    body = data[:moov] + grown.to_bytes(4, "big") + data[moov + 4 : trak + size]
    return body + data[trak : trak + size] + data[trak + size :]


def with_edit(data: bytes) -> bytes:
    """The init with an edit list that takes 100 ticks."""
    edits = box(b"edts", box(b"elst", bytes(4), (1).to_bytes(4), bytes(4), (100).to_bytes(4), b"\0\1\0\0"))
    for kind in (b"moov", b"trak"):
        place = data.index(kind) - 4
        size = int.from_bytes(data[place : place + 4]) + len(edits)
        data = data[:place] + size.to_bytes(4) + data[place + 4 :]
    place = data.index(b"mdia") - 4
    return data[:place] + edits + data[place:]


def short_range(data: bytes) -> bytes:
    return re.sub(rb"BYTERANGE:(\d+)@", lambda match: b"BYTERANGE:%d@" % (int(match[1]) - 1), data)


def media_line(attributes):
    return text("index.m3u8", "#EXT-X-STREAM-INF", f"#EXT-X-MEDIA:{attributes}\n#EXT-X-STREAM-INF")


EXTRA = 'TYPE=AUDIO,GROUP-ID="a",LANGUAGE="en",CHANNELS="2",URI="audio/index.m3u8"'
BREAK = "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:03.840Z"
THIRD = "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:03.840Z"

STATIC = {
    "byte order mark": ({"H-01"}, replace("lo/index.m3u8", lambda data: b"\xef\xbb\xbf" + data)),
    "no EXTM3U": ({"H-01"}, text("lo/index.m3u8", "#EXTM3U\n", "")),
    "not UTF-8": ({"H-01"}, replace("hi/index.m3u8", lambda data: data + b"#\xff\n")),
    "missing list": ({"H-00"}, drop("hi/index.m3u8")),
    "URI without EXTINF": ({"H-00"}, text("hi/index.m3u8", "#EXTINF:1.920000,\n", "")),
    "tag twice": ({"H-02"}, text("lo/index.m3u8", "#EXT-X-MAP", "#EXT-X-TARGETDURATION:2\n#EXT-X-MAP")),
    "media tag in multivariant": (
        {"H-02"},
        text("index.m3u8", "#EXT-X-VERSION", "#EXT-X-TARGETDURATION:2\n#EXT-X-VERSION"),
    ),
    "no target duration": ({"H-03"}, without("#EXT-X-TARGET")("lo/index.m3u8")),
    "version too low": ({"H-05"}, text("lo/index.m3u8", "VERSION:6", "VERSION:3")),
    "version too high": ({"H-05s"}, text("lo/index.m3u8", "VERSION:6", "VERSION:9")),
    "no map": ({"H-06"}, without("#EXT-X-MAP")("hi/index.m3u8")),
    "missing init": ({"H-06"}, drop("hi/init.mp4")),
    "missing segment": ({"H-07"}, drop("hi/2.m4s")),
    "tag after a part": (
        {"H-08"},
        text("lo/index.m3u8", THIRD, f'#EXT-X-PART:DURATION=1,URI="x"\n{THIRD}'),
    ),
    "bit rate": ({"H-12"}, text("hi/index.m3u8", "#EXTINF", "#EXT-X-BITRATE:1\n#EXTINF")),
    "unknown type": ({"H-20"}, text("lo/index.m3u8", "TYPE:VOD", "TYPE:FILM")),
    "VOD without end": ({"H-21"}, text("lo/index.m3u8", "#EXT-X-ENDLIST\n", "")),
    "hint beside end": (
        {"H-21"},
        text("lo/index.m3u8", "#EXT-X-ENDLIST", '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="x"\n#EXT-X-ENDLIST'),
    ),
    "whole seconds": ({"H-31"}, text("lo/index.m3u8", "T00:00:00.000Z", "T00:00:00Z")),
    "date jumps": ({"H-32"}, text("lo/index.m3u8", "00:03.840Z", "00:04.840Z")),
    "one list without dates": ({"H-33"}, without("#EXT-X-PROGRAM")("lo/index.m3u8")),
    "dates of one list off": ({"H-33"}, text("lo/index.m3u8", "T00:00:", "T00:01:", 9)),
    "no date after a break": ({"H-34"}, both(LISTS, THIRD, "#EXT-X-DISCONTINUITY")),
    "date range id twice": (
        {"H-35"},
        both(
            LISTS,
            "#EXTINF",
            '#EXT-X-DATERANGE:ID="a",START-DATE="2026-01-01T00:00:00Z"\n'
            '#EXT-X-DATERANGE:ID="a",START-DATE="2026-01-01T00:00:01Z"\n#EXTINF',
        ),
    ),
    "other date ranges": (
        {"H-35"},
        lambda stream: [
            stream.edit(f"{name}/index.m3u8", "#EXTINF", f'#EXT-X-DATERANGE:ID="{name}"\n#EXTINF')
            for name in ("hi", "lo")
        ],
    ),
    "no mvex": ({"H-40"}, patch("hi/init.mp4", b"mvex", 0, b"free")),
    "duration in the init": ({"H-41"}, patch("hi/init.mp4", b"mvhd", 20, b"\0\0\0\1")),
    "samples in the init": ({"H-42"}, patch("hi/init.mp4", b"stts", 8, b"\0\0\0\1")),
    "no tfdt": ({"H-43", "H-71", "H-73", "C-09"}, patch("hi/1.m4s", b"tfdt", 0, b"free")),
    "data elsewhere": ({"H-44"}, patch("hi/init.mp4", b"url ", 4, b"\0\0\0\0")),
    "no default-base-is-moof": ({"C-03"}, patch("hi/2.m4s", b"tfhd", 5, b"\0")),
    "cut segment": ({"H-45"}, replace("hi/2.m4s", lambda data: data[:-9])),
    "sample outside mdat": ({"H-45"}, patch("hi/2.m4s", b"mdat", 0, b"free")),
    "tfdt late from segment 2": ({"H-46", "C-02", "H-71", "C-09", "H-56"}, late("lo", 2)),
    "one rung late": ({"H-71", "H-33", "H-73", "C-09"}, late("hi")),
    "no IDR": ({"H-47"}, replace("hi/2.m4s", not_idr)),
    "two tracks": ({"C-04"}, replace("hi/init.mp4", second_trak)),
    "two audio tracks": ({"C-04", "A-2.17"}, replace("audio/init.mp4", second_trak)),
    "no parameter sets": ({"A-1.10"}, patch("hi/init.mp4", b"avcC", 9, b"\xe0")),
    "unknown level": ({"C-14", "H-52"}, patch("hi/init.mp4", b"avcC", 7, b"\x09")),
    "no CMAF brand": ({"C-01"}, replace("hi/init.mp4", lambda data: data.replace(b"cmfc", b"isom"))),
    "no styp": ({"C-07"}, replace("hi/2.m4s", lambda data: data[24:])),
    "other track id": ({"C-08"}, patch("hi/init.mp4", b"tkhd", 16, b"\0\0\0\7")),
    "no BANDWIDTH": ({"H-50"}, text("index.m3u8", "INF:BANDWIDTH", "INF:X-BANDWIDTH")),
    "BANDWIDTH too low": ({"H-51"}, scaled(0.95)),
    "BANDWIDTH far too high": ({"A-1.27"}, scaled(1.2)),
    "AVERAGE-BANDWIDTH wrong": ({"A-1.26"}, text("index.m3u8", "AVERAGE-BANDWIDTH=", "AVERAGE-BANDWIDTH=1")),
    "CODECS wrong": ({"H-52"}, text("index.m3u8", 'CODECS="avc1.', 'CODECS="avc1.7')),
    "RESOLUTION wrong": ({"H-53", "A-1.33"}, text("index.m3u8", "RESOLUTION=128x72", "RESOLUTION=128x96")),
    "FRAME-RATE wrong": ({"H-54"}, text("index.m3u8", "FRAME-RATE=6.250", "FRAME-RATE=6.260")),
    "not independent": ({"H-55"}, without("#EXT-X-INDEPENDENT")("index.m3u8")),
    "I-frame list without bandwidth": (
        {"H-56"},
        text("index.m3u8", "I-FRAME-STREAM-INF:BANDWIDTH", "I-FRAME-STREAM-INF:X-B"),
    ),
    "I-frame list not marked": ({"H-56", "H-45"}, without("#EXT-X-I-FRAMES-ONLY")("lo/iframes.m3u8")),
    "range inside the picture": ({"H-56"}, replace("lo/iframes.m3u8", short_range)),
    "no I-frame lists": ({"A-6.1"}, without("#EXT-X-I-FRAME-STREAM")("index.m3u8")),
    "NAME twice": ({"H-60"}, media_line(f'{EXTRA},NAME="English"')),
    "two defaults": ({"H-61"}, media_line(f'{EXTRA},NAME="B",DEFAULT=YES')),
    "default not selected": ({"H-62"}, text("index.m3u8", "AUTOSELECT=YES", "AUTOSELECT=NO")),
    "no CHANNELS": ({"H-63"}, text("index.m3u8", 'CHANNELS="2",', "")),
    "unequal groups": ({"H-64"}, media_line(EXTRA.replace('"a"', '"b"') + ',NAME="Other"')),
    "audio nowhere": (
        {"H-66", "H-52", "A-1.26", "A-1.27"},
        text("index.m3u8", ',URI="audio/index.m3u8"', ""),
    ),
    "other target duration": ({"H-70"}, text("lo/index.m3u8", "DURATION:2", "DURATION:3")),
    "audio cut elsewhere": ({"H-73", "A-8.3"}, cut_list("audio/index.m3u8", 1, 2)),
    "audio short": ({"H-74", "C-12", "A-8.3"}, cut_list("audio/index.m3u8", 0, 0)),
    "5.1 only": ({"A-2.3"}, text("index.m3u8", 'CHANNELS="2"', 'CHANNELS="6"')),
    "EXTINF a little off": ({"A-8.1"}, text("audio/index.m3u8", "EXTINF:1.920", "EXTINF:1.962")),
    "edit list in video": ({"C-05"}, replace("hi/init.mp4", with_edit)),
    "more than the AAC core": (
        {"C-13"},
        lambda stream: (
            replace("audio/init.mp4", lambda data: data.replace(b"mp41", b"caac"))(stream),
            patch("audio/init.mp4", b"mp4a", 28, b"\xfa\x00")(stream),
        ),
    ),
    "one variant": (
        {"A-9.9"},
        replace("index.m3u8", lambda data: re.sub(rb"#EXT-X-STREAM-INF.*64x36.*\n.*\n", b"", data)),
    ),
    "no type": (
        {"A-8.6"},
        lambda stream: [without(name)(*ALL)(stream) for name in ("#EXT-X-PLAYLIST-TYPE", "#EXT-X-PROGRAM")],
    ),
    "no LANGUAGE": ({"A-8.10"}, text("index.m3u8", 'LANGUAGE="en",', "")),
    "no CODECS": ({"A-9.1"}, text("index.m3u8", ",CODECS=", ",X-CODECS=")),
    "no RESOLUTION": ({"A-9.2"}, text("index.m3u8", ",RESOLUTION=64x36,FRAME", ",FRAME")),
    "no AVERAGE-BANDWIDTH": ({"A-9.14"}, text("index.m3u8", "AVERAGE-BANDWIDTH", "X-AVERAGE")),
    "no FRAME-RATE": ({"A-9.15"}, text("index.m3u8", "FRAME-RATE=6.250,", "")),
    "claims HDR": ({"A-9.16"}, text("index.m3u8", "FRAME-RATE=6.250", "FRAME-RATE=6.250,VIDEO-RANGE=PQ")),
}

LIVE = {
    "segments over the target": (
        {"H-04", "A-7.7"},
        both(ALL, "DURATION:2", "DURATION:1"),
    ),
    "sequence after a segment": ({"H-09"}, move("lo/index.m3u8", "#EXT-X-MEDIA-SEQUENCE", "0.m4s")),
    "discontinuity sequence after a break": (
        {"H-09", "H-72"},
        lambda stream: (
            stream.edit("lo/index.m3u8", "#EXT-X-PROGRAM", "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM"),
            move("lo/index.m3u8", "#EXT-X-DISCONTINUITY-SEQUENCE", "#EXT-X-DISCONTINUITY")(stream),
        ),
    ),
    "other init without a break": (
        {"H-10", "C-08"},
        lambda stream: (
            stream.files.__setitem__("hi/b.mp4", stream.files["hi/init.mp4"]),
            patch("hi/b.mp4", b"tkhd", 16, b"\0\0\0\7")(stream),
            stream.edit("hi/index.m3u8", THIRD, f'#EXT-X-MAP:URI="b.mp4"\n{THIRD}'),
        ),
    ),
    "peak far too high": ({"H-51", "A-1.29"}, scaled(0.5)),
    "break in one list": ({"A-8.13"}, text("lo/index.m3u8", THIRD, BREAK)),
    "other discontinuity sequence": (
        {"H-72"},
        text("lo/index.m3u8", "DISCONTINUITY-SEQUENCE:0", "DISCONTINUITY-SEQUENCE:1"),
    ),
    "group that is not there": ({"H-65", "H-52"}, text("index.m3u8", 'AUDIO="a"', 'AUDIO="b"')),
    "audio inside": ({"A-9.5", "H-52"}, text("index.m3u8", ',AUDIO="a"', "")),
    "no dates": ({"A-8.4"}, without("#EXT-X-PROGRAM")(*ALL)),
    "short window": ({"A-8.11", "A-8.12"}, both(ALL, "MEDIA-SEQUENCE:0", "MEDIA-SEQUENCE:100")),
    "break without its counter": (
        {"A-8.17"},
        lambda stream: [
            (stream.edit(path, THIRD, BREAK), without("#EXT-X-DISCONTINUITY-SEQUENCE")(path)(stream))
            for path in LISTS
        ],
    ),
}


@pytest.mark.parametrize("live", [False, True])
def test_the_right_stream_has_advice_only(shelf, live):
    stream = broadcast(live=live)
    verdict = judge(shelf.put(stream), clock=FakeClock(stream.now), decode=not live)
    assert verdict.ok
    assert {finding.rule for finding in verdict.findings} == ADVICE


@pytest.mark.parametrize("name", STATIC)
def test_a_finished_stream_with_one_fault(shelf, name):
    expected, change = STATIC[name]
    stream = broadcast(count=3)
    del stream.files["manifest.mpd"]
    change(stream)
    assert rules_of(shelf, stream) - ADVICE == expected


@pytest.mark.parametrize("name", LIVE)
def test_a_live_stream_with_one_fault(shelf, name):
    expected, change = LIVE[name]
    stream = broadcast(live=True, count=3)
    del stream.files["manifest.mpd"]
    change(stream)
    assert rules_of(shelf, stream) - ADVICE == expected
