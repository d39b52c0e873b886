"""Packets without media: what a feed's times may look like."""

from fractions import Fraction

from abr.model.media import Kind, Packet, Track

FLV = Fraction(1, 1000)
TS = Fraction(1, 90_000)


def video_track(index: int = 0, time_base: Fraction = TS, codec: str = "h264") -> Track:
    """A picture track."""
    return Track(index, Kind.VIDEO, codec, time_base, width=64, height=64, frame_rate=Fraction(25))


def audio_track(index: int = 1, time_base: Fraction = TS, codec: str = "aac") -> Track:
    """A sound track."""
    return Track(index, Kind.AUDIO, codec, time_base, sample_rate=48_000, channels=2)


def packet(
    dts: int | None,
    *,
    track: int = 0,
    pts: int | None = None,
    duration: int = 3600,
    key: bool = False,
    data: bytes = b"x",
) -> Packet:
    """A packet; its presentation time is its decode time unless told. `pts=-1` leaves it out."""
    shown = dts if pts is None else None if pts == -1 else pts
    return Packet(track, shown, dts, duration, key, False, data)


def sounds(start: int, count: int, *, track: int = 1) -> list[Packet]:
    """Sound packets of 1920 ticks each (1024 samples at 48 kHz in 90 kHz)."""
    return [packet(start + 1920 * place, track=track, duration=1920, key=True) for place in range(count)]


def pictures(start: int, count: int, *, track: int = 0) -> list[Packet]:
    """Pictures at 25 fps in 90 kHz."""
    return [packet(start + 3600 * place, track=track) for place in range(count)]


def interleaved(*tracks: list[Packet]) -> list[Packet]:
    """Packets of several tracks in the order of their decode times."""
    return sorted((item for track in tracks for item in track), key=lambda item: item.dts or 0)
