"""Fields become whole pictures: one out for each in, those of the first field, only while there are fields."""

import numpy as np
import pytest

from abr.transcode.interlace import Deinterlacer
from tests.fakes.footage import bar, fields, flagged, grey, luma_of


def run(frames):
    """What comes out with each frame that goes in, and at the end."""
    fields_ = Deinterlacer()
    steps = [fields_.push(1000 * place, frame) for place, frame in enumerate(frames)]
    return steps, fields_.flush()


@pytest.mark.parametrize("top_first", [True, False])
def test_each_frame_gives_the_picture_of_its_first_field(top_first):
    steps, rest = run(fields(12, top_first=top_first))
    assert [len(step) for step in steps] == [0] + [1] * 11
    made = [item for step in [*steps, rest] for item in step]
    assert [item.pts for item in made] == [1000 * place for place in range(12)]
    for place, item in enumerate(made):
        first = bar(4 * place)
        kept = luma_of(item.frame)[0 if top_first else 1 :: 2]
        assert np.abs(kept.astype(int) - first[::2]).max() <= 4
        assert not item.frame.interlaced_frame


@pytest.mark.parametrize("top_first", [True, False])
def test_the_other_lines_follow_the_first_field(top_first):
    """Where lines of the second field stood the bar stands at the first field's place: no comb is left."""
    steps, _ = run(fields(8, top_first=top_first))
    for place, item in enumerate(item for step in steps for item in step):
        if 1 <= place <= 5:
            bright = luma_of(item.frame)[8:40] > 125
            assert set(np.argmax(bright, axis=1)) == {4 * place}


def test_progressive_frames_pass_at_once_and_untouched():
    frames = [grey(bar(place)) for place in range(5)]
    steps, rest = run(frames)
    assert [step[0].frame for step in steps] == frames
    assert [step[0].pts for step in steps] == [0, 1000, 2000, 3000, 4000]
    assert rest == []


def test_a_progressive_frame_among_fields_is_not_changed():
    frames = fields(6, top_first=True)
    frames[3] = flagged(grey(bar(30)), "prog")
    steps, rest = run(frames)
    made = [item for step in [*steps, rest] for item in step]
    assert len(made) == 6
    assert np.array_equal(luma_of(made[3].frame), bar(30))


def test_it_ends_some_frames_after_the_last_field_and_loses_none():
    frames = fields(4, top_first=True) + [flagged(grey(bar(place % 50)), "prog") for place in range(80)]
    deinterlacer = Deinterlacer()
    made = []
    for place, frame in enumerate(frames):
        made += deinterlacer.push(place, frame)
        assert deinterlacer.active == (place < 54)
    assert [item.pts for item in made] == list(range(84))
    assert deinterlacer.count == 4


def test_a_change_of_size_among_fields_loses_nothing():
    small = fields(3, top_first=True)
    large = [flagged(grey(bar(8, 96, 128)), "tff") for _ in range(3)]
    steps, rest = run([*small, *large])
    made = [item for step in [*steps, rest] for item in step]
    assert [(item.pts, item.frame.width) for item in made] == [
        (0, 64), (1000, 64), (2000, 64), (3000, 128), (4000, 128), (5000, 128),
    ]  # fmt: skip
