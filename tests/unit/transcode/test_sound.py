"""The sound of a rendition: every sample on its place, nothing twice, silence where nothing came."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.model.ladder import AudioTarget
from abr.transcode.sound import SoundLine

TARGET = AudioTarget("sound", "aac", 128_000, channels=1)
FRAME = 1024
START = 100 * FRAME
FADE = 432


def ramp(start: int, count: int) -> np.ndarray:
    """Samples that tell their own place."""
    return np.arange(start, start + count, dtype=np.float32)[np.newaxis] % 100_000 + 1


def line(*, start: int = START) -> SoundLine:
    made = SoundLine(TARGET)
    made.begin(start)
    return made


def row(sounds) -> tuple[int, np.ndarray]:
    """The first place and all samples of blocks that follow each other."""
    sounds = list(sounds)
    for before, after in pairwise(sounds):
        assert after.pts == before.pts + before.samples.shape[1]
    assert all(sound.samples.shape[1] % FRAME == 0 for sound in sounds)
    return sounds[0].pts, np.concatenate([sound.samples for sound in sounds], axis=1)[0]


def test_sound_from_before_the_start_gives_one_block_before_it():
    sound = line()
    for place in range(START - 5 * FRAME, START + 10 * FRAME, 1000):
        sound.put(place, ramp(place, 1000))
    first, samples = row(sound.take(START + 10 * FRAME))
    assert first == START - FRAME
    assert np.array_equal(samples, ramp(first, 11 * FRAME)[0])
    assert not any(sound.counts.values())


def test_sound_that_begins_within_the_block_before_the_start_fades_in_at_the_start():
    sound = line()
    sound.put(START - 500, ramp(START - 500, 3 * FRAME))
    first, samples = row(sound.take(START + 2 * FRAME))
    assert first == START
    assert samples[0] == 0
    assert np.array_equal(samples[FADE:], ramp(START, 2 * FRAME)[0, FADE:])


def test_sound_that_begins_late_stands_on_its_place_after_silence():
    sound = line()
    sound.put(START + 300, ramp(START + 300, 4 * FRAME))
    first, samples = row(sound.take(START + 4 * FRAME))
    assert first == START
    assert not samples[:301].any()
    assert np.array_equal(samples[300 + FADE :], ramp(START, 4 * FRAME)[0, 300 + FADE :])
    assert sound.counts["silence"] == 300


def test_nothing_is_given_out_before_the_start_is_past():
    sound = line()
    assert sound.take(START) == []
    assert [(made.pts, made.samples.shape[1]) for made in sound.take(START + FRAME + 7)] == [(START, FRAME)]


def test_without_any_sound_there_is_silence():
    sound = line()
    first, samples = row(sound.take(START + 70 * FRAME))
    assert (first, len(samples), samples.any()) == (START, 70 * FRAME, False)
    assert sound.counts["silence"] == 70 * FRAME


def test_a_hole_is_silence_and_what_follows_stands_on_its_place():
    sound = line()
    sound.put(START, ramp(START, 5000))
    sound.put(START + 8000, ramp(START + 8000, 5000))
    _, samples = row(sound.take(START + 12 * FRAME))
    assert np.array_equal(samples[FADE : 5000 - FADE], ramp(START, 5000)[0, FADE:-FADE])
    assert not samples[5000:8001].any()
    assert np.array_equal(samples[8000 + FADE :], ramp(START, 12 * FRAME)[0, 8000 + FADE :])
    assert sound.counts["silence"] == 3000


def test_an_overlap_is_cut():
    sound = line()
    sound.put(START, ramp(START, 5000))
    sound.put(START + 3000, ramp(START + 3000, 8000))
    _, samples = row(sound.take(START + 10 * FRAME))
    assert np.array_equal(samples[FADE:5000], ramp(START, 5000)[0, FADE:])
    assert np.array_equal(samples[5000 + FADE :], ramp(START, 10 * FRAME)[0, 5000 + FADE :])
    assert sound.counts["cut"] == 2000


def test_sound_that_comes_too_late_is_lost_and_the_next_stands_right():
    sound = line()
    sound.put(START, ramp(START, 2 * FRAME))
    sound.take(START + 10 * FRAME)
    for place in range(START + 2 * FRAME, START + 20 * FRAME, FRAME):
        sound.put(place, ramp(place, FRAME))
    first, samples = row(sound.take(START + 20 * FRAME))
    assert first == START + 10 * FRAME
    assert np.array_equal(samples[FADE:], ramp(first, 10 * FRAME)[0, FADE:])
    assert sound.counts["late"] == 8 * FRAME
    assert sound.counts["silence"] == 8 * FRAME


def test_jitter_of_the_times_changes_no_sample():
    sound = line()
    for count, place in enumerate(range(START, START + 200 * FRAME, FRAME)):
        sound.put(place + (count * 389 % 400 - 200 if count else 0), ramp(place, FRAME))
    _, samples = row(sound.take(START + 200 * FRAME))
    assert np.array_equal(samples[FADE:], ramp(START, 200 * FRAME)[0, FADE:])


@pytest.mark.parametrize(
    ("shift", "frames"),
    [
        (480, 700),
        (-480, 700),
        pytest.param(1920, 3000, marks=pytest.mark.thorough),
        pytest.param(-1920, 3000, marks=pytest.mark.thorough),
    ],
)
def test_a_shift_of_the_places_is_followed_softly(shift, frames):
    sound = line()
    sound.put(START, ramp(START, FRAME))
    sound.shift(shift)
    place = START + FRAME
    while place < START + frames * FRAME:
        sound.put(place + shift, np.ones((1, FRAME), np.float32))
        place += FRAME
    assert abs(place + shift - sound.tail) <= 24
    assert abs(sound.counts["stretched"] - abs(shift)) <= 40
    assert sound.counts["silence"] == sound.counts["cut"] == 0


@pytest.mark.parametrize("frames", [800, pytest.param(6000, marks=pytest.mark.thorough)])
def test_a_slow_clock_of_the_source_never_brings_the_sound_far_from_its_place(frames):
    sound = line()
    errors = []
    for count in range(frames):
        place = START + count * FRAME + count * FRAME // 5000  # 200 ppm
        sound.put(place, np.ones((1, FRAME), np.float32))
        errors.append(abs(place + FRAME - sound.tail))
    assert max(errors) < 120
    assert max(errors[500:]) < 60
    assert sound.counts["silence"] == sound.counts["cut"] == 0


def test_a_new_start_of_the_times_takes_effect_at_once():
    sound = line()
    sound.put(START, ramp(START, FRAME))
    sound.restart()
    sound.put(START + FRAME + 700, ramp(START + FRAME + 700, FRAME))
    assert sound.tail == START + 2 * FRAME + 700


def test_the_end_is_padded_or_cut_to_a_frame_border():
    short, long = line(), line()
    short.put(START, ramp(START, 100))
    long.put(START, ramp(START, 9000))
    for sound in (short, long):
        first, samples = row(sound.end(START + 3000))
        assert (first, len(samples)) == (START, 3 * FRAME)
        assert not samples[3000:].any()


def test_a_day_of_silence_takes_no_memory_before_it_is_given_out():
    sound = line()
    sound.put(START, ramp(START, FRAME))
    sound.put(START + 48_000 * 86_400, ramp(0, FRAME))
    assert sound.counts["silence"] == 48_000 * 86_400 - FRAME
    assert len(sound.take(START + 10 * FRAME)) == 1


@given(st.lists(st.tuples(st.integers(-30_000, 30_000), st.integers(1, 3000)), max_size=30))
def test_whatever_places_come_the_row_has_no_hole(pieces):
    sound, end, made = line(), START, []
    for offset, length in pieces:
        sound.put(end + offset, np.ones((1, length), np.float32))
        end += 1500
        made += sound.take(end)
    made += sound.take(end + FRAME)
    if made:
        first, samples = row(made)
        assert first in {START, START - FRAME}
        assert first + len(samples) == (end + FRAME) // FRAME * FRAME
