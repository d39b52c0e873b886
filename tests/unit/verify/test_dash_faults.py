"""Each DASH rule bites: a right manifest is broken in one place, and exactly that rule is found."""

import re

import pytest

from abr.verify.judge import judge
from tests.fakes.broadcast import EPOCH, Broadcast, Shelf, broadcast, not_idr, shift
from tests.fakes.clock import FakeClock

MPD = "manifest.mpd"
TIMELINE = re.compile(r"<SegmentTimeline>.*?</SegmentTimeline>")
PERIOD = re.compile(r"<Period .*?</Period>", re.DOTALL)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return Shelf(tmp_path_factory.mktemp("stream"))


def text(old, new, count=1):
    return lambda stream: stream.edit(MPD, old, new, count)


def pattern(expression, replacement, count=1):
    def change(stream):
        before = stream.files[MPD].decode()
        after = re.sub(expression, replacement, before, count=count)
        assert after != before
        stream.files[MPD] = after.encode()

    return change


def attribute(name, count=1):
    """Take an attribute away."""
    return pattern(f' {name}="[^"]*"', "", count)


def element(name):
    return pattern(f"<{name}[^>]*/>", "")


def drop(path):
    return lambda stream: stream.files.pop(path)


def late(first, name="lo"):
    def change(stream):
        for index in range(first, stream.count):
            stream.files[f"{name}/{index}.m4s"] = shift(stream.files[f"{name}/{index}.m4s"], 54_000)

    return change


def second_period(identity, start, extra=""):
    """The Period once more, after itself, with the same segments a Period later."""

    def change(stream):
        body = stream.files[MPD].decode()
        period = PERIOD.search(body)[0]
        copy = period.replace('id="one"', f'id="{identity}"').replace('start="PT0S"', f'start="PT{start}S"')
        copy = re.sub(r"(<AdaptationSet [^>]*>\n?(<AudioChannel[^>]*/>)?)", rf"\1{extra}", copy)
        total = 'mediaPresentationDuration="PT7.68S"'
        body = body.replace(period, period + copy).replace('mediaPresentationDuration="PT3.84S"', total)
        stream.files[MPD] = body.encode()

    return change


CONNECTED = '<SupplementalProperty schemeIdUri="urn:mpeg:dash:period-connectivity:2015" value="one"/>'

STATIC = {
    "not XML": ({"D-01"}, text("</MPD>", "")),
    "document type": ({"D-01"}, text("<MPD", '<!DOCTYPE MPD [<!ENTITY a "b">]><MPD')),
    "not an MPD": ({"D-01"}, text("mpd:2011", "mpd:1999")),
    "unknown element": ({"D-01"}, text("</Period>", "<Advert/></Period>")),
    "wrong order": ({"D-01"}, text("</Period>", "</Period><BaseURL>./</BaseURL>")),
    "unusable S": ({"D-01"}, pattern(r' d="\d+"', ' d="x"')),
    "no profiles": ({"D-02"}, attribute("profiles")),
    "no minBufferTime": ({"D-03", "D-60"}, attribute("minBufferTime")),
    "months": ({"D-06"}, text('minBufferTime="PT2S"', 'minBufferTime="P0M0DT2S"')),
    "Period id twice": ({"D-07", "D-90"}, second_period("one", 3.84)),
    "Representation id twice": ({"D-08", "D-53"}, text('id="hi"', 'id="lo"')),
    "empty Period": (
        {"D-09", "D-90"},
        lambda stream: (
            second_period("two", 3.84)(stream),
            stream.edit(MPD, 'id="one" start="PT0S"', 'id="one" start="PT0S" duration="PT0S"'),
        ),
    ),
    "no end": ({"D-20"}, attribute("mediaPresentationDuration")),
    "update period": ({"D-21"}, text('type="static"', 'type="static" minimumUpdatePeriod="PT2S"')),
    "late start": (
        {"D-22"},
        lambda stream: stream.edit(MPD, 'start="PT0S"', 'start="PT1S"').edit(MPD, "PT3.84S", "PT4.84S"),
    ),
    "no alignment": ({"D-30"}, attribute("segmentAlignment")),
    "no set id": ({"D-31"}, text('<AdaptationSet id="1"', "<AdaptationSet")),
    "no lang": ({"D-32"}, attribute("lang")),
    "no channels": ({"D-33"}, element("AudioChannelConfiguration")),
    "no Role": ({"D-34"}, element("Role")),
    "wrong maximum": ({"D-35"}, text('maxWidth="128"', 'maxWidth="1920"')),
    "no codecs": ({"D-36"}, attribute("codecs")),
    "timescale 1": ({"D-37", "D-42", "D-52", "D-57", "D-58", "D-61", "D-95"}, attribute("timescale")),
    "unknown identifier": ({"D-38"}, text("$Number$", "$Nummer$")),
    "init with a number": ({"D-38"}, text("$/init", "$$Number$/init")),
    "duration and timeline": ({"D-39"}, text('startNumber="0"', 'startNumber="0" duration="172800"')),
    "neither": ({"D-39"}, pattern(TIMELINE, "")),
    "hole": (
        {"D-40", "D-57", "D-58"},
        pattern(r'(<S t="0" d="172800" r=)"1"', r'\1"0"/><S t="172801" d="172799" r="0"'),
    ),
    "odd attribute": ({"D-40"}, text('<S t="0"', '<S n="7" t="0"')),
    "long segment": ({"D-42"}, text('maxSegmentDuration="PT1.92S"', 'maxSegmentDuration="PT1.9S"')),
    "missing init": ({"D-50"}, drop("hi/init.mp4")),
    "wrong codecs": ({"D-51"}, text('codecs="avc1.', 'codecs="avc1.7')),
    "wrong size": ({"D-53"}, text(' width="64"', ' width="62"')),
    "wrong rate": ({"D-54"}, text('Rate="48000"', 'Rate="44100"')),
    "missing segment": ({"D-56"}, drop("hi/1.m4s")),
    "tfdt late from segment 1": ({"C-02", "D-57", "C-10"}, late(1)),
    "one rung late": ({"D-57", "C-10", "D-62"}, late(0)),
    "no access point": (
        {"D-59"},
        lambda stream: stream.files.__setitem__("hi/1.m4s", not_idr(stream.files["hi/1.m4s"])),
    ),
    "times beyond a double": ({"D-41", "D-57"}, text('t="0" d="172800"', 't="9007199254740992" d="172800"')),
    "wrong length": ({"D-58", "D-57"}, text('d="172800"', 'd="172000"')),
    "low bandwidth": ({"D-60", "D-61"}, pattern(r'(id="hi" bandwidth=)"\d+"', r'\1"1000"')),
    "high bandwidth": ({"D-61"}, pattern(r'(id="hi" bandwidth=)"(\d+)"', r'\1"9\g<2>"')),
    "too short": (
        {"D-62"},
        lambda stream: stream.edit(MPD, 'PT3.84S"\n', 'PT13S"\n'),
    ),
    "unconnected Period": ({"D-90"}, second_period("two", 3.84)),
    "long segments for HbbTV": (
        {"D-95", "D-42", "D-57", "D-58", "D-61"},
        text('<S t="0" d="172800"', '<S t="0" d="1728000"'),
    ),
}

