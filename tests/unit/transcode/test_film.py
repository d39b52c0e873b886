"""A film keeps its own pictures and times; its sound begins and ends with them."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from abr.errors import MediaError
from abr.ingest.demux import Demuxer
from abr.ingest.normalise import Normaliser
from abr.model.media import Kind, Track
from abr.transcode.decode import Decoder
from abr.transcode.film import Film
from abr.transcode.frame import DecodedPicture, Picture, Placed, Sound
from tests.fakes.clip import SOUND_RATE, Clip, is_flash, make_clip, read_number
from tests.fakes.decoded import FRAMES, TRACKS, beeping, heard, shown
from tests.fakes.ladder import make_ladder

S = 90_000
LADDER = make_ladder()
D = int(LADDER.duration * S)
START = int(LADDER.duration * SOUND_RATE)


def run(items, ladder=LADDER, tracks=TRACKS) -> tuple[list[Picture], list[Sound], dict[str, int]]:
    film = Film(ladder, tracks)
    placed = [made for item in items for made in film.push(item)] + film.flush()
    return *split(placed), film.stats()


def split(placed: list[Placed]) -> tuple[list[Picture], list[Sound]]:
    pictures = [made for made in placed if isinstance(made, Picture)]
    sounds = [made for made in placed if isinstance(made, Sound)]
    assert all(after.pts == before.pts + before.samples.shape[1] for before, after in pairwise(sounds))
    assert all(sound.pts % 1024 == sound.samples.shape[1] % 1024 == 0 for sound in sounds)
    return pictures, sounds


def film_of(tmp_path, clip: Clip, ladder=LADDER):
    path = tmp_path / "film"
    path.write_bytes(make_clip(clip))
    demuxer = Demuxer(str(path))
    normaliser, decoder = Normaliser(demuxer.tracks, film=True), Decoder(demuxer.tracks, live=False)
    items = [
        frame
        for packet in demuxer.packets()
        for item in normaliser.push(packet)
        for frame in decoder.push(item)
    ] + decoder.flush()
    tracks = demuxer.tracks
    demuxer.close()
    return run(items, ladder, tracks)


def end(item: Picture | Sound) -> int:
    if isinstance(item, Picture):
        return item.pts + item.duration
    return item.pts + item.samples.shape[1]


def test_pictures_of_varying_rate_keep_their_times_and_last_until_the_next():
    times = [0, 3000, 9000, 9001, 200_000, 200_100]
    pictures, _, stats = run([shown(place, 777 + time) for place, time in enumerate(times)])
    assert [picture.pts - D for picture in pictures] == times
    assert [picture.duration for picture in pictures] == [3000, 6000, 1, 190_999, 100, 100]
    assert stats["pictures"] == 6


def test_key_pictures_are_the_first_at_or_after_each_segment_start():
    times = [0, D - 10, D + 5, D + 100, 3 * D, 3 * D + 1, 5 * D - 1, 5 * D]
    pictures, _, _ = run([shown(0, time) for time in times])
    assert [picture.key for picture in pictures] == [True, False, True, False, True, False, True, True]


def test_a_key_interval_shorter_than_a_segment_has_key_pictures_too():
    ladder = make_ladder(25, target=Fraction(4))
    interval = int(ladder.video[0].key_frames / ladder.video[0].rate * S)
    assert interval * 2 == ladder.duration * S
    pictures, _, _ = run([shown(0, 3600 * place) for place in range(300)], ladder)
    keys = [picture.pts for picture in pictures if picture.key]
    assert keys == list(range(2 * interval, pictures[-1].pts + 1, interval))


def test_a_picture_that_is_not_after_the_one_before_is_left_out():
    pictures, _, stats = run([shown(0, 0), shown(1, 3600), shown(2, 3600), shown(3, 100), shown(4, 7200)])
    assert [FRAMES.index(picture.frame) for picture in pictures] == [0, 1, 4]
    assert stats["disordered"] == 2


def test_sound_begins_with_the_first_picture_and_ends_with_the_last():
    items = [shown(place, 45_000 + 3600 * place) for place in range(100)]
    sound = [item for _, item in beeping(0, 300)]
    pictures, sounds, stats = run(sound[:40] + items + sound[40:])
    assert sounds[0].pts == START - 1024
    assert 0 <= end(sounds[-1]) - end(pictures[-1]) * SOUND_RATE // S < 1024
    samples = np.concatenate([item.samples for item in sounds], axis=1)[0]
    first = 24_000  # the first picture is shown 0.5 s after the first sample
    beeps = np.flatnonzero((samples[1:] > 0.79) & (samples[:-1] == 0)) + 1 + sounds[0].pts
    assert list(beeps - START + first) == [48_000, 96_000, 144_000, 192_000]
    assert stats["cut"] > 0
    assert stats["stretched"] == 0


def test_sound_that_starts_late_has_holes_and_ends_early_is_filled_with_silence():
    items = [shown(place, 3600 * place) for place in range(100)]
    sound = [heard(place * 1920, np.ones(1024, np.float32)) for place in (*range(20, 40), *range(60, 80))]
    pictures, sounds, stats = run([*items[:50], *sound, *items[50:]])
    assert sounds[0].pts == START
    assert 0 <= end(sounds[-1]) - end(pictures[-1]) * SOUND_RATE // S < 1024
    samples = np.concatenate([item.samples for item in sounds], axis=1)[0]
    heard_at = np.flatnonzero(samples)
    assert (heard_at[0], heard_at[-1]) == (20 * 1024 + 1, 80 * 1024 - 1)  # it fades in
    assert not samples[40 * 1024 : 60 * 1024].any()
    assert stats["silence"] == samples.size - 40 * 1024


def test_sound_is_not_waited_for_longer_than_ten_seconds():
    film = Film(LADDER, TRACKS)
    placed = [made for place in range(500) for made in film.push(shown(place, 3600 * place))]
    _, sounds = split(placed)
    assert sounds[0].pts == START
    assert not any(sound.samples.any() for sound in sounds)
    assert (499 - 250) * 1920 - 24_000 - 1024 < end(sounds[-1]) - START <= (499 - 250) * 1920


def test_sound_is_never_given_out_beyond_the_newest_picture():
    film = Film(LADDER, TRACKS)
    film.push(shown(0, 0))
    made = [out for _, item in beeping(0, 50) for out in film.push(item)]
    assert made == []
    made = film.push(shown(1, 90_000))
    assert START + 47_000 < end(made[-1]) <= START + 90_000 * SOUND_RATE // S


def test_a_film_of_sound_alone_begins_with_its_first_sample():
    ladder = make_ladder(video=False)
    start = int(ladder.duration * SOUND_RATE)
    sound = [item for _, item in beeping(12_345, 100)]
    pictures, sounds, _ = run(sound, ladder)
    assert pictures == []
    assert (sounds[0].pts, end(sounds[-1])) == (start, start + 100 * 1024)


def test_a_missing_sound_track_is_silence():
    ladder = make_ladder(audio=2)
    film = Film(ladder, TRACKS)
    made = [out for place in range(50) for out in film.push(shown(place, 3600 * place))] + film.flush()
    silent = [sound for sound in made if isinstance(sound, Sound) and sound.rendition == "sound-1"]
    assert sum(sound.samples.shape[1] for sound in silent) == -(-96_000 // 1024) * 1024
    assert not any(sound.samples.any() for sound in silent)


def test_a_film_without_pictures_is_refused_in_one_sentence():
    with pytest.raises(MediaError, match="there is no video in the film"):
        Film(LADDER, TRACKS[1:])
    film = Film(LADDER, TRACKS)
    film.push(heard(0, np.zeros(1024, np.float32)))
    with pytest.raises(MediaError, match="no picture of the film could be decoded"):
        film.flush()


@pytest.mark.parametrize(
    "clip",
    [
        Clip(b_frames=2),
        Clip(container="mpegts", start=Fraction(5), b_frames=2),
        Clip(codec="mpeg4", container="matroska"),
        Clip(sound_rate=44_100, layout="mono"),
        Clip(container="matroska", audio_codec="pcm_s16le"),
        Clip(fps=Fraction(30_000, 1001)),
    ],
    ids=lambda clip: f"{clip.container}-{clip.codec}-{clip.audio_codec}-{clip.sound_rate}-{clip.fps}",
)
def test_a_whole_file_is_read_back_with_picture_and_sound_together(tmp_path, clip):
    ladder = make_ladder(clip.fps)
    pictures, sounds, stats = film_of(tmp_path, clip, ladder)
    media, scale = ladder.duration, ladder.video[0].timescale
    assert [read_number(picture.frame) for picture in pictures] == list(range(int(2 * clip.fps)))
    assert Fraction(pictures[0].pts, scale) == media
    jitter = Fraction(1, 1000) if clip.container == "matroska" else Fraction(1, scale)
    for number, picture in enumerate(pictures):
        assert abs(Fraction(picture.pts, scale) - media - number / clip.fps) <= jitter
    flash = next(picture for picture in pictures[5:] if is_flash(picture.frame))
    samples = np.concatenate([sound.samples for sound in sounds], axis=1)[0]
    loud = np.flatnonzero(np.abs(samples) > 0.4)
    second = media + 1
    beep = sounds[0].pts + loud[np.searchsorted(loud, int(second * SOUND_RATE) - sounds[0].pts - 2000)]
    assert abs(Fraction(flash.pts, scale) - second) <= 1 / clip.fps
    # lossy codecs smear the edge of the beep by less than a millisecond
    assert abs(Fraction(int(beep), SOUND_RATE) - second) < Fraction(12, 10_000)
    assert (sounds[0].pts - int(media * SOUND_RATE)) in range(-1024, 1024)
    assert stats["stretched"] == stats["late"] == stats["disordered"] == 0


def test_a_film_of_varying_rate_is_exact_from_file_to_picture(tmp_path):
    times = (0, 33, 66, 200, 450, 455, 1900)
    pictures, sounds, _ = film_of(tmp_path, Clip(times=times, seconds=Fraction(3)))
    assert [read_number(picture.frame) for picture in pictures] == list(range(len(times)))
    assert [picture.pts - D for picture in pictures] == [90 * time for time in times]
    assert 0 <= end(sounds[-1]) - end(pictures[-1]) * SOUND_RATE // S < 1024


def test_two_pictures_of_a_track_that_the_ladder_does_not_use_are_ignored():
    extra = Track(2, Kind.VIDEO, "h264", Fraction(1, S))
    frame = av.VideoFrame(16, 16, "yuv420p")
    pictures, _, _ = run(
        [shown(0, 0), DecodedPicture(2, 100, frame), shown(1, 3600)], tracks=(*TRACKS, extra)
    )
    assert len(pictures) == 2
