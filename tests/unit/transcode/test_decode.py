"""Packets decoded: every frame once, with its own time; damage is counted and passed over."""

import io
import random
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from abr.errors import MediaError
from abr.ingest.demux import Demuxer
from abr.model.media import Gap, Kind, Packet, Track
from abr.transcode.decode import Decoder, _convertible
from abr.transcode.frame import DecodedPicture, DecodedSound
from tests.fakes.clip import Clip, beeps, make_clip, read_number
from tests.fakes.footage import bar, film, grey, interlaced_film, luma_of, ten_bits, turned
from tests.fakes.packets import packet, video_track


def opened(tmp_path, clip: Clip) -> tuple[tuple[Track, ...], list[Packet]]:
    return read(tmp_path, make_clip(clip))


def read(tmp_path, file: bytes) -> tuple[tuple[Track, ...], list[Packet]]:
    path = tmp_path / "clip"
    path.write_bytes(file)
    demuxer = Demuxer(str(path))
    packets = list(demuxer.packets())
    demuxer.close()
    return demuxer.tracks, packets


def decoded(decoder: Decoder, packets) -> tuple[list[DecodedPicture], list[DecodedSound]]:
    frames = [frame for item in packets for frame in decoder.push(item)] + decoder.flush()
    pictures = [frame for frame in frames if isinstance(frame, DecodedPicture)]
    return pictures, [frame for frame in frames if isinstance(frame, DecodedSound)]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_all_pictures_come_in_order_with_their_times(tmp_path, codec, live):
    tracks, packets = opened(tmp_path, Clip(codec=codec, b_frames=2))
    decoder = Decoder(tracks, live=live)
    pictures, sounds = decoded(decoder, packets)
    assert [read_number(picture.frame) for picture in pictures] == list(range(50))
    assert [picture.pts for picture in pictures] == [512 * place for place in range(50)]
    assert [sound.pts for sound in sounds] == [-1024 + 1024 * place for place in range(len(sounds))]
    assert {name: count for name, count in decoder.stats().items() if count} == {
        "pictures": 50,
        "sounds": len(sounds),
    }


def test_frames_forget_the_type_that_the_source_chose_and_know_the_shape_of_their_pixels(tmp_path):
    tracks, packets = opened(tmp_path, Clip(seconds=Fraction(1)))
    pictures, _ = decoded(Decoder(tracks), packets)
    assert {picture.frame.pict_type for picture in pictures} == {0}
    assert {picture.frame.opaque for picture in pictures} == {Fraction(1)}
    del pictures[0]  # one that is freed takes nothing from the others
    assert {picture.frame.opaque for picture in pictures} == {Fraction(1)}


def test_sound_is_what_was_encoded(tmp_path):
    clip = Clip(container="matroska", audio_codec="pcm_s16le", layout="mono", sound_rate=44_100)
    tracks, packets = opened(tmp_path, clip)
    _, sounds = decoded(Decoder(tracks), packets)
    samples = np.concatenate([sound.frame.to_ndarray()[0] for sound in sounds]) / 32768
    assert np.allclose(samples, beeps(0, samples.size, 44_100), atol=1e-3)


def test_a_decoder_works_on_after_a_flush(tmp_path):
    tracks, packets = opened(tmp_path, Clip())
    decoder = Decoder(tracks)
    first, _ = decoded(decoder, packets)
    second, _ = decoded(decoder, packets)
    assert [picture.pts for picture in second] == [picture.pts for picture in first]


def test_gaps_are_nothing_to_decode(tmp_path):
    tracks, _ = opened(tmp_path, Clip())
    assert Decoder(tracks).push(Gap(1, 0, 100)) == []


def test_damaged_packets_are_passed_over(tmp_path):
    tracks, packets = opened(tmp_path, Clip(seconds=Fraction(4)))
    chance = random.Random(3)
    broken = []
    for item in packets:
        data = bytearray(item.data)
        if chance.random() < 0.3:
            for _ in range(8):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        broken.append(item._replace(data=bytes(data)))
    broken += [item._replace(data=b"\0") for item in packets[-3:]]
    decoder = Decoder(tracks)
    pictures, sounds = decoded(decoder, broken)
    assert len(pictures) > 20
    assert len(sounds) > 20
    stats = decoder.stats()
    assert stats["corrupt"] + stats["errors"] > 0


def test_ten_seconds_of_media_without_a_frame_are_enough():
    decoder = Decoder([video_track()])
    assert [decoder.push(packet(3600 * place)) for place in range(251)] == [[]] * 251
    with pytest.raises(MediaError, match=r"track 0 \(h264\): 10 s of media without one frame"):
        decoder.push(packet(3600 * 251))


def test_a_codec_without_a_decoder_is_named():
    with pytest.raises(MediaError, match="no decoder for vvcc"):
        Decoder([video_track(codec="vvcc")])


def test_frames_without_a_time_follow_each_other():
    track = Track(0, Kind.AUDIO, "pcm_s16le", Fraction(1, 1000), sample_rate=48_000, channels=1)
    decoder = Decoder([track])
    items = [Packet(0, pts, 0, 0, True, False, bytes(960)) for pts in (500, None, None)]
    assert [frame.pts for item in items for frame in decoder.push(item)] == [500, 510, 520]


