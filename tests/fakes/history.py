"""Journal records of channels that never ran: sessions, and releases on the segment grid."""

from collections.abc import Iterator
from fractions import Fraction

from abr.model.media import Kind
from abr.model.segment import Part, Release, Rendition, SegmentRow, Session
from abr.model.time import AAC_FRAME, Grid, video_timescale

START = 1_788_027_300
"""2026-08-29T18:15:00Z, the instant near which these channels run."""

_RUNGS = (
    ("1080p", 1920, 1080, 5_000_000, "avc1.640028"),
    ("720p", 1280, 720, 2_800_000, "avc1.64001f"),
    ("480p", 854, 480, 1_200_000, "avc1.64001f"),
    ("240p", 426, 240, 300_000, "avc1.640015"),
)


def rungs(rate: Fraction = Fraction(25), count: int = 4) -> tuple[Rendition, ...]:
    """The `count` largest rungs of a ladder."""
    return tuple(
        Rendition(
            name=name,
            kind=Kind.VIDEO,
            timescale=video_timescale(rate),
            codec=codec,
            bandwidth=bits * 8 // 5,
            average_bandwidth=bits,
            width=width,
            height=height,
            frame_rate=rate,
        )
        for name, width, height, bits, codec in _RUNGS[:count]
    )


def sound(
    name: str = "audio", language: str | None = "en", label: str = "", bits: int = 128_000
) -> Rendition:
    """Stereo AAC at 48 kHz."""
    return Rendition(
        name=name,
        kind=Kind.AUDIO,
        timescale=48_000,
        codec="mp4a.40.2",
        bandwidth=bits + bits // 10,
        average_bandwidth=bits,
        sample_rate=48_000,
        channels=2,
        language=language,
        label=label,
    )


def live_session(
    tag: str = "a",
    renditions: tuple[Rendition, ...] = (*rungs(), sound()),
    duration: Fraction = Fraction(48, 25),
    window: Fraction = Fraction(300),
    event: str = "20260829T181500Z-00000000000000ee",
) -> Session:
    """A live session; `tag` makes its id."""
    return Session(
        id=f"20260829T181500Z-{tag:0>16}",
        channel="main",
        renditions=renditions,
        duration=duration,
        live=True,
        lag=Fraction(3),
        window=window,
        event=event,
    )


def number_at(session: Session, seconds: int = 0) -> int:
    """The number of the first segment that begins `seconds` after START or later."""
    return int(-(-(START + seconds) // session.duration))


def releases(
    session: Session,
    number: int,
    count: int,
    sequence: int = 0,
    discontinuity: int = 0,
    gaps: frozenset[int] = frozenset(),
    *,
    everywhere: bool = False,
) -> Iterator[Release]:
    """`count` releases from `number` on; those whose place is in `gaps` have a gap in the first rendition, or in all."""
    for place in range(count):
        rows = tuple(
            _row(session, rendition, number + place, gap=place in gaps and (everywhere or index == 0))
            for index, rendition in enumerate(session.renditions)
        )
        yield Release(sequence + place, discontinuity, session.id, number + place, rows)


def film_release(
    session: Session, sequence: int, number: int, spans: tuple[tuple[int, int], ...], size: int = 100_000
) -> Release:
    """One release of a film; `spans` are start and duration of each rendition, in its own ticks."""
    rows = tuple(
        _written(session, rendition, number, start, duration, size)
        for rendition, (start, duration) in zip(session.renditions, spans, strict=True)
    )
    return Release(sequence, 0, session.id, number, rows)


def _row(session: Session, rendition: Rendition, number: int, *, gap: bool) -> SegmentRow:
    start, end = (_edge(session, rendition, edge) for edge in (number, number + 1))
    if gap:
        return SegmentRow(session.id, rendition.name, number, start, end - start, 0, "", 0, 0, (), gap=True)
    share = (90, 110, 100, 120, 80)[number % 5]
    size = rendition.average_bandwidth * (end - start) * share // (rendition.timescale * 800)
    return _written(session, rendition, number, start, end - start, size)


def _edge(session: Session, rendition: Rendition, number: int) -> int:
    """Where a segment begins: on the grid, for sound at the first frame from there on."""
    start = Grid(session.duration).start(number, rendition.timescale)
    return start if rendition.kind is Kind.VIDEO else -(-start // AAC_FRAME) * AAC_FRAME


def _written(
    session: Session, rendition: Rendition, number: int, start: int, duration: int, size: int
) -> SegmentRow:
    parts = (Part(duration, size, independent=True),)
    return SegmentRow(
        session.id, rendition.name, number, start, duration, size, "0" * 64, 24, size // 10, parts
    )
