"""What an input shows and sounds like, as far as it decides whether to leave it."""

from fractions import Fraction

import av
import numpy as np
import pytest

from abr.model.time import NANO
from abr.transcode.frame import DecodedPicture, DecodedSound
from abr.transcode.sight import Sight, Watcher

SECOND = NANO


def picture(luma, form="yuv420p"):
    frame = av.VideoFrame.from_ndarray(
        np.vstack((luma, np.full((luma.shape[0] // 2, luma.shape[1]), 128, np.uint8))), format="yuv420p"
    )
    return frame if form == "yuv420p" else frame.reformat(format=form)


def plain(value, size=(180, 320)):
    return np.full(size, value, np.uint8)


def sound(level, form="fltp"):
    wave = level * np.sin(np.arange(1024) / 10)
    if form == "s16p":
        return av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16)[None], format=form, layout="mono")
    return av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format=form, layout="mono")


def watched(*rows):
    """What is known after rows of (item, seconds) at 5 a second."""
    it, now = Watcher(0), 0
    for item, seconds in rows:
        for _ in range(int(seconds * 5)):
            now += SECOND // 5
            kind = DecodedPicture if isinstance(item, av.VideoFrame) else DecodedSound
            it.see(kind(0, 0, item), now)
    return it.sight


@pytest.mark.parametrize("form", ["yuv420p", "yuvj420p", "yuv420p10le", "nv12", "rgb24", "gray8"])
def test_black_is_black_and_grey_is_not_in_every_form(form):
    assert watched((picture(plain(60), form), 1), (picture(plain(16), form), 2)).bright == 1 * SECOND
    assert watched((picture(plain(16), form), 1), (picture(plain(60), form), 2)).bright == 3 * SECOND


@pytest.mark.parametrize(
    "form", ["monow", "monob", "yuyv422", "uyvy422", "p010le", "yuv420p10be", "gbrp", "pal8"]
)
@pytest.mark.parametrize("size", [(16, 16), (17, 19), (320, 180), (4096, 16), (16, 4096)])
def test_a_picture_of_any_form_and_size_is_looked_at(form, size):
    sight = watched((av.VideoFrame(*size, form), 1))
    assert (sight.pictured, sight.moved) == (SECOND, SECOND // 5)


@pytest.mark.parametrize("form", ["monow", "yuyv422", "p010le", "yuv420p10be", "gbrp"])
def test_black_is_black_in_forms_that_are_converted(form):
    assert watched((picture(plain(235), form), 1), (picture(plain(16), form), 2)).bright == 1 * SECOND


def test_a_logo_in_a_corner_is_still_black_and_a_headline_is_not():
    logo, headline = plain(16), plain(16)
    logo[4:20, 4:30] = 200
    headline[140:170] = 200
    assert watched((picture(logo), 3)).bright == 0
    assert watched((picture(headline), 3)).bright == 3 * SECOND


def test_a_picture_that_stands_still_was_last_moved_when_it_came():
    sight = watched((picture(plain(60)), 2), (picture(plain(90)), 3))
    assert sight.moved == int(2.2 * SECOND)
    assert sight.pictured == 5 * SECOND


def test_a_small_thing_that_moves_is_seen():
    clock = plain(60)
    clock[10:30, 10:40] = 200
    assert watched((picture(plain(60)), 2), (picture(clock), 1)).moved == int(2.2 * SECOND)


def test_what_a_coder_does_to_a_still_picture_is_no_motion():
    """Grain at a low rate, with key frames: the error changes all the time."""
    chance = np.random.default_rng(3)
    grain = np.clip(
        np.kron(chance.normal(120, 40, (23, 40)), np.ones((8, 8)))[:180] + chance.normal(0, 6, (180, 320)),
        16,
        235,
    )
    coder = av.CodecContext.create("libx264", "w")
    coder.width, coder.height, coder.pix_fmt, coder.time_base = 320, 180, "yuv420p", Fraction(1, 25)
    coder.framerate, coder.bit_rate, coder.gop_size = Fraction(25), 200_000, 25
    coder.thread_count, coder.options = 1, {"preset": "veryfast"}
    decoder, watcher, place = av.CodecContext.create("h264", "r"), Watcher(0), 0
    for number in range(101):
        frame = picture(grain.astype(np.uint8))
        frame.pts = number
        for packet in coder.encode(frame if number < 100 else None):
            for made in decoder.decode(av.Packet(bytes(packet))):
                place += 1
                watcher.see(DecodedPicture(0, 0, made), place * SECOND // 25)
    assert place > 90
    assert watcher.sight.moved < 2 * SECOND


def test_another_size_is_motion():
    assert watched((picture(plain(60)), 2), (picture(plain(60, (90, 160))), 1)).moved > 2 * SECOND


@pytest.mark.parametrize("form", ["fltp", "s16p"])
def test_sound_below_60_db_is_silence(form):
    assert watched((sound(0.5, form), 1), (sound(0.0005, form), 2)).loud == 1 * SECOND
    assert watched((sound(0.0, form), 1), (sound(0.01, form), 2)).loud == 3 * SECOND


def test_sound_in_a_form_that_cannot_be_read_counts_as_heard():
    assert watched((av.AudioFrame(format="s64", layout="mono", samples=1024), 1)).loud == SECOND


def test_nothing_was_seen_before_anything_came():
    assert Watcher(7).sight == Sight(None, None, 7, 7, 7)
