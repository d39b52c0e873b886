import struct
from dataclasses import replace
from fractions import Fraction

import pytest

from abr.errors import MediaError, RemoteProtocolError
from abr.formats.box import make_box, need_box, walk
from abr.formats.isobmff import read_brands
from abr.model.ladder import AudioTarget, VideoTarget
from abr.model.media import Encoding, Kind, Track
from abr.package.header import make_init, rendition_of, rendition_of_copy
from abr.package.moov import write_header
from tests.fakes.boxdump import dump
from tests.fakes.encoded import aac, encode_video, h264, hevc

D = Fraction(48, 25)
RUNG = VideoTarget("360p", 640, 360, Fraction(25), 90_000, "libx264", 800_000, 1_000_000, 960_000)


def brands(init: bytes) -> tuple[str, ...]:
    return read_brands(init, need_box(init, "ftyp"))


def written(
    codec: str, config: str, width: int = 640, height: int = 360, aspect: Fraction = Fraction(1)
) -> bytes:
    track = Track(0, Kind.VIDEO, codec, Fraction(1, 90_000), b"", width, height, aspect)
    return make_init(Encoding("v", Kind.VIDEO, 90_000, write_header(track, 90_000, bytes.fromhex(config))))


def hvc1_of(arrays: bytes) -> bytes:
    """An init made of a hev1 header with these arrays of parameter sets."""
    record = bytes.fromhex("0101600000009000000000001ef000fcfdf8f800000f") + arrays
    track = Track(0, Kind.VIDEO, "hevc", Fraction(1, 90_000), b"", 64, 48)
    header = write_header(track, 90_000, record).replace(b"hvc1", b"hev1")
    return make_init(Encoding("v", Kind.VIDEO, 90_000, header))


def grow(header: bytes, old: bytes, new: bytes) -> bytes:
    """Replace some bytes and correct the sizes of all boxes around them."""
    place = header.index(old)
    data = bytearray(header[:place] + new + header[place + len(old) :])
    for _, box in walk(header):
        if box.start < place and box.end >= place + len(old):
            data[box.start : box.start + 4] = (box.size + len(new) - len(old)).to_bytes(4)
    return bytes(data)


@pytest.mark.parametrize("encode", [h264, hevc, aac])
def test_an_init_is_as_reviewed(encode, golden):
    encoding, _ = encode()
    golden(f"init-{encode.__name__}.boxes.txt", dump(make_init(encoding), sizes=False))


@pytest.mark.usefixtures("_quiet_svt")
def test_an_av1_init_is_as_reviewed(golden):
    encoding, packets = encode_video("libsvtav1", {"preset": "12"}, [180_000], frozenset((0,)))
    golden("init-av1.boxes.txt", dump(make_init(encoding), sizes=False))
    assert packets[0].data[0] >> 3 == 1, "the sequence header stands first, no temporal delimiter"


@pytest.fixture
def _quiet_svt(monkeypatch):
    monkeypatch.setenv("SVT_LOG", "1")


def test_what_libavformat_adds_is_gone_and_the_rest_stays():
    encoding, _ = h264()
    before = [box.kind for _, box in walk(encoding.header)]
    after = [box.kind for _, box in walk(make_init(encoding))]
    assert before[-4:] == ["udta", "meta", "hdlr", "ilst"]
    assert after == before[:-4]


def test_an_init_of_an_init_is_itself():
    encoding, _ = h264()
    init = make_init(encoding)
    assert make_init(replace(encoding, header=init)) == init


def test_durations_and_edit_lists_are_taken_out():
    header = bytearray(h264()[0].header)
    for path, place in (("moov/mvhd", 16), ("moov/trak/tkhd", 20), ("moov/trak/mdia/mdhd", 16)):
        at = need_box(bytes(header), path).body + place
        header[at : at + 4] = b"\0\0\x12\x34"
    at = need_box(bytes(header), "moov/trak/tkhd").body + 12
    header[at : at + 4] = b"\0\0\0\7"
    tkhd = need_box(bytes(header), "moov/trak/tkhd")
    edited = bytes(header[tkhd.start : tkhd.end]) + make_box("edts", make_box("elst", bytes(8)))
    changed = grow(bytes(header), bytes(header[tkhd.start : tkhd.end]), edited)
    assert make_init(replace(h264()[0], header=changed)) == make_init(h264()[0])


def test_movie_extends_are_added_where_they_are_missing():
    encoding, _ = h264()
    header = encoding.header.replace(b"mvex", b"free")
    assert make_init(replace(encoding, header=header)) == make_init(encoding)


