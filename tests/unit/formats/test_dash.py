"""DASH manifests as text: exact attributes, in the order of the schema."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from abr.formats.dash import (
    AdaptationSet,
    Descriptor,
    Dynamic,
    Manifest,
    Period,
    Representation,
    SegmentList,
    SegmentTemplate,
    duration_text,
    instant_text,
    write_manifest,
    write_s,
)
from abr.model.media import Kind

TEMPLATE = SegmentTemplate(
    48_000, 96, "$RepresentationID$/init.mp4", "$Number$.m4s", 5, [write_s(92_160, 3, 96)]
)
SOUND = Representation("audio", 140_800, "mp4a.40.2", audio_sampling_rate=48_000)


def manifest_of(adaptation_set: AdaptationSet, **fields) -> str:
    period = Period("p", Fraction(10), (adaptation_set,), Fraction(288, 50))
    return write_manifest(Manifest((period,), Fraction(2), Fraction(2), **fields))


def test_a_sound_with_all_it_can_say():
    adaptation_set = AdaptationSet(
        id=2,
        kind=Kind.AUDIO,
        representations=(SOUND,),
        role="alternate",
        lang="de",
        label="Deutsch & <mehr>",
        channel_configuration=2,
        supplemental=(Descriptor("urn:x", 'a "b"'),),
        segments=TEMPLATE,
    )
    assert manifest_of(adaptation_set, media_presentation_duration=Fraction(10)).splitlines() == [
        '<?xml version="1.0" encoding="UTF-8"?>',
        (
            '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" '
            'mediaPresentationDuration="PT10S" minBufferTime="PT2S" maxSegmentDuration="PT2S">'
        ),
        '  <Period id="p" start="PT10S" duration="PT5.76S">',
        (
            '    <AdaptationSet id="2" contentType="audio" mimeType="audio/mp4" lang="de" segmentAlignment="true" '
            'startWithSAP="1">'
        ),
        '      <AudioChannelConfiguration schemeIdUri="urn:mpeg:mpegB:cicp:ChannelConfiguration" value="2"/>',
        '      <SupplementalProperty schemeIdUri="urn:x" value="a &quot;b&quot;"/>',
        "      <Label>Deutsch &amp; &lt;mehr&gt;</Label>",
        '      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="alternate"/>',
        (
            '      <SegmentTemplate timescale="48000" presentationTimeOffset="96" '
            'initialization="$RepresentationID$/init.mp4" media="$Number$.m4s" startNumber="5">'
        ),
        "        <SegmentTimeline>",
        '          <S t="96" d="92160" r="2"/>',
        "        </SegmentTimeline>",
        "      </SegmentTemplate>",
        '      <Representation id="audio" bandwidth="140800" codecs="mp4a.40.2" audioSamplingRate="48000"/>',
        "    </AdaptationSet>",
        "  </Period>",
        "</MPD>",
    ]


def test_a_picture_set_states_its_true_maxima():
    rungs = (
        Representation("a", 3, "avc1.64001f", 1280, 720, Fraction(30000, 1001)),
        Representation("b", 2, "avc1.64001f", 1920, 800, Fraction(24)),
    )
    tree = etree.fromstring(manifest_of(AdaptationSet(1, Kind.VIDEO, rungs, par="16:9")).encode())
    found = tree.find(".//{*}AdaptationSet").attrib
    assert (found["maxWidth"], found["maxHeight"], found["maxFrameRate"]) == ("1920", "800", "30000/1001")
    assert [one.get("frameRate") for one in tree.iterfind(".//{*}Representation")] == ["30000/1001", "24"]


def test_a_running_event_says_how_to_follow_it():
    live = Dynamic(
        Fraction(48, 25),
        Fraction(300),
        Fraction(219, 25),
        Descriptor("urn:mpeg:dash:utc:http-head:2014", "m.mpd"),
    )
    text = manifest_of(
        AdaptationSet(1, Kind.AUDIO, (SOUND,)), dynamic=live, publish_time=1_788_027_300_123_999_999
    )
    tree = etree.fromstring(text.encode())
    assert dict(tree.attrib) == {
        "profiles": "urn:mpeg:dash:profile:isoff-live:2011",
        "type": "dynamic",
        "availabilityStartTime": "1970-01-01T00:00:00Z",
        "publishTime": "2026-08-29T18:15:00.123Z",
        "minimumUpdatePeriod": "PT1.92S",
        "timeShiftBufferDepth": "PT300S",
        "suggestedPresentationDelay": "PT8.76S",
        "minBufferTime": "PT2S",
        "maxSegmentDuration": "PT2S",
    }
    assert tree[-1].tag == "{urn:mpeg:dash:schema:mpd:2011}UTCTiming"


def test_a_segment_list_names_each_segment():
    listed = SegmentList(90_000, 0, "s/init.mp4", ["s/1.m4s", "s/4.m4s"], [write_s(9, 1, 0), write_s(7, 1)])
    member = Representation("copy", 5, "avc1.64001f", segments=listed)
    tree = etree.fromstring(manifest_of(AdaptationSet(1, Kind.VIDEO, (member,))).encode())
    found = tree.find(".//{*}Representation/{*}SegmentList")
    assert [etree.QName(child).localname for child in found] == [
        "Initialization",
        "SegmentTimeline",
        "SegmentURL",
        "SegmentURL",
    ]
    assert [one.get("media") for one in found.iterfind("{*}SegmentURL")] == ["s/1.m4s", "s/4.m4s"]


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (Fraction(0), "PT0S"),
        (Fraction(300), "PT300S"),
        (Fraction(48, 25), "PT1.92S"),
        (Fraction(32, 15), "PT2.133333333S"),
        (Fraction(1_788_027_300) + Fraction(24, 25), "PT1788027300.96S"),
    ],
)
def test_durations_are_plain_seconds(duration, text):
    assert duration_text(duration) == text


@given(st.fractions(0, 2**33, max_denominator=90_000))
def test_a_duration_is_exact_to_the_nanosecond(duration):
    shown = Fraction(duration_text(duration)[2:-1])
    assert abs(shown - duration) <= Fraction(1, 2 * 10**9)


@given(st.integers(0, 4 * 10**18))
def test_an_instant_is_never_later_than_it_was(nanoseconds):
    assert instant_text(nanoseconds) <= instant_text(nanoseconds + 1)
    assert instant_text(nanoseconds + 1_000_000) > instant_text(nanoseconds)


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_any_label_survives(label):
    adaptation_set = AdaptationSet(1, Kind.AUDIO, (SOUND,), label=label)
    text = manifest_of(adaptation_set)
    assert etree.fromstring(text.encode()).find(".//{*}Label").text == label
