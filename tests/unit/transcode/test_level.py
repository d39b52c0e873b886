"""Sound brought to a loudness: how far, how fast, how high, and not one sample elsewhere."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.model.ladder import AudioTarget
from abr.transcode.frame import Samples, Sound
from abr.transcode.level import Gain, Level
from abr.transcode.limiter import DELAY, Limiter
from abr.transcode.loudness import Meter
from abr.transcode.truepeak import interval_peaks

RATE = 48_000
CEILING = 10 ** (-1 / 20)


def noise(seconds: float, level: float, *, seed: int = 1) -> Samples:
    """Two channels of smooth noise around `level` dBFS."""
    rng = np.random.default_rng(seed)
    wave = rng.standard_normal((2, round(seconds * RATE) + 7))
    smooth = sum(wave[:, place : place - 7 or None] for place in range(7))[:, : round(seconds * RATE)]
    return np.asarray(smooth / np.std(smooth) * 10 ** (level / 20), np.float32)


def levelled(level: Level, samples: Samples, start: int = 0, size: int = 2048) -> list[Sound]:
    sounds = []
    for place in range(0, samples.shape[1], size):
        sounds += level.push(Sound("en", start + place, samples[:, place : place + size]))
    return sounds + level.flush()


def joined(sounds: list[Sound]) -> Samples:
    return np.concatenate([sound.samples for sound in sounds], axis=1)


def of(loudness: float | None, *, measured: bool = True) -> Level:
    return Level(AudioTarget("en", "aac", 96_000, loudness=loudness), measured=measured)


def limited(samples: Samples, *sizes: int) -> Samples:
    limiter, made, place = Limiter(len(samples), CEILING), [], 0
    for size in sizes * (samples.shape[1] // sum(sizes) + 1):
        made.append(limiter.push(samples[:, place : place + size]))
        place += size
    return np.concatenate([*made, limiter.flush()], axis=1)[:, DELAY:]


@given(sizes=st.lists(st.integers(min_value=40, max_value=3000), min_size=1, max_size=5))
def test_the_limiter_gives_the_same_however_the_sound_is_cut(sizes: list[int]) -> None:
    samples = noise(0.1, -3)
    made = limited(samples, *sizes)
    assert made.shape == samples.shape
    assert np.abs(made - limited(samples, samples.shape[1])).max() < 1e-6


def test_no_peak_passes_the_ceiling_and_quiet_sound_is_untouched() -> None:
    samples = noise(2, -6)
    samples[:, RATE // 2 : RATE] *= 0.05
    made = limited(samples, 1024)
    assert 20 * math.log10(interval_peaks(samples).max()) > 3
    assert 20 * math.log10(interval_peaks(made).max()) == pytest.approx(-1, abs=0.02)
    quiet = slice(RATE * 3 // 4 + 2000, RATE - 1000)  # after the release, before the look ahead
    assert np.array_equal(made[:, quiet], samples[:, quiet])


def test_a_click_stays_where_it_is() -> None:
    samples = np.zeros((1, 3000), np.float32)
    samples[0, 1500] = 2
    made = limited(samples, 700)
    assert int(np.abs(made).argmax()) == 1500
    assert made[0, 1500] == pytest.approx(CEILING, abs=1e-4)


def test_the_gain_moves_without_steps() -> None:
    """Loud between quiet: the level falls within 5 ms and rises slowly."""
    place = np.arange(RATE)
    samples = np.where((place > RATE // 4) & (place < RATE // 2), 2.0, 0.2).astype(np.float32)[None]
    made = limited(samples, 1024)
    gains = (made / samples)[0].astype(float)
    steps = np.diff(gains)
    assert steps.min() == pytest.approx(-0.6 / 240, rel=0.2)
    assert steps.max() < 1 / 20_000
    assert gains[RATE // 2 - 1000] == pytest.approx(CEILING / 2, abs=1e-4)
    assert gains[-1] == gains[0] == 1


@pytest.mark.parametrize(
    ("source", "target", "seconds"),
    [
        pytest.param(-26.5, -23.0, 15, marks=pytest.mark.thorough),
        pytest.param(-33.0, -23.0, 30, marks=pytest.mark.thorough),
        pytest.param(-16.0, -14.0, 30, marks=pytest.mark.thorough),
    ],
)
def test_after_half_a_minute_it_is_as_loud_as_was_asked(source: float, target: float, seconds: int) -> None:
    level = of(target)
    samples = np.tile(noise(5, source), seconds // 5)
    made = joined(levelled(level, samples))
    meter = Meter(2)
    meter.push(made[:, -(seconds // 3) * RATE :])
    assert made.shape == samples.shape
    assert meter.read().integrated == pytest.approx(target, abs=0.3)
    assert interval_peaks(made).max() <= CEILING * 1.003


@given(
    start=st.integers(min_value=0, max_value=1 << 48),
    sizes=st.lists(st.integers(min_value=1, max_value=2048), min_size=1, max_size=8),
)
def test_number_and_places_of_samples_stay(start: int, sizes: list[int]) -> None:
    """What goes in comes out, at the same places, without a hole."""
    level, place, sounds, samples = of(-23), start, [], noise(0.1, -20)
    for size in sizes:
        sounds += level.push(Sound("en", place, samples[:, :size]))
        place += size
    sounds += level.flush()
    assert sounds[0].pts == start
    for before, after in zip(sounds, [*sounds[1:], None], strict=True):
        assert before.pts + before.samples.shape[1] == (after.pts if after else place)


def test_a_click_is_not_moved_by_the_correction() -> None:
    samples = np.zeros((2, 8 * 1024), np.float32)
    samples[:, 5000] = 0.5
    made = joined(levelled(of(-23), samples, size=1024))
    assert int(np.abs(made[0]).argmax()) == 5000


def test_without_a_target_sound_goes_through_as_it_is() -> None:
    samples = noise(5, -3)
    level = of(None)
    assert level.delay == 0
    assert all(
        sound.samples is part.samples for part in [Sound("en", 0, samples)] for sound in level.push(part)
    )
    shown = level.shown()
    assert shown is not None
    assert (shown.gain, shown.limited) == (None, 0.0)
    assert shown.reading.integrated is not None
    assert of(None, measured=False).shown() is None


def test_status_tells_gain_and_limiting() -> None:
    level, part = of(-14.0), noise(4, -22)
    for place in range(0, 4 * part.shape[1], part.shape[1]):
        level.push(Sound("en", place, part))
    shown = level.shown()
    assert shown is not None
    assert shown.gain == pytest.approx(3, abs=1)
    assert shown.reading.short_term == pytest.approx(-14, abs=1)


def energy(loudness: float) -> float:
    return float(10 ** ((loudness + 0.691) / 10))


def test_the_gain_waits_three_seconds_and_never_moves_faster_than_a_decibel_a_second() -> None:
    gain = Gain(-23)
    steps = [gain.step(energy(-50)) for _ in range(400)]
    assert steps[:29] == [0.0] * 29
    assert max(after - before for before, after in pairwise(steps)) <= 0.1 + 1e-9
    assert steps[-1] == 20  # and no more, though 27 dB are missing


def test_how_the_sound_is_cut_changes_no_gain() -> None:
    """Beeps over a hum: each step sees its own sound, however much comes at once."""
    place = np.arange(7 * RATE)
    beeps = np.where(place % RATE < RATE // 20, 0.5, 0.01) * np.sin(2 * np.pi * 1000 * place / RATE)
    samples = np.stack([beeps, beeps]).astype(np.float32)
    one, other = of(-26.0), of(-26.0)
    levelled(one, samples, size=1024)
    levelled(other, samples, size=3 * RATE)
    shown, same = one.shown(), other.shown()
    assert shown is not None
    assert same is not None
    assert shown.gain == same.gain
    assert shown.gain is not None
    assert shown.gain < -1


def test_silence_and_soft_passages_leave_the_gain_as_it_is() -> None:
    gain = Gain(-23)
    for _ in range(1000):
        gain.step(energy(-30))
    assert gain.decibels == pytest.approx(7, abs=0.1)
    before = gain.decibels
    for quiet in (0.0, energy(-80), energy(-55)):
        for _ in range(50):
            gain.step(quiet)
    assert gain.decibels == before
