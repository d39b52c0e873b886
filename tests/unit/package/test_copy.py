import io
import itertools
from fractions import Fraction
from functools import cache

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import MediaError
from abr.formats.nal import join_prefixed, unit_types
from abr.model.media import EncodedPacket, Kind, Packet, Track
from abr.model.time import Grid
from abr.package.cmaf import make_segment
from abr.package.copy import Copier, copy_start, reorder_depth
from abr.package.cutter import CutPlan, Cutter, Follower
from abr.package.header import make_init, rendition_of_copy
from tests.fakes.boxdump import dump
from tests.fakes.encoded import X264, decoded_times

AVCC = bytes.fromhex("0164000affe100046764000a01000268eefdf8f800")
VIDEO = Track(0, Kind.VIDEO, "h264", Fraction(1, 12_800), AVCC, 64, 48, frame_rate=Fraction(25))
AUDIO = Track(
    1, Kind.AUDIO, "aac", Fraction(1, 48_000), bytes.fromhex("1190"), sample_rate=48_000, channels=2
)
IDR, OTHER = join_prefixed([b"\x65a"]), join_prefixed([b"\x41a"])


def picture(pts: int | None, *, key: bool = False, data: bytes = b"", duration: int = 512) -> Packet:
    return Packet(0, pts, pts, duration, key, False, data or (IDR if key else OTHER))


def sound(pts: int, duration: int = 1024) -> Packet:
    return Packet(1, pts, pts, duration, True, False, b"s")


@cache
def film(container: str) -> bytes:
    """A second of H.264 with B-frames and AAC, a key frame every six frames."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        video = output.add_stream("libx264", rate=25, options={**X264, "bf": "2"})
        video.width, video.height, video.pix_fmt, video.codec_context.gop_size = 64, 48, "yuv420p", 6
        audio = output.add_stream("aac", rate=48_000, layout="stereo", options={"aac_coder": "fast"})
        for index in range(24):
            grey = np.full((48, 64), 40 + 3 * index, dtype=np.uint8)
            output.mux(video.encode(av.VideoFrame.from_ndarray(grey, "gray").reformat(format="yuv420p")))
        for index in range(45):
            wave = np.sin(np.arange(1024) * 0.05).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), "fltp", "stereo")
            frame.sample_rate, frame.pts = 48_000, 1024 * index
            output.mux(audio.encode(frame))
        output.mux(video.encode(None))
        output.mux(audio.encode(None))
    return buffer.getvalue()


def demuxed(data: bytes) -> tuple[list[Track], list[list[Packet]]]:
    tracks, packets = [], []
    with av.open(io.BytesIO(data)) as source:
        for stream in source.streams:
            codec, video = stream.codec_context, stream.type == "video"
            tracks.append(
                Track(
                    index=stream.index,
                    kind=Kind(stream.type),
                    codec=codec.name,
                    time_base=stream.time_base,
                    extradata=codec.extradata or b"",
                    width=codec.width if video else 0,
                    height=codec.height if video else 0,
                    frame_rate=stream.average_rate if video else None,
                    sample_rate=0 if video else codec.sample_rate,
                    channels=0 if video else codec.channels,
                )
            )
            packets.append([])
        for packet in source.demux():
            if packet.size:
                packets[packet.stream.index].append(
                    Packet(
                        packet.stream.index,
                        packet.pts,
                        packet.dts,
                        packet.duration or 0,
                        packet.is_keyframe,
                        False,
                        bytes(packet),
                    )
                )
    return tracks, packets


def copied(data: bytes, duration: Fraction):
    """Inits and segments of a file's video and audio, copied."""
    tracks, packets = demuxed(data)
    shift = duration - copy_start(tracks[0], packets[0])
    copiers = [
        Copier(track, track.kind, read[:40], shift) for track, read in zip(tracks, packets, strict=True)
    ]
    inits = [make_init(copier.encoding) for copier in copiers]
    video, audio = (
        rendition_of_copy(copier.encoding, track, init)
        for copier, track, init in zip(copiers, tracks, inits, strict=True)
    )
    plan = CutPlan()
    cutter, follower = Cutter(video, Grid(duration), 1, live=False, plan=plan), Follower(audio, plan)
    seen = cutter.extend(copiers[0].push(packets[0])) + cutter.flush()
    heard = follower.extend(copiers[1].push(packets[1])) + follower.flush()
    return inits, [make_segment(video, cut) for cut in seen], [make_segment(audio, cut) for cut in heard]


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts", "flv"])
def test_a_file_is_copied_frame_by_frame(container):
    duration = Fraction(6, 25)
    inits, video, audio = copied(film(container), duration)
    assert [segment.number for segment in video] == [segment.number for segment in audio] == [1, 2, 3, 4]
    scale = 12_800 if container == "mp4" else 90_000
    times = decoded_times(inits[0] + b"".join(segment.data for segment in video))
    shown = [Fraction(time, scale) - duration for time in times]
    assert all(abs(time - Fraction(index, 25)) <= Fraction(1, 1000) for index, time in enumerate(shown))
    assert len(shown) == 24
    heard = decoded_times(inits[1] + b"".join(segment.data for segment in audio))
    assert {after - before for before, after in itertools.pairwise(heard)} == {1024}
    assert abs(heard[0] - duration * 48_000) <= 1024
    assert len(heard) in {44, 45}


