"""Sound is made longer or shorter without a seam and without noise."""

import numpy as np
import pytest

from abr.transcode.stretch import Stretch

RATE = 48_000


def tone(hertz: float, count: int = RATE) -> np.ndarray:
    return (0.5 * np.cos(2 * np.pi * hertz / RATE * np.arange(count))).astype(np.float32)[np.newaxis]


def stretched(samples: np.ndarray, slow: float, piece: int = 1024) -> np.ndarray:
    stretch = Stretch(samples.shape[0])
    pieces = [stretch.push(samples[:, at : at + piece], slow) for at in range(0, samples.shape[1], piece)]
    return np.concatenate([*pieces, stretch.flush()], axis=1)


def noise(samples: np.ndarray, hertz: float) -> float:
    """THD+N in dB: all that is not the tone, against the tone."""
    angle = 2 * np.pi * hertz / RATE * np.arange(samples.size)
    parts = np.stack((np.cos(angle), np.sin(angle)), axis=1)
    weights = np.linalg.lstsq(parts, samples.astype(np.float64), rcond=None)[0]
    wanted = parts @ weights
    return float(10 * np.log10(np.mean((samples - wanted) ** 2) / np.mean(wanted**2)))


@pytest.mark.parametrize(
    "ppm", [200, -1000, *(pytest.param(ppm, marks=pytest.mark.thorough) for ppm in (-200, 1000))]
)
@pytest.mark.parametrize(("hertz", "most"), [(100, -100), (1000, -90), (10_000, -88), (18_000, -80)])
def test_a_tone_stays_a_tone(hertz, most, ppm):
    made = stretched(tone(hertz), ppm * 1e-6)[0, 500:-500]
    assert noise(made, hertz / (1 + ppm * 1e-6)) < most


@pytest.mark.parametrize("piece", [100, 480, 1024, 4800])
@pytest.mark.parametrize("ppm", [200, -1000])
def test_it_lasts_as_much_longer_as_asked_whatever_the_pieces(piece, ppm):
    made = stretched(tone(440, 24_000), ppm * 1e-6, piece)
    assert made.shape[1] == pytest.approx(24_000 * (1 + ppm * 1e-6), abs=1)
    assert np.allclose(
        made[:, 200:22_000], stretched(tone(440, 24_000), ppm * 1e-6)[:, 200:22_000], atol=1e-4
    )


def test_as_long_as_nothing_is_asked_nothing_is_changed():
    stretch, samples = Stretch(2), np.tile(tone(440, 1000), (2, 1))
    assert stretch.push(samples, 0.0) is samples
    assert stretch.held == stretch.flush().shape[1] == 0


def test_it_begins_without_a_seam():
    stretch, samples = Stretch(1), tone(1000, 8192)
    pieces = [stretch.push(samples[:, :4096], 0.0), stretch.push(samples[:, 4096:], 1e-9)]
    made = np.concatenate(pieces, axis=1)
    assert np.allclose(made, samples[:, : made.shape[1]], atol=1e-4)
    assert 8192 - made.shape[1] == pytest.approx(stretch.held, abs=1)


def test_what_is_held_comes_at_the_end_and_a_new_row_begins():
    stretch = Stretch(1)
    made = stretch.push(tone(440, 1000), 1e-9)
    held = stretch.held
    assert made.shape[1] + held == pytest.approx(1000, abs=1)
    assert stretch.flush().shape[1] == held
    assert stretch.push(samples := tone(440, 100), 0.0) is samples


def test_channels_keep_apart():
    both = np.concatenate((tone(440, 9600), tone(880, 9600)))
    made = stretched(both, 5e-4)
    assert np.allclose(made[0], stretched(tone(440, 9600), 5e-4)[0])
    assert np.allclose(made[1], stretched(tone(880, 9600), 5e-4)[0])
