"""Lip sync from flashes and beeps."""

from fractions import Fraction

import numpy as np

from abr.verify.library import Library
from abr.verify.playlist import read_media, read_text
from abr.verify.rendition import load
from abr.verify.source import Source, base_of
from tests.fakes.broadcast import broadcast
from tests.fakes.lipsync import Frame, av_offset, beeps, flashes, offset


def test_a_flash_is_its_first_frame():
    lumas = [20, 20, 200, 200, 20, 20, 210, 20]
    frames = [Frame(Fraction(place, 25), luma) for place, luma in enumerate(lumas)]
    assert flashes(frames) == [Fraction(2, 25), Fraction(6, 25)]


def test_a_beep_is_sound_after_silence_to_the_sample():
    samples = np.zeros(48_000, dtype=np.float32)
    samples[12_000:14_000] = 0.5
    samples[13_000:13_100] = 0
    samples[40_000:41_000] = -0.5
    start = Fraction(10)
    assert beeps(samples, 48_000, start) == [
        start + Fraction(12_000, 48_000),
        start + Fraction(40_000, 48_000),
    ]


def test_sound_from_the_first_sample_is_no_beep():
    assert beeps(np.full(4_800, 0.5, dtype=np.float32), 48_000, Fraction(0)) == []
    assert beeps(np.zeros(10, dtype=np.float32), 48_000, Fraction(0)) == []


def test_the_offset_is_the_median_of_pairs_and_late_sound_is_positive():
    flash = [Fraction(1), Fraction(2), Fraction(3)]
    beep = [Fraction(1020, 1000), Fraction(2021, 1000), Fraction(3019, 1000), Fraction(9)]
    assert offset(flash, beep) == Fraction(20, 1000)
    assert offset(flash, []) is None
    assert offset([], beep) is None


def test_a_stream_without_flashes_has_no_offset(tmp_path):
    base = base_of(broadcast(count=1).write(tmp_path))
    source = Source()
    library = Library(source)
    renditions = []
    for name in ("lo", "audio"):
        url = f"{base}{name}/index.m3u8"
        renditions.append(load(library, read_media(read_text(url, source.read(url).body)), "variant"))
    assert av_offset(source, *renditions) is None
