"""One event: from its first feed to its recording."""

import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from abr.journal.record import InitRow
from abr.model.identity import session_id
from abr.model.ladder import AudioTarget, Ladder, VideoTarget
from abr.model.media import Encoding
from abr.model.segment import Rendition, Session
from abr.model.time import Grid
from abr.package.cutter import CutPlan, Cutter, Follower
from abr.package.header import make_init, rendition_of
from abr.worker.delivery import Books, Delivery
from abr.worker.packager import Cuts

if TYPE_CHECKING:
    from abr.worker.pipeline import Encoders  # with all of transcode, which a copy does without

MARGIN = Fraction(1)
"""Seconds of lag beside hold and encoders: packaging, disk, put (DESIGN 3.11)."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A session that is about to begin: its record and the init segments."""

    session: Session
    inits: Mapping[str, bytes]


def open_session(
    channel: str, ladder: Ladder, encoders: "Encoders", wall: int, *, hold: Fraction | None
) -> Opening:
    """The session of these encoders; `hold` is None for a film. `wall`: its start, ns since the epoch."""
    targets: list[VideoTarget | AudioTarget] = [*ladder.video, *ladder.audio]
    encodings = [
        *_in_step([rung.encoding for rung in encoders.rungs]),
        *(sound.encoding for sound in encoders.sounds.values()),
    ]
    inits = {encoding.name: make_init(encoding) for encoding in encodings}
    renditions = tuple(
        rendition_of(encoding, target, inits[encoding.name], ladder.duration)
        for encoding, target in zip(encodings, targets, strict=True)
    )
    lag = None if hold is None else _lag(hold, encodings)
    return Opening(new_session(channel, ladder, renditions, wall, lag=lag), inits)


def new_session(
    channel: str, ladder: Ladder, renditions: Sequence[Rendition], wall: int, *, lag: Fraction | None
) -> Session:
    """A session that starts at `wall` (ns since the epoch), of an event of its own; `lag` is None for a film."""
    identity = session_id(wall, secrets.token_bytes(8))
    film = lag is None
    return Session(
        id=identity,
        channel=channel,
        renditions=tuple(renditions),
        duration=ladder.duration,
        live=not film,
        lag=lag or Fraction(0),
        window=ladder.window,
        media_start=ladder.duration if film else Fraction(0),
        event=identity,
    )


def begin_session(opening: Opening, books: Books, delivery: Delivery) -> None:
    """Inits on disk, event and session in the journal, then the origins are told."""
    session = opening.session
    rows: dict[str, InitRow] = {
        name: books.spool.write_init(session.id, name, data) for name, data in opening.inits.items()
    }
    books.journal.begin_event(session.event, session.channel, books.clock.wall())
    discontinuity = books.journal.begin_session(session, rows)
    delivery.begin(session, discontinuity, rows)


def end_session(session: Session, books: Books, delivery: Delivery) -> None:
    """What was released is a recording now."""
    books.journal.end_session(session.id)
    books.journal.end_event(session.event, books.clock.wall())
    delivery.end(session)


def live_cutters(session: Session, first: int) -> dict[str, Cuts]:
    """Cutters of a live session that begins with segment `first`."""
    grid = Grid(session.duration)
    return {item.name: Cutter(item, grid, first, live=True) for item in session.renditions}


def film_cutters(session: Session) -> dict[str, Cuts]:
    """Cutters of a film: its first rendition decides, sound follows; rungs have the same key frames."""
    grid = Grid(session.duration)
    plan, cutters = CutPlan(), dict[str, Cuts]()
    first = grid.number_at(session.media_start.numerator, session.media_start.denominator)
    for rendition in session.renditions:
        leads = not cutters
        if leads or _is_picture(rendition):
            cutters[rendition.name] = Cutter(rendition, grid, first, live=False, plan=plan if leads else None)
        else:
            cutters[rendition.name] = Follower(rendition, plan)
    return cutters


def _is_picture(rendition: Rendition) -> bool:
    return rendition.width > 0


def _in_step(rungs: Sequence[Encoding]) -> list[Encoding]:
    """Rungs with one reorder delay, the longest: decode times are the same in all (ISO/IEC 23000-19 7.3.4.1)."""
    delay = max((rung.delay for rung in rungs), default=0)
    return [replace(rung, delay=delay) for rung in rungs]


def _lag(hold: Fraction, encodings: Sequence[Encoding]) -> Fraction:
    slowest = max(Fraction(encoding.held, encoding.timescale) for encoding in encodings)
    return Fraction(math.ceil(hold + slowest + MARGIN))
