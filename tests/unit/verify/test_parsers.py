"""Whatever a server sends, the readers return values or raise RemoteProtocolError, nothing else."""

import contextlib
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from abr.errors import RemoteProtocolError
from abr.verify.fragment import parse_segment
from abr.verify.init import Edit, parse_init
from abr.verify.instant import parse_date, parse_decimal, parse_duration, show_date
from abr.verify.manifest import Period, Representation, Template, read_manifest
from abr.verify.multivariant import read_multivariant
from abr.verify.playlist import parse_attributes, parse_span, read_media, read_text
from abr.verify.rendition import presented
from abr.verify.source import Span
from abr.verify.timeline import Listed, expand, listed
from tests.fakes.broadcast import (
    broadcast,
    fragments,
    iframe_playlist,
    manifest,
    media_playlist,
    multivariant,
)


def mutated(data: bytes):
    """The data with some bytes changed, cut or doubled."""
    edits = st.tuples(st.integers(0, len(data) - 1), st.integers(0, 3), st.binary(max_size=6))

    def apply(changes):
        body = data
        for place, size, new in changes:
            body = body[:place] + new + body[place + size :]
        return body

    return st.lists(edits, min_size=1, max_size=4).map(apply)


@given(
    st.one_of(
        st.binary(max_size=80), mutated(media_playlist(live=True)), mutated(iframe_playlist("lo", live=False))
    )
)
@example(b"#EXTM3U\n#EXTINF:1,\n#EXT-X-BYTERANGE:4\na")
def test_a_media_playlist_is_read_or_refused(body):
    with contextlib.suppress(RemoteProtocolError):
        playlist = read_media(read_text("http://a/b.m3u8", body))
        assert playlist.duration >= 0


@given(st.one_of(st.binary(max_size=80), mutated(multivariant())))
def test_a_multivariant_playlist_is_read_or_refused(body):
    with contextlib.suppress(RemoteProtocolError):
        for variant in read_multivariant(read_text("http://a/b.m3u8", body)).variants:
            assert variant.bandwidth is None or variant.bandwidth >= 0


@given(st.one_of(st.binary(max_size=80), mutated(manifest(live=True)), mutated(manifest(live=False))))
def test_a_manifest_is_read_or_refused(body):
    with contextlib.suppress(RemoteProtocolError):
        for period in read_manifest("http://a/b.mpd", body).periods:
            for item in [item for group in period.sets for item in group.representations]:
                if item.template:
                    assert len(listed(item.template, period, Fraction(10))) <= 200_000


@given(st.one_of(st.binary(max_size=80), mutated(fragments("lo")[0]), mutated(fragments("audio")[0])))
def test_an_init_is_read_or_refused(body):
    with contextlib.suppress(RemoteProtocolError):
        assert parse_init(body).tracks


@given(st.one_of(st.binary(max_size=80), mutated(fragments("lo")[1][0][:400])), st.booleans())
def test_a_segment_is_read_or_refused(body, cut):
    with contextlib.suppress(RemoteProtocolError):
        media = parse_segment(body, parse_init(fragments("lo")[0]), cut=cut)
        assert media.samples == len(media.shown) > 0
        assert media.first_shown <= max(media.keys, default=media.first_shown)


@given(st.text("0123456789PTYMDHS.:-+Z", max_size=24))
def test_dates_durations_and_numbers_are_read_or_refused(text):
    for parse in (parse_date, parse_duration, parse_decimal):
        with contextlib.suppress(RemoteProtocolError):
            parse(text)


def test_dates_are_whole_nanoseconds_whatever_their_zone():
    assert parse_date("1970-01-01T00:00:01.5Z") == 1_500_000_000
    assert parse_date("1970-01-01T02:00:00+02:00") == 0
    assert parse_date("1969-12-31T23:59:59.999999999-0000") == -1
    assert show_date(parse_date("2026-08-29T18:15:00.123Z")) == "2026-08-29T18:15:00.123Z"