def test_the_header_of_a_copy_is_as_reviewed(golden):
    text = dump(make_init(Copier(VIDEO, "v", [picture(0, key=True)]).encoding))
    golden("init-copied-video.boxes.txt", text)
    golden("init-copied-audio.boxes.txt", dump(make_init(Copier(AUDIO, "a", [sound(0)]).encoding)))


def test_times_are_shifted_and_counted_in_the_timescale():
    copier = Copier(VIDEO, "v", [picture(0, key=True)], Fraction(2))
    assert copier.push([picture(512, key=True)]) == [EncodedPacket(26_112, 512, True, IDR)]
    coarse = Track(0, Kind.VIDEO, "h264", Fraction(1, 1000), AVCC, 64, 48)
    copier = Copier(coarse, "v", [picture(0, key=True), picture(40)], Fraction(1, 3))
    assert copier.encoding.timescale == 90_000
    assert copier.push([picture(40, key=True, duration=0)]) == [EncodedPacket(33_600, 3600, True, IDR)]


def test_a_frame_that_its_container_cuts_keeps_its_length():
    copier = Copier(AUDIO, "a", [sound(0)])
    made = copier.push([sound(0), sound(1024, 520), sound(1544)])
    assert [packet[:2] for packet in made] == [(0, 1024), (1024, 520), (1544, 1024)]


def test_sound_with_rounded_times_is_put_end_to_end():
    coarse = Track(
        1, Kind.AUDIO, "aac", Fraction(1, 1000), bytes.fromhex("1190"), sample_rate=48_000, channels=2
    )
    copier = Copier(coarse, "a", [sound(0, 21)])
    made = copier.push([sound(time, 0) for time in (0, 21, 43, 64, 85, 500)])
    assert [packet.pts for packet in made] == [0, 1024, 2048, 3072, 4096, 24_000]


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=9), st.integers(1, 4))
def test_sound_comes_out_the_same_in_batches_of_any_size(jitters, size):
    packets = [sound(1024 * place + jitter) for place, jitter in enumerate(jitters)]
    whole, parts = Copier(AUDIO, "a", [sound(0)]), Copier(AUDIO, "a", [sound(0)])
    made = [item for at in range(0, len(packets), size) for item in parts.push(packets[at : at + size])]
    assert whole.push(packets) == made
    first = packets[0].pts
    assert [packet.pts for packet in made] == [first + 1024 * place for place in range(len(packets))]


def test_sound_that_is_exact_follows_what_was_before():
    copier = Copier(AUDIO, "a", [sound(0)])
    copier.push([sound(0), sound(1020)])
    assert [packet.pts for packet in copier.push([sound(2040), sound(3064)])] == [2048, 3072]
    assert [packet.pts for packet in copier.push([sound(9000), sound(10_024)])] == [9000, 10_024]


def test_nothing_comes_of_no_packets():
    copier = Copier(AUDIO, "a", [sound(0)])
    assert copier.push([]) == copier.push([sound(0)._replace(data=b"")]) == []


def test_views_of_a_file_are_copied_as_bytes_are():
    data = memoryview(b"..." + IDR)[3:]
    made = Copier(VIDEO, "v", [picture(0, key=True)]).push([picture(0, key=True)._replace(data=data)])
    assert made == [EncodedPacket(0, 512, True, data)]
    assert made[0].data is data


def test_a_time_beyond_any_film_is_refused():
    with pytest.raises(MediaError, match="a packet has a time beyond any film"):
        Copier(VIDEO, "v", [picture(0, key=True)]).push([picture(1 << 60, key=True)])


