"""Channels are mixed by BS.775, and full scale everywhere stays full scale."""

import av
import numpy as np
import pytest

from abr.transcode.downmix import channel_names, mixing

LAYOUTS = [
    "3.0", "3.0(back)", "4.0", "quad", "quad(side)", "5.0", "5.0(side)", "5.1", "5.1(side)", "6.1", "7.0",
    "7.1", "7.1(wide)", "5.1.2", "5.1.4", "7.1.4", "hexadecagonal", "downmix", "22.2", "cube",
]  # fmt: skip


def names(layout: str) -> tuple[str, ...]:
    return channel_names(av.AudioLayout(layout))


@pytest.mark.parametrize("layout", ["5.1", "5.1(side)"])
def test_five_and_one_become_two(layout):
    """L' = L + 0.707·C + 0.707·Ls, all by the same 0.414: with every channel full it is just full."""
    rows = mixing(names(layout), 2)
    full, part = 1 / (1 + 2 * 0.5**0.5), 0.5**0.5 / (1 + 2 * 0.5**0.5)
    assert rows == pytest.approx(np.array([[full, 0, part, 0, part, 0], [0, full, part, 0, 0, part]]))


def test_five_become_one():
    rows = mixing(names("5.0"), 1)
    half = 0.5**0.5
    assert rows[0] / rows[0][0] == pytest.approx([1, 1, 2 * half, half, half])
    assert rows.sum() == pytest.approx(1)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_clips(layout, channels):
    rows = mixing(names(layout), channels)
    if rows is not None:
        assert rows.shape == (channels, len(names(layout)))
        assert rows.min() >= 0
        assert rows.sum(axis=1).max() <= 1 + 1e-6


@pytest.mark.parametrize("layout", LAYOUTS)
def test_left_and_right_are_alike(layout):
    rows = mixing(names(layout), 2)
    if rows is not None:
        assert rows[0].sum() == pytest.approx(rows[1].sum())


def test_what_has_the_wanted_channels_is_not_touched():
    assert mixing(names("stereo"), 2) is None
    assert mixing(names("mono"), 1) is None
    assert mixing(names("5.1"), 6) is None
    assert mixing(names("5.1(side)"), 6) is None


def test_two_channels_become_one_and_the_other_way_round():
    assert mixing(names("stereo"), 1).tolist() == [[0.5, 0.5]]
    assert mixing(names("mono"), 2).tolist() == [[1], [1]]


def test_fewer_channels_stand_in_front_of_six():
    assert np.argwhere(mixing(names("stereo"), 6)).tolist() == [[0, 0], [1, 1]]
    assert mixing(names("mono"), 6).sum(axis=1).tolist() == [1, 1, 0, 0, 0, 0]


def test_channels_without_names_are_the_usual_ones():
    assert channel_names(av.AudioLayout("6 channels" if _takes("6 channels") else "5.1"))[:3] == (
        "FL",
        "FR",
        "FC",
    )


def _takes(layout: str) -> bool:
    try:
        av.AudioLayout(layout)
    except ValueError:
        return False
    return True
