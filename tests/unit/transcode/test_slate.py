"""The slate: a file's picture on bars, or the channel's name; what cannot be one is refused in one sentence."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from abr.errors import ConfigError
from abr.transcode.font import text_mask
from abr.transcode.slate import Slate, open_slate
from tests.fakes.clip import Clip, make_clip


def still(path: Path, pixels: np.ndarray, codec: str, form: str) -> Path:
    """A picture file of these pixels."""
    frame = av.VideoFrame.from_ndarray(pixels, format=form)
    context = av.CodecContext.create(codec, "w")
    if codec == "mjpeg":
        frame = frame.reformat(format="yuvj420p")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, frame.format.name
    context.time_base = Fraction(1, 25)
    path.write_bytes(b"".join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None))))
    return path


def red(height=90, width=160):
    return np.full((height, width, 3), (255, 0, 0), np.uint8)


def luma(frame):
    return frame.to_ndarray()[: frame.height]


@pytest.mark.parametrize("codec", ["png", "mjpeg"])
def test_a_file_fills_its_place_in_the_right_colours(tmp_path, codec):
    slate = open_slate("tv", still(tmp_path / "still", red(), codec, "rgb24"))
    frame = slate.picture((320, 180))
    assert (frame.width, frame.height, frame.format.name) == (320, 180, "yuv420p")
    assert abs(int(luma(frame)[90, 160]) - 63) <= 2  # BT.709 red


def test_a_file_of_another_shape_gets_bars(tmp_path):
    frame = open_slate("tv", still(tmp_path / "s.png", red(90, 90), "png", "rgb24")).picture((320, 180))
    row = luma(frame)[90]
    assert (row[10], row[310]) == (16, 16)
    assert abs(int(row[160]) - 63) <= 2


def test_what_can_be_seen_through_lies_on_black(tmp_path):
    pixels = np.full((90, 160, 4), 255, np.uint8)
    pixels[:, :80, 3] = 0
    frame = open_slate("tv", still(tmp_path / "s.png", pixels, "png", "rgba")).picture((160, 90))
    assert (luma(frame)[45, 20], luma(frame)[45, 140]) == (16, 235)


def test_without_a_file_the_channels_name_is_drawn():
    frame = Slate("tv-1").picture((640, 360))
    mask = text_mask("tv-1", 6)
    height, width = mask.shape
    top, left = (360 - height) // 2, (640 - width) // 2
    assert ((luma(frame) == 200).sum(), mask.sum()) == (mask.sum(), mask.sum())
    assert (luma(frame)[top : top + height, left : left + width][mask] == 200).all()


@pytest.mark.parametrize("size", [(64, 64), (256, 144), (1920, 1080)])
def test_the_longest_name_fits_into_any_rung(size):
    frame = Slate("a" * 64).picture(size)
    assert (frame.width, frame.height) == size
    assert (luma(frame) == 200).any()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read as a PNG or JPEG picture"),
        (b"hello, world" * 50, "cannot be read as a PNG or JPEG picture"),
        (make_clip(Clip(seconds=Fraction(1, 5))), "is no picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), ""),
    ],
    ids=["empty", "text", "film", "broken"],
)
def test_what_is_no_picture_is_refused_in_one_sentence(tmp_path, content, words):
    path = tmp_path / "slate.png"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        open_slate("tv", path)
    assert str(caught.value).startswith(f"slate: {path} ")
    assert words in str(caught.value)


def test_a_picture_that_is_too_large_is_refused_before_it_is_decoded(tmp_path):
    path = still(tmp_path / "s.png", red(16, 16), "png", "rgb24")
    data = bytearray(path.read_bytes())
    data[16:24] = (20_000).to_bytes(4, "big") * 2
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=r"slate: "):
        open_slate("tv", path)
