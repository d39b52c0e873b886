"""Sound of any form becomes 48 kHz of the wanted channels, on its own time."""

from fractions import Fraction

import av
import numpy as np
import pytest

from abr.transcode.resample import Resampler

RATE = 48_000


def frame(samples: np.ndarray, rate: int, layout: str, *, form: str = "fltp", pts: int = 0) -> av.AudioFrame:
    made = av.AudioFrame.from_ndarray(samples, format=form, layout=layout)
    made.sample_rate, made.pts, made.time_base = rate, pts, Fraction(1, rate)
    return made


def wave(start: int, count: int, rate: int) -> np.ndarray:
    return np.sin(2 * np.pi * 440 * np.arange(start, start + count) / rate).astype(np.float32)


def joined(pieces) -> tuple[int, np.ndarray]:
    """The first time (ns) and all samples; pieces follow each other within a sample."""
    pieces = list(pieces)
    place = None
    for at, samples in pieces:
        assert place is None or abs(at - place) <= 2 * 10**9 // RATE
        place = at + samples.shape[1] * 10**9 // RATE
    return pieces[0][0], np.concatenate([samples for _, samples in pieces], axis=1)


def test_sound_of_the_right_form_is_not_touched():
    samples = np.stack([wave(0, 1024, RATE), wave(500, 1024, RATE)])
    [(at, made)] = Resampler(RATE, 2).push(7_000, frame(samples, RATE, "stereo"))
    assert at == 7_000
    assert np.array_equal(made, samples)
    assert made.dtype == np.float32


def test_one_channel_becomes_two_at_full_level():
    samples = wave(0, 1024, RATE)[np.newaxis]
    [(_, made)] = Resampler(RATE, 2).push(0, frame(samples, RATE, "mono"))
    assert np.array_equal(made, np.repeat(samples, 2, axis=0))


@pytest.mark.parametrize("rate", [44_100, 32_000, 96_000, 22_050])
def test_other_rates_keep_their_time_and_shape(rate):
    resampler, start = Resampler(RATE, 2), 3_000_000_000
    pieces = []
    for place in range(0, rate, rate // 50):
        item = frame(wave(place, rate // 50, rate)[np.newaxis], rate, "mono", pts=90_000 + place)
        pieces += resampler.push(start + place * 10**9 // rate, item)
    at, made = joined(pieces + resampler.flush())
    assert abs(at - start) <= 10**9 // RATE
    assert abs(made.shape[1] - RATE) <= 50
    expected = wave(0, RATE, RATE)
    assert np.abs(made[0, 1000:40_000] - expected[1000:40_000]).max() < 0.01
    assert np.array_equal(made[0], made[1])


def test_integers_become_floats():
    samples = np.repeat((wave(0, 1024, RATE) * 32767).astype(np.int16), 2)[np.newaxis]
    made = joined(Resampler(RATE, 2).push(0, frame(samples, RATE, "stereo", form="s16")))[1]
    assert np.abs(made[0] - wave(0, 1024, RATE)).max() < 1e-3


def test_six_channels_are_mixed_down_to_two():
    samples = np.zeros((6, 1024), np.float32)
    samples[2] = 0.5  # the centre
    made = joined(Resampler(RATE, 2).push(0, frame(samples, RATE, "5.1")))[1]
    assert made.shape[0] == 2
    assert np.array_equal(made[0], made[1])
    assert made[0].max() == pytest.approx(0.5 * 0.5**0.5 / (1 + 2 * 0.5**0.5))


@pytest.mark.parametrize("form", ["fltp", "s16"])
@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_full_scale_in_all_channels_does_not_clip(rate, form):
    """However the source counts its samples: the mix is ours, and the same for all."""
    samples = np.tile(wave(0, rate // 10, rate), (6, 1))
    if form == "s16":
        samples = (samples.T.reshape(1, -1) * 32767).astype(np.int16)
    resampler = Resampler(RATE, 2)
    made = joined(resampler.push(0, frame(samples, rate, "5.1", form=form)) + resampler.flush())[1]
    assert 0.95 < np.abs(made[:, 500:4000]).max() <= 1.005


def test_a_change_of_rate_and_layout_loses_nothing():
    resampler, pieces = Resampler(RATE, 2), []
    for place in range(48):
        pieces += resampler.push(place * 10**9 // 48, frame(wave(0, 1000, RATE)[np.newaxis], RATE, "mono"))
    for place in range(0, 44_100, 900):
        stereo = np.stack([wave(place, 900, 44_100)] * 2)
        pieces += resampler.push(10**9 + place * 10**9 // 44_100, frame(stereo, 44_100, "stereo", pts=place))
    _, made = joined(pieces + resampler.flush())
    assert abs(made.shape[1] - 2 * RATE) <= 50
    assert resampler.refused == 0


def test_damaged_floats_become_silence():
    samples = np.ones((2, 1024), np.float32)
    samples[0, 5], samples[1, 6] = np.nan, np.inf
    [(_, made)] = Resampler(RATE, 2).push(0, frame(samples, RATE, "stereo"))
    assert np.isfinite(made).all()
    assert made.sum() == 2046


FORMS = [(48_000, "stereo", "fltp"), (44_100, "stereo", "fltp"), (44_100, "mono", "s16p"), (48_000, "mono", "fltp"), (32_000, "stereo", "s16p"), (48_000, "stereo", "fltp")]  # fmt: skip


def test_changes_of_rate_and_layout_are_not_heard():
    """A tone goes on through all of them: no hole, and no step that is not the tone's own."""
    resampler, pieces, place = Resampler(RATE, 2), [], 0
    for rate, layout, form in FORMS:
        for _ in range(10):
            samples = np.tile(wave(place * rate // 50, rate // 50, rate), (2 if layout == "stereo" else 1, 1))
            if form == "s16p":
                samples = (samples * 32767).astype(np.int16)
            pieces += resampler.push(
                place * 20_000_000, frame(samples, rate, layout, form=form, pts=place * rate // 50)
            )
            place += 1
    at, made = joined(pieces + resampler.flush())
    assert at == 0
    assert abs(made.shape[1] - place * 960) <= len(FORMS)
    steepest = 2 * np.pi * 440 / RATE
    assert np.abs(np.diff(made[0])).max() < 2 * steepest
    assert resampler.refused == 0
