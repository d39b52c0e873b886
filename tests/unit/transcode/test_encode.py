"""Rung encoders: closed groups that start where asked, exact times, honest delays, failures in one sentence."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from abr.errors import ConfigError, EncoderMissing, MediaError
from abr.formats.nal import is_idr, unit_types
from abr.formats.obu import obu_types
from abr.model.ladder import VideoTarget
from abr.transcode.video import VideoEncoder

SLOT = 3_600
START = 1_760_000_000 * 90_000
"""A live start: ticks since 1970."""
KEYS = 12

X264 = {"forced-idr": "1", "sc_threshold": "0"}
X265 = {
    "forced-idr": "1",
    "x265-params": "open-gop=0:scenecut=0:repeat-headers=0:info=0:log-level=none:pools=1",
}
SVT = {"svtav1-params": "lookahead=0:hierarchical-levels=3:scd=0:lp=1"}


def target(codec="libx264", **changes):
    options = {"libx264": X264, "libx265": X265, "libsvtav1": SVT}.get(codec, {})
    values = {
        "name": "small", "width": 128, "height": 72, "rate": Fraction(25), "timescale": 90_000, "codec": codec,
        "bitrate": 200_000, "maxrate": 220_000, "bufsize": 220_000, "key_frames": KEYS, "preset": "ultrafast",
        "options": options,
    }  # fmt: skip
    if codec == "libsvtav1":
        values |= {"preset": "10", "crf": Fraction(40)}
    return VideoTarget(**{**values, **changes})


def pictures(count, size=(128, 72)):
    """Moving noise: encoders use all their B-frames on it."""
    width, height = size
    noise = np.random.default_rng(7).integers(60, 180, (height * 3 // 2, width), np.uint8)
    for index in range(count):
        yield av.VideoFrame.from_ndarray(np.ascontiguousarray(np.roll(noise, index, 1)), "yuv420p")


def encoded(encoder, count=3 * KEYS, keys=KEYS):
    packets = []
    for index, frame in enumerate(pictures(count)):
        frame.pict_type = 1  # a decoder's type, which must not count
        packets += encoder.encode(frame, START + index * SLOT, SLOT, key=index % keys == 0)
    return packets + encoder.flush()


def groups(packets):
    found = []
    for packet in packets:
        if packet.key:
            found.append([])
        found[-1].append(packet)
    return found


VARIANTS = [
    ("libx264", {}),
    ("libx264", {"preset": "veryfast"}),
    ("libx265", {}),
    ("libsvtav1", {}),
    *(
        pytest.param(variant, marks=pytest.mark.thorough)
        for variant in (
            ("libx264", {"preset": "veryfast", "options": {**X264, "x264-params": "b-pyramid=none"}}),
            ("libx264", {"preset": "veryfast", "threads": 2}),
            ("libx264", {"options": {**X264, "tune": "zerolatency"}}),
            ("libx264", {"crf": Fraction(51, 2), "level": "3.0", "profile": "main"}),
        )
    ),
]


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda variant: f"{variant[0]} {len(variant[1])}")
def run(request):
    """An encoder's own words and its packets for three groups of pictures."""
    codec, changes = request.param
    encoder = VideoEncoder(target(codec, **changes))
    return encoder.encoding, encoded(encoder)


def test_segments_start_with_a_key_frame_shown_first_and_no_picture_is_lost(run):
    _, packets = run
    assert [group[0].pts for group in groups(packets)] == [START + index * KEYS * SLOT for index in range(3)]
    for number, group in enumerate(groups(packets)):
        assert sorted(packet.pts for packet in group) == [
            START + (number * KEYS + index) * SLOT for index in range(KEYS)
        ]
    assert {packet.duration for packet in packets} == {SLOT}


def test_the_delay_keeps_every_decode_time_before_its_picture_and_is_no_longer_than_that(run):
    encoding, packets = run
    shown = sorted(packet.pts for packet in packets)
    offsets = [packet.pts - decode for packet, decode in zip(packets, shown, strict=True)]
    assert min(offsets) == -encoding.delay


@pytest.mark.parametrize(
    ("codec", "changes", "delay", "held"),
    [
        ("libx264", {}, 0, 1),
        ("libx264", {"options": {**X264, "tune": "zerolatency"}}, 0, 0),
        ("libx264", {"preset": "veryfast"}, 2, 11),
        ("libx264", {"preset": "veryfast", "options": {**X264, "x264-params": "b-pyramid=none"}}, 1, 11),
        ("libx264", {"preset": "veryfast", "options": {**X264, "x264-params": "bframes=0"}}, 0, 11),
        ("libx264", {"preset": "veryfast", "options": {**X264, "rc-lookahead": "20"}}, 2, 21),
        ("libx265", {}, 2, 11),
    ],
)
def test_delay_and_held_are_what_the_encoder_does(codec, changes, delay, held):
    encoder = VideoEncoder(target(codec, **changes))
    assert (encoder.encoding.delay, encoder.encoding.held) == (delay * SLOT, held * SLOT)
    assert first_out(encoder) == held


def test_an_encoder_with_threads_of_its_own_holds_what_it_must_and_little_more():
    """SVT-AV1 gives a packet when its threads have come to it, which is a picture or two later where they wait."""
    least, most = 17, 21
    encoder = VideoEncoder(target("libsvtav1"))
    assert encoder.encoding.delay == 0
    assert least * SLOT <= encoder.encoding.held <= most * SLOT
    assert least <= first_out(encoder) <= most


def first_out(encoder):
    """How many pictures go in before the one that brings the first packet."""
    return next(
        index
        for index, frame in enumerate(pictures(100))
        if encoder.encode(frame, index * SLOT, SLOT, key=index % KEYS == 0)
    )