def test_the_reorder_delay_is_that_of_the_first_frames():
    order = [0, 4, 2, 1, 3, 8, 6, 5, 7]
    copier = Copier(VIDEO, "v", [picture(512 * place, key=place == 0) for place in order])
    assert copier.encoding.delay == 1024
    assert [reorder_depth(times) for times in ([], [0, 1, 2], [0, 3, 1, 2], order)] == [0, 0, 1, 2]


@given(st.permutations(range(8)))
def test_a_delay_of_the_depth_is_enough(order):
    assert all(place <= time + reorder_depth(order) for place, time in enumerate(order))


def test_open_groups_of_pictures_are_refused():
    copier = Copier(VIDEO, "v", [picture(0, key=True)])
    with pytest.raises(MediaError, match=r"rendition v: a frame is shown 512 ticks .* before the key frame"):
        copier.push([picture(0, key=True), picture(2048, key=True), picture(1536)])


def test_frames_before_a_recovery_point_may_be_shown_after_those_behind_it():
    copier = Copier(VIDEO, "v", [picture(0, key=True)])
    pictures = [picture(0, key=True), picture(1536, key=True, data=OTHER), picture(512), picture(1024)]
    assert [packet.key for packet in copier.push(pictures)] == [True, False, False, False]


def test_a_recovery_point_without_idr_starts_no_segment():
    copier = Copier(VIDEO, "v", [picture(0, key=True)])
    made = copier.push([picture(0, key=True), picture(512, key=True, data=OTHER)])
    assert [packet.key for packet in made] == [True, False]
    with pytest.raises(MediaError, match="does not start with an IDR frame"):
        Copier(VIDEO, "v", [picture(0, key=True)]).push([picture(0, key=True, data=OTHER)])


def test_hevc_starts_at_random_access_pictures():
    track = Track(0, Kind.VIDEO, "hevc", Fraction(1, 12_800), b"\1" + bytes(22), 64, 48)
    copier = Copier(track, "v", [picture(0, key=True)])
    pictures = [
        picture(512 * kind, key=True, data=join_prefixed([bytes((kind << 1, 1))])) for kind in (19, 21, 1)
    ]
    assert [packet.key for packet in copier.push(pictures)] == [True, True, False]


def test_byte_streams_lose_start_codes_delimiters_and_parameter_sets():
    head = b"\0\0\0\1\x09\xf0\0\0\0\1\x67\x42\xc0\x0a\0\0\1\x68\xee\0\0\1\x65idr"
    track = Track(0, Kind.VIDEO, "h264", Fraction(1, 90_000), b"", 64, 48)
    copier = Copier(track, "v", [picture(0, key=True, data=head)])
    made = copier.push([picture(0, key=True, data=head), picture(3600, data=b"\0\0\1\x41p")])
    assert [unit_types("h264", packet.data) for packet in made] == [[5], [1]]
    with pytest.raises(MediaError, match="parameters change within the file"):
        copier.push([picture(7200, key=True, data=head.replace(b"\x68\xee", b"\x68\xef"))])


@pytest.mark.parametrize(
    ("track", "sentence"),
    [
        (
            Track(0, Kind.VIDEO, "mpeg2video", Fraction(1, 25)),
            "mpeg2video is not copied (only av1, h264, hevc)",
        ),
        (Track(0, Kind.AUDIO, "mp3", Fraction(1, 48_000)), "mp3 is not copied (only aac)"),
        (
            Track(0, Kind.VIDEO, "h264", Fraction(1, 25)),
            "the H.264 header holds no SPS and PPS, so it cannot be copied",
        ),
        (Track(0, Kind.VIDEO, "hevc", Fraction(1, 25)), "hevc without a container's header is not copied"),
        (Track(0, Kind.AUDIO, "aac", Fraction(1, 48_000)), "an AAC packet has no ADTS header"),
    ],
)
def test_what_cannot_be_copied_is_said_in_a_sentence(track, sentence):
    with pytest.raises(MediaError) as caught:
        Copier(track, "v", [picture(0, key=True)])
    assert sentence in str(caught.value)


def test_a_packet_without_a_time_is_refused():
    with pytest.raises(MediaError, match="no presentation time"):
        Copier(VIDEO, "v", [picture(0, key=True)]).push([picture(None)])


def test_a_film_starts_at_its_first_key_frame():
    assert copy_start(VIDEO, [picture(0), picture(512, key=True)]) == Fraction(1, 25)
    with pytest.raises(MediaError, match="has no key frame in its first 1 packets"):
        copy_start(VIDEO, [picture(0)])
