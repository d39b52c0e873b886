"""Ladders for tests of what comes before the encoders."""

from fractions import Fraction

from abr.model.ladder import AudioTarget, Ladder, VideoTarget
from abr.model.time import key_interval, segment_duration, video_timescale


def make_ladder(
    fps: Fraction | int = 25,
    *,
    size: tuple[int, int] = (128, 64),
    audio: int = 1,
    video: bool = True,
    target: Fraction = Fraction(2),
) -> Ladder:
    """One rung of `fps`, and so many stereo renditions, each of its own track."""
    rate = Fraction(fps)
    rates = [rate] if video else []
    duration = segment_duration(target, rates, [48_000] * audio)
    keys = int(key_interval(duration, rates) * rate)
    rung = VideoTarget(
        "video", *size, rate, video_timescale(rate), "libx264", 300_000, 400_000, 400_000, key_frames=keys
    )
    sounds = tuple(
        AudioTarget(f"sound-{place}", "aac", 128_000, channels=2, track=place) for place in range(audio)
    )
    return Ladder((rung,) if video else (), sounds, duration, Fraction(300))