@pytest.mark.parametrize(("codec", "family"), [("libx264", "h264"), ("libx265", "hevc")])
def test_samples_are_length_prefixed_units_and_parameter_sets_stand_in_the_header_alone(codec, family):
    encoder = VideoEncoder(target(codec))
    for packet in encoded(encoder):
        assert is_idr(family, packet.data) == packet.key
        assert not {7, 8, 9} & set(unit_types(family, packet.data)) or family == "hevc"
        assert not {32, 33, 34, 35} & set(unit_types(family, packet.data))


def test_av1_samples_have_no_temporal_delimiter():
    packets = encoded(VideoEncoder(target("libsvtav1")))
    assert all(2 not in obu_types(packet.data) for packet in packets)
    assert [1 in obu_types(packet.data) for packet in packets] == [packet.key for packet in packets]


@pytest.mark.parametrize(
    ("codec", "entry", "record"),
    [("libx264", b"avc1", b"avcC"), ("libx265", b"hvc1", b"hvcC"), ("libsvtav1", b"av01", b"av1C")],
)
def test_the_header_names_the_codec_the_colour_and_square_pixels(codec, entry, record):
    header = VideoEncoder(target(codec)).encoding.header
    assert header[4:8] == b"ftyp"
    for box in (b"moov", entry, record, b"colrnclx\0\1\0\1\0\1\0", b"pasp\0\0\0\1\0\0\0\1"):
        assert box in header
    assert b"elst" not in header


def test_a_segment_decodes_alone():
    """Header and one middle group are a whole film."""
    encoder = VideoEncoder(target(preset="veryfast"))
    group = groups(encoded(encoder))[1]
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = _record(encoder.encoding.header)
    frames = []
    for packet in group:
        frames += decoder.decode(av.Packet(packet.data))
    assert len(frames + decoder.decode(None)) == KEYS


def test_the_first_picture_is_a_key_frame_whoever_says_otherwise():
    encoder = VideoEncoder(target())
    packets = encoder.encode(next(pictures(1)), START, SLOT, key=False) + encoder.flush()
    assert [(packet.pts, packet.key) for packet in packets] == [(START, True)]


@pytest.mark.parametrize(
    "codec",
    ["libx264", *(pytest.param(codec, marks=pytest.mark.thorough) for codec in ("libx265", "libsvtav1"))],
)
def test_key_frames_come_as_close_as_asked(codec):
    packets = encoded(VideoEncoder(target(codec)), count=16, keys=4)
    assert [packet.pts for packet in packets if packet.key] == [
        START + index * 4 * SLOT for index in range(4)
    ]
    assert len(packets) == 16


def test_a_film_keeps_its_own_times():
    encoder = VideoEncoder(target(preset="veryfast"), steady=False)
    lengths = [3_600, 3_690, 1_000, 9_000, 3_511, 3_600, 90_000, 1_500]
    packets, pts = [], 180_000
    for frame, length in zip(pictures(8), lengths, strict=True):
        packets += encoder.encode(frame, pts, length, key=False)
        pts += length
    packets += encoder.flush()
    ordered = sorted(packets)
    assert [packet.duration for packet in ordered] == lengths
    assert [packet.pts for packet in ordered] == [180_000 + sum(lengths[:index]) for index in range(8)]


def test_a_steady_picture_beside_its_slot_is_refused():
    encoder = VideoEncoder(target())
    first, second = pictures(2)
    encoder.encode(first, START, SLOT, key=True)
    with pytest.raises(MediaError, match=r"rung small: libx264 got a picture at .*, which is no slot of 25"):
        encoder.encode(second, START + SLOT + 1, SLOT, key=False)


def test_an_encoder_that_got_nothing_gives_nothing():
    assert VideoEncoder(target()).flush() == []


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"codec": "libfoo264"}, EncoderMissing, "rung small: this FFmpeg has no encoder 'libfoo264'"),
        ({"codec": "aac"}, MediaError, "rung small: aac refuses its settings"),
        ({"options": {"tunee": "film"}}, ConfigError, r"video.small.options.tunee: .*did you mean 'tune'"),
        (
            {"options": {"x264-params": "foo=1"}},
            ConfigError,
            r"video.small.options: .*Error parsing option 'foo",
        ),
        ({"options": {"tune": "nonsense"}}, MediaError, "Error setting preset/tune ultrafast/nonsense"),
        ({"width": 0}, MediaError, "rung small: libx264 refuses its settings: Picture size"),
    ],
)
def test_a_wrong_setting_is_named(changes, error, sentence, capfd):
    with pytest.raises(error, match=sentence):
        VideoEncoder(target(**changes))


@pytest.mark.parametrize("codec", ["h264_nvenc", "h264_qsv", "hevc_amf"])
def test_missing_hardware_is_a_missing_encoder(codec):
    if codec not in av.codecs_available or Path("/dev/dri").exists() or Path("/dev/nvidia0").exists():
        pytest.skip("not in this FFmpeg, or the hardware is here")
    with pytest.raises(EncoderMissing, match=f"rung small: {codec} does not open on this machine"):
        VideoEncoder(target(codec, width=640, height=360, options={}, preset=""))


def test_opening_leaves_ffmpegs_log_as_it_was():
    before = av.logging.get_level(), av.logging.get_skip_repeated()
    with pytest.raises(ConfigError):
        VideoEncoder(target(options={"nonsense": "1"}))
    VideoEncoder(target())
    assert (av.logging.get_level(), av.logging.get_skip_repeated()) == before


def _record(header):
    """The body of the avcC box."""
    place = header.index(b"avcC")
    return header[place + 4 : place - 4 + int.from_bytes(header[place - 4 : place])]
