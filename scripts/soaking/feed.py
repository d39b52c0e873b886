"""A feed without media: packets whose times wrap, on a clock that drifts, and the frames that they stand for."""

import heapq
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import av
import numpy as np

from abr.model.media import Kind, Packet, Track
from abr.model.time import NANO
from abr.transcode.frame import Decoded, DecodedPicture, DecodedSound

FPS = 25
RATE = 48_000
PIECE = 1024
TICKS = 90_000
TURN = 9_600
"""Samples in which the sound turns once, left and right: any of them tells the time that it was made, modulo 200 ms."""

_WRAP = 1 << 33
_BEFORE = 3600 * TICKS
"""The counter begins at 0 again after an hour."""

BASE = Fraction(1, TICKS)
TRACKS = (
    Track(0, Kind.VIDEO, "h264", BASE, width=64, height=32, frame_rate=Fraction(FPS)),
    Track(1, Kind.AUDIO, "aac", BASE, sample_rate=RATE, channels=2),
)
PICTURES = [av.VideoFrame(64, 32, "yuv420p") for _ in range(60)]


class Sent(NamedTuple):
    """A packet, and the feed's own time at which it was made and sent, ns."""

    time: int
    packet: Packet


def packets(hours: float) -> Iterator[Sent]:
    """What an encoder sends in so many hours of its clock."""
    seconds = int(hours * 3600)
    pictures = (_sent(0, place, place * NANO // FPS, TICKS // FPS) for place in range(seconds * FPS))
    sounds = (
        _sent(1, place, place * PIECE * NANO // RATE, PIECE * TICKS // RATE)
        for place in range(seconds * RATE // PIECE)
    )
    return heapq.merge(pictures, sounds, key=lambda sent: sent.time)


def _sent(track: int, place: int, time: int, duration: int) -> Sent:
    ticks = (_WRAP - _BEFORE + place * duration) % _WRAP
    key = track == 1 or place % (2 * FPS) == 0
    return Sent(time, Packet(track, ticks, ticks, duration, key, False, b"%d %d" % (track, place)))


def decoded(packet: Packet) -> Decoded:
    """The frame of a packet: pictures are numbered, sound turns."""
    place = int(packet.data.split()[1])  # type: ignore[union-attr]
    assert packet.pts is not None
    if packet.track == 0:
        return DecodedPicture(0, packet.pts, PICTURES[place % len(PICTURES)])
    return DecodedSound(1, packet.pts, _piece(place * PIECE % TURN))


@cache
def _piece(first: int) -> av.AudioFrame:
    angle = 2 * np.pi * (np.arange(first, first + PIECE) % TURN) / TURN
    both = np.stack((np.cos(angle), np.sin(angle))).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(both, format="fltp", layout="stereo")
    frame.sample_rate = RATE
    return frame