def test_pixels_that_are_not_square_are_told_by_the_container():
    buffer = io.BytesIO(make_clip(Clip(seconds=Fraction(1), sound=False)))
    with av.open(buffer) as container:
        stream = container.streams.video[0]
        extradata = stream.codec_context.extradata
        packets = [bytes(item) for item in container.demux() if item.size]
    track = Track(
        0, Kind.VIDEO, "h264", Fraction(1, 25), extradata, width=128, height=64, pixel_aspect=Fraction(16, 11)
    )
    items = [Packet(0, place, place, 1, False, False, data) for place, data in enumerate(packets)]
    pictures, _ = decoded(Decoder([track]), items)
    assert pictures[0].frame.opaque in {Fraction(16, 11), Fraction(1)}


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("top_first", [True, False])
def test_fields_become_whole_pictures_and_none_is_lost(tmp_path, top_first, live):
    tracks, packets = read(tmp_path, interlaced_film(12, top_first=top_first))
    forms = []
    decoder = Decoder(tracks, live=live, note=forms.append)
    pictures, _ = decoded(decoder, packets)
    assert np.diff([picture.pts for picture in pictures]).tolist() == [3600] * 11
    assert decoder.stats()["interlaced"] == 12
    assert forms == ["64x48 yuv420p, interlaced: whole pictures are made"]
    for place, picture in enumerate(pictures[1:10], 1):
        bright = luma_of(picture.frame)[8:40] > 125
        assert set(np.argmax(bright, axis=1)) == {4 * place}


def test_pictures_stored_sideways_come_upright(tmp_path):
    file = film([grey(bar(8)) for _ in range(4)], sample_aspect_ratio=Fraction(4, 3))
    tracks, packets = read(tmp_path, turned(file, (0, 1, -1, 0)))
    forms = []
    pictures, _ = decoded(Decoder(tracks, note=forms.append), packets)
    assert forms == ["64x48 yuv420p, pixels 4:3, turned by 90 degrees: set upright"]
    frame = pictures[0].frame
    assert (frame.width, frame.height, frame.opaque) == (48, 64, Fraction(3, 4))
    rows = luma_of(frame).mean(axis=1)
    assert rows[8:16].min() > 230
    assert rows[20:].max() < 20


def test_a_change_of_size_is_told(tmp_path):
    small, large = (
        film([grey(bar(8, *size)) for _ in range(3)], container="h264") for size in ((48, 64), (96, 128))
    )
    decoder_notes = []
    track = Track(0, Kind.VIDEO, "h264", Fraction(1, 25))
    decoder = Decoder([track], note=decoder_notes.append)
    frames = []
    for data in (small, large, small):
        with av.open(io.BytesIO(data), format="h264") as container:
            for item in container.demux():
                if item.size:
                    frames += decoder.push(Packet(0, None, len(frames), 1, False, False, bytes(item)))
    frames += decoder.flush()
    assert [picture.frame.width for picture in frames] == [64] * 3 + [128] * 3 + [64] * 3
    assert decoder_notes == ["64x48 yuv420p", "128x96 yuv420p", "64x48 yuv420p"]


def test_high_dynamic_range_is_told(tmp_path):
    tags = {"color_trc": 16, "color_primaries": 9, "colorspace": 9}
    file = film([ten_bits((500, 512, 512), **tags) for _ in range(3)], **tags)
    tracks, packets = read(tmp_path, file)
    forms = []
    decoder = Decoder(tracks, note=forms.append)
    pictures, _ = decoded(decoder, packets)
    assert forms == ["64x48 yuv420p10le, HDR (PQ): shown as BT.709"]
    assert decoder.stats()["wide"] == len(pictures) == 3


def test_what_is_hidden_is_decoded_and_not_given_out(tmp_path):
    """Pictures 0 to 29 are needed by those after them, in the middle of a group."""
    tracks, packets = opened(tmp_path, Clip(b_frames=2, sound=False))
    packets = [item._replace(hidden=item.pts < 30 * 512) for item in packets]
    pictures, _ = decoded(Decoder(tracks), packets)
    assert [read_number(picture.frame) for picture in pictures] == list(range(30, 50))


@pytest.mark.parametrize("kind", ["fields", "frames"])
def test_pictures_keep_the_shape_of_their_pixels_when_others_go(tmp_path, kind):
    """In live output pictures are let go of one after another."""
    file = interlaced_film(12) if kind == "fields" else film([grey(bar(8)) for _ in range(12)])
    (track, *_), packets = read(tmp_path, file)
    decoder = Decoder([replace(track, pixel_aspect=Fraction(64, 45))])
    decoder._lines[0]._context = _Silent(decoder._lines[0]._context)
    waiting, seen = [], []
    for item in packets:
        waiting += decoder.push(item)
        while len(waiting) > 3:
            seen.append(waiting.pop(0).frame.opaque)
    assert set(seen) == {Fraction(64, 45)}


class _Silent:
    """A decoder whose stream says nothing of its pixels."""

    sample_aspect_ratio = None

    def __init__(self, context) -> None:
        self.decode = context.decode


def test_forms_that_the_scaler_refuses_are_known_before_it_is_asked():
    """The last one would end the process."""
    assert [_convertible(form) for form in ("yuv420p", "monow", "cuda", "yaf32le")] == [
        True,
        True,
        False,
        False,
    ]