@pytest.mark.parametrize(
    ("config", "width", "height", "brand"),
    [
        ("0164001fff", 640, 360, "cfsd"),
        ("014d401fff", 864, 576, "cfsd"),
        ("0142c01fff", 640, 360, "cfsd"),
        ("0164001fff", 1280, 720, "cfhd"),
        ("01640028ff", 1920, 1080, "cfhd"),
        ("0164002aff", 1920, 1080, None),
        ("01640033ff", 3840, 2160, None),
        ("0142001eff", 640, 360, None),
        ("016e001fff", 640, 360, None),
    ],
)
def test_a_media_profile_is_named_where_its_limits_hold(config, width, height, brand):
    assert brands(written("h264", config, width, height))[3:] == ((brand,) if brand else ())


def test_colours_beyond_the_profile_have_no_brand():
    init = written("h264", "0164001fff")
    colr = make_box("colr", b"nclx", struct.pack(">HHHB", 9, 16, 9, 0))
    avcc = make_box("avcC", bytes.fromhex("0164001fff"))
    grown = grow(init, avcc, avcc + colr)
    assert brands(make_init(Encoding("v", Kind.VIDEO, 90_000, grown)))[3:] == ()


def test_hev1_becomes_hvc1_when_the_header_has_all_parameter_sets():
    arrays = b"\3" + b"".join(bytes((kind, 0, 1, 0, 2, kind << 1, 1)) for kind in (32, 33, 34))
    init = hvc1_of(arrays)
    assert b"hvc1" in init
    assert b"hev1" not in init
    record = init[init.index(b"hvcC") + 4 :]
    assert [record[at] for at in (23, 30, 37)] == [0x80 | 32, 0x80 | 33, 0x80 | 34]


def test_hev1_stays_where_parameter_sets_come_with_the_frames():
    init = hvc1_of(b"\1" + bytes((33, 0, 1, 0, 2, 66, 1)))
    assert b"hev1" in init


def test_another_timescale_is_refused():
    with pytest.raises(
        MediaError, match="rendition video: the header counts in 1/90000 s, the packets in 1/1000 s"
    ):
        make_init(replace(h264()[0], timescale=1000))


def test_a_header_with_samples_is_refused():
    encoding, _ = h264()
    header = bytearray(encoding.header)
    box = need_box(encoding.header, "moov/trak/mdia/minf/stbl/stts")
    header[box.body + 7] = 1
    with pytest.raises(MediaError, match="the header names samples in stts"):
        make_init(replace(encoding, header=bytes(header)))


def test_what_is_no_header_is_refused():
    with pytest.raises(RemoteProtocolError, match="no box 'moov'"):
        make_init(Encoding("v", Kind.VIDEO, 90_000, b""))
    with pytest.raises(MediaError, match="has 0 tracks"):
        make_init(Encoding("v", Kind.VIDEO, 90_000, make_box("moov")))


def test_a_rung_is_described_by_its_target_and_its_init():
    encoding, _ = h264()
    rendition = rendition_of(encoding, RUNG, make_init(encoding), D)
    boxes = 8 * (160 / D + 16 * 25)
    assert rendition.bandwidth == -(-(1_000_000 + 960_000 / D + boxes) // 1) == 1_503_867
    assert rendition.average_bandwidth == 803_867
    assert (rendition.name, rendition.codec, rendition.timescale, rendition.delay) == (
        "video",
        "avc1.64000a",
        90_000,
        3600,
    )
    assert (rendition.width, rendition.height, rendition.frame_rate) == (64, 48, 25)


def test_sound_is_described_by_its_target_and_its_init():
    encoding, _ = aac()
    target = AudioTarget("stereo", "aac", 128_000, language="en", label="English")
    rendition = rendition_of(encoding, target, make_init(encoding), D)
    assert rendition.codec == "mp4a.40.2"
    assert rendition.average_bandwidth == 131_667
    assert rendition.bandwidth == 131_667 + 6400
    assert (rendition.sample_rate, rendition.channels) == (48_000, 2)
    assert (rendition.language, rendition.label) == ("en", "English")


def test_the_size_is_that_of_the_display():
    aspect = Fraction(64, 45)
    init = written("h264", "0164001fff", 720, 576, aspect)
    encoding = Encoding("v", Kind.VIDEO, 90_000, init)
    track = Track(0, Kind.VIDEO, "h264", Fraction(1, 90_000), bit_rate=900_000, frame_rate=Fraction(25))
    rendition = rendition_of_copy(encoding, track, init)
    assert (rendition.width, rendition.height) == (1024, 576)
    assert (rendition.bandwidth, rendition.average_bandwidth, rendition.frame_rate) == (900_000, 900_000, 25)
