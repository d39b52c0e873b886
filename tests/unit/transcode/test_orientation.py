"""Turned pictures are set upright: each corner comes where it belongs."""

import gc
import weakref

import av
import numpy as np
import pytest

from abr.model.media import UPRIGHT, Turn
from abr.transcode.orientation import Turner
from tests.fakes.footage import grey, luma_of

CORNERS = np.kron(np.array([[40, 80], [120, 160]], np.uint8), np.ones((24, 32), np.uint8))


def corners(turn: Turn, form: str = "yuv420p") -> list[list[int]]:
    frame = grey(CORNERS)
    frame = frame if form == "yuv420p" else frame.reformat(format=form)
    made = Turner(turn).upright(frame, turn)
    assert (made.width, made.height) == ((48, 64) if turn.sideways else (64, 48))
    luma = luma_of(made) if form == "yuv420p" else made.to_ndarray(format="gray8")
    return [[int(luma[5, 5]), int(luma[5, -5])], [int(luma[-5, 5]), int(luma[-5, -5])]]


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (Turn(0), [[40, 80], [120, 160]]),
        (Turn(1), [[120, 40], [160, 80]]),
        (Turn(2), [[160, 120], [80, 40]]),
        (Turn(3), [[80, 160], [40, 120]]),
        (Turn(0, mirrored=True), [[80, 40], [160, 120]]),
        (Turn(1, mirrored=True), [[160, 80], [120, 40]]),
        (Turn(2, mirrored=True), [[120, 160], [40, 80]]),
        (Turn(3, mirrored=True), [[40, 120], [80, 160]]),
    ],
)
def test_corners_come_where_they_belong(turn, expected):
    assert corners(turn) == expected


@pytest.mark.parametrize("form", ["yuv422p", "nv12", "yuv420p10le", "yuv444p"])
def test_any_form_can_be_turned(form):
    got, expected = corners(Turn(1), form), [[120, 40], [160, 80]]
    assert np.abs(np.array(got) - expected).max() <= 20  # full range grey of limited range luma
    assert got[0][0] > got[0][1]
    assert got[1][0] > got[1][1]


def test_an_upright_picture_is_the_same_object():
    frame = grey(CORNERS)
    assert Turner(UPRIGHT).upright(frame, UPRIGHT) is frame


def test_a_frame_that_says_nothing_is_turned_as_its_container_says():
    assert Turner(Turn(3)).turn_of(grey(CORNERS)) == Turn(3)


def test_a_picture_that_was_looked_at_is_freed_without_a_collection():
    """Cycles would hold hundreds of pictures, a gigabyte, before the collector looks."""
    gc.disable()
    try:
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.opaque = np.zeros(1)  # PyAV lets it go with the frame
        held = weakref.ref(frame.opaque)
        assert Turner(UPRIGHT).turn_of(frame) == UPRIGHT
        assert held() is not None
        del frame
        assert held() is None
    finally:
        gc.enable()