LIVE = {
    "no availabilityStartTime": ({"D-10"}, attribute("availabilityStartTime")),
    "no publishTime": ({"D-11"}, attribute("publishTime")),
    "no Period id": ({"D-12"}, text('<Period id="one"', "<Period")),
    "no update period": ({"D-13"}, attribute("minimumUpdatePeriod")),
    "no clock": ({"D-14"}, element("UTCTiming")),
    "delay over the buffer": ({"D-17"}, text('Delay="PT6S"', 'Delay="PT8S"')),
    "delay of one segment": ({"D-18"}, text('Delay="PT6S"', 'Delay="PT1.92S"')),
    "hasty updates": ({"D-19"}, text('Period="PT1.92S"', 'Period="PT0.5S"')),
    "published tomorrow": ({"D-74"}, text('publishTime="2026-01-01', 'publishTime="2026-01-02')),
    "old segments": ({"D-82"}, text('Depth="PT7.68S" suggestedPresentationDelay="PT6S"', 'Depth="PT0.5S"')),
    "stale": ({"D-86", "D-82"}, text('"1970-01-01T00:00:00Z"', '"1969-12-31T23:59:00Z"')),
    "early": ({"D-87"}, text('"1970-01-01T00:00:00Z"', '"1970-01-01T00:00:10Z"')),
}


def rules_of(shelf, stream: Broadcast) -> set[str]:
    for path in [path for path in stream.files if path.endswith(".m3u8")]:
        del stream.files[path]
    verdict = judge(shelf.put(stream), clock=FakeClock(stream.now))
    return {finding.rule for finding in verdict.findings}


@pytest.mark.parametrize("live", [False, True])
def test_nothing_is_said_of_a_right_manifest(shelf, live):
    assert rules_of(shelf, broadcast(live=live)) == set()


def test_a_connected_period_is_right(shelf):
    stream = broadcast(count=2)
    second_period("two", 3.84, CONNECTED)(stream)
    assert rules_of(shelf, stream) == set()


@pytest.mark.parametrize("name", STATIC)
def test_a_static_manifest_with_one_fault(shelf, name):
    expected, change = STATIC[name]
    stream = broadcast(count=2)
    change(stream)
    assert rules_of(shelf, stream) == expected


@pytest.mark.parametrize("name", LIVE)
def test_a_dynamic_manifest_with_one_fault(shelf, name):
    expected, change = LIVE[name]
    stream = broadcast(live=True)
    change(stream)
    assert rules_of(shelf, stream) == expected


def both_of(shelf, stream: Broadcast) -> set[str]:
    verdict = judge(shelf.put(stream), clock=FakeClock(stream.now))
    return {finding.rule for finding in verdict.findings if finding.rule.startswith("D-")}


def test_hls_and_dash_agree(shelf):
    assert both_of(shelf, broadcast(live=True)) == set()


def test_a_manifest_a_second_off_the_dates_of_hls_is_found(shelf):
    stream = broadcast(live=True)
    stream.edit(MPD, "1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z")
    assert both_of(shelf, stream) == {"D-91"}


def test_a_discontinuity_without_a_period_is_found(shelf):
    stream = broadcast(live=True)
    for name in ("hi", "lo", "audio"):
        line = "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:03.840Z"
        stream.edit(f"{name}/index.m3u8", line, f"#EXT-X-DISCONTINUITY\n{line}")
    assert both_of(shelf, stream) == {"D-91"}


def test_an_ended_live_manifest_keeps_its_start(shelf):
    stream = broadcast(live=True)
    stream.edit(MPD, "dynamic", "static").edit(MPD, ' minimumUpdatePeriod="PT1.92S"', "")
    stream.edit(MPD, ' timeShiftBufferDepth="PT7.68S"', f' mediaPresentationDuration="PT{EPOCH + 7.68}S"')
    stream.edit(MPD, '<Period id="one"', '<Period id="one" duration="PT7.68S"')
    assert rules_of(shelf, stream) == set()
