"""Filters in a row: order kept, another form no obstacle, what goes in not written to."""

from fractions import Fraction

import av
import pytest

from abr.transcode.chain import Chain
from tests.fakes.footage import bar, grey


def test_each_form_is_filtered_as_it_is():
    chain = Chain(("transpose", "clock"))
    sizes = [(48, 64), (96, 128), (48, 64)]
    made = [chain.push(grey(bar(8, *size))) for size in sizes]
    assert [[(frame.width, frame.height) for frame in frames] for frames in made] == [
        [(48, 64)], [(96, 128)], [(48, 64)],
    ]  # fmt: skip
    assert chain.flush() == []


def test_a_frame_keeps_its_time():
    frame = grey(bar(8))
    frame.pts, frame.time_base = 7, Fraction(1, 25)
    Chain(("hflip", None), ("vflip", None)).push(frame)
    assert (frame.pts, frame.time_base) == (7, Fraction(1, 25))


def test_an_unused_chain_has_nothing_to_give():
    assert Chain(("hflip", None)).flush() == []


def test_what_a_filter_refuses_is_an_error():
    with pytest.raises((av.FFmpegError, ValueError)):
        Chain(("crop", "1000:1000:0:0")).push(grey(bar(8)))