def test_durations_are_exact():
    assert parse_duration("PT1.92S") == Fraction(192, 100)
    assert parse_duration("P1DT2H3M4S") == 93_784
    assert parse_duration("-PT0.5S") == Fraction(-1, 2)
    for text in ("", "P", "PT", "1S", "PT1", "P1S"):
        with pytest.raises(RemoteProtocolError):
            parse_duration(text)


def test_attribute_lists_keep_commas_in_quotes_and_refuse_doubles():
    assert parse_attributes('A=1,B="x,y=z",C=YES') == {"A": "1", "B": "x,y=z", "C": "YES"}
    for text in ("a=1", "A", "A=1,A=2", '"'):
        with pytest.raises(RemoteProtocolError):
            parse_attributes(text)


def test_byte_ranges_follow_each_other():
    assert parse_span("10@5", None) == Span(5, 10)
    assert parse_span("10", 15) == Span(15, 10)
    for text in ("10", "0@0", "x@1", "1@", ""):
        with pytest.raises(RemoteProtocolError):
            parse_span(text, None)


def _template(stretches=(), **attributes):
    return Template({name: str(value) for name, value in attributes.items()}, stretches)


def _period(end):
    return Period({}, Fraction(0), end, ())


def test_a_template_with_duration_lists_what_is_over():
    template = _template(timescale=10, duration=20, startNumber=5, presentationTimeOffset=100)
    assert listed(template, _period(None), Fraction(5)) == [Listed(5, 100, 20), Listed(6, 120, 20)]
    assert len(listed(template, _period(Fraction(5)), None)) == 3


def test_an_open_repeat_fills_the_period():
    body = manifest(live=False).replace(b'r="3"', b'r="-1"')
    period = read_manifest("http://a/b.mpd", body).periods[0]
    template = period.sets[0].representations[0].template
    assert [item.time for item in listed(template, period, None)] == [0, 172_800, 345_600, 518_400]


def test_a_timeline_without_end_is_refused():
    body = manifest(live=False).replace(b'r="3"', b'r="999999999"')
    period = read_manifest("http://a/b.mpd", body).periods[0]
    with pytest.raises(RemoteProtocolError, match="more than 200000 segments"):
        listed(period.sets[0].representations[0].template, period, None)


def test_templates_know_their_identifiers():
    item = Representation("v1", "http://a/live/x.mpd", {"bandwidth": "7"}, None)
    address = expand("$RepresentationID$/$Bandwidth$-$Number%05d$-$Time$-$$.m4s", item, Listed(3, 9, 1))
    assert address == "http://a/live/v1/7-00003-9-$.m4s"
    for pattern, segment in (("$Nummer$", Listed(1, 1, 1)), ("$Number$", None), ("$Time", Listed(1, 1, 1))):
        with pytest.raises(RemoteProtocolError):
            expand(pattern, item, segment)


def test_an_edit_list_shifts_and_trims_what_is_presented():
    init, segments = fragments("audio")
    track, media = parse_init(init).track, parse_segment(segments[0], parse_init(init))
    assert presented(track, media) == (0, Fraction(192, 100))
    primed = replace(track, edits=(Edit(0, 1024),))
    assert presented(primed, media) == (0, Fraction(92_160 - 1024, 48_000))
    later = replace(track, edits=(Edit(500, -1), Edit(0, 0)), movie_scale=1000)
    assert presented(later, media) == (Fraction(1, 2), Fraction(192, 100))


def test_the_right_stream_is_what_its_fragments_say():
    init, segments = fragments("audio")
    media = parse_segment(segments[1], parse_init(init))
    assert (media.start, media.duration, media.samples) == (92_160, 92_160, 90)
    assert media.size == len(segments[1])
    assert set(broadcast().files) > {"index.m3u8", "manifest.mpd", "hi/0.m4s"}
