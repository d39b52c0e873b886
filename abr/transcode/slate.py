"""The slate: the picture that stands in for a feed's while that has none."""

from pathlib import Path
from typing import Any

import av
import numpy as np

from abr.errors import ConfigError
from abr.transcode import font
from abr.transcode.picture import PIXELS, tag
from abr.transcode.scale import Scaler, Size

_GROUND, _LETTERS = (40, 140, 122), 200
"""Y, Cb, Cr of a dark blue, and the luma of the name on it (BT.709, limited range)."""

_WIDEST, _HIGHEST = 5, 8
"""The name fills four fifths of the picture's width at most (5), and an eighth of its height (8)."""

_MOST_PIXELS = 8192 * 8192
_STILL = frozenset({"image2", "png_pipe", "jpeg_pipe"})


class Slate:
    """A file's picture on black bars, or the channel's name on a plain ground."""

    def __init__(self, channel: str, image: av.VideoFrame | None = None) -> None:
        self._channel, self._image = channel, image

    def picture(self, size: Size) -> av.VideoFrame:
        """The slate in this size. Raises MediaError for an image that cannot be converted."""
        if self._image is None:
            return _named(self._channel, size)
        return Scaler(size).scale(self._image)


def open_slate(channel: str, path: Path | None) -> Slate:
    """The slate of a channel: this PNG or JPEG file, or a made one. Raises ConfigError."""
    if path is None:
        return Slate(channel)
    slate = Slate(channel, _read(path))
    slate.picture((64, 36))  # what cannot be converted is said now, not when the feed is gone
    return slate


def _read(path: Path) -> av.VideoFrame:
    """The picture in a file. Raises ConfigError."""
    try:
        with av.open(f"file:{path}") as container:
            if container.format.name not in _STILL or not container.streams.video:
                raise ConfigError("slate", f"{path} is no picture; name a PNG or JPEG file")
            context = container.streams.video[0].codec_context
            if context.width * context.height > _MOST_PIXELS:
                raise ConfigError(
                    "slate", f"{path} has {context.width}x{context.height} pixels; at most 8192x8192"
                )
            frame = next(container.decode(video=0), None)
    except (av.FFmpegError, OSError) as error:
        raise ConfigError(
            "slate", f"{path} cannot be read as a PNG or JPEG picture: {_why(error)}"
        ) from error
    if frame is None:
        raise ConfigError("slate", f"{path} holds no picture; name a PNG or JPEG file")
    return _opaque(frame)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _opaque(frame: av.VideoFrame) -> av.VideoFrame:
    """A picture that can be seen through lies on black."""
    if not any(part.is_alpha for part in frame.format.components) and not frame.format.has_palette:
        return frame
    pixels = frame.to_ndarray(format="rgba").astype(np.uint16)
    shown = (pixels[..., :3] * pixels[..., 3:] // 255).astype(np.uint8)
    return av.VideoFrame.from_ndarray(shown, format="rgb24")


def _named(text: str, size: Size) -> av.VideoFrame:
    width, height = size
    image = np.empty((height * 3 // 2, width), np.uint8)
    luma, blue, red = _GROUND
    image[:height] = luma
    chroma: Any = image[height:].reshape(2, -1)
    chroma[0], chroma[1] = blue, red
    room = width * (_WIDEST - 1) // _WIDEST
    scale = max(1, min(room // (font.WIDTH * len(text)), height // (_HIGHEST * font.HEIGHT)))
    mask = font.text_mask(text, scale)[:height, :width]
    down, across = mask.shape
    top, left = (height - down) // 2, (width - across) // 2
    image[top : top + down, left : left + across][mask] = _LETTERS
    frame = av.VideoFrame.from_ndarray(image, format=PIXELS)
    tag(frame)
    return frame
