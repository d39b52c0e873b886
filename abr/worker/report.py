"""The worker's state, put together for status from what each part says of itself."""

from dataclasses import replace

from abr.config.settings import LiveSettings
from abr.model.segment import Rendition
from abr.model.state import Phase, RungState, State
from abr.model.time import NANO
from abr.worker.channel import Channel
from abr.worker.delivery import Books, Delivery
from abr.worker.live import LiveEvent
from abr.worker.packager import Tally


def report(settings: LiveSettings, channel: Channel, delivery: Delivery, books: Books) -> State:
    """A picture of now; may be taken from any thread."""
    state = State(
        channel=settings.channel,
        phase=Phase.FAILED if channel.failure else channel.phase,
        feed=channel.current_feed(),
        origins=delivery.states(),
        error=str(channel.failure or ""),
    )
    event = channel.event
    return state if event is None else _with_event(state, event, books.clock.wall())


def _with_event(state: State, event: LiveEvent, wall: int) -> State:
    session, progress = event.session, event.progress
    return replace(
        state,
        event=session.event,
        session=session.id,
        sequence=progress.sequence,
        released=progress.released,
        duration=float(session.duration),
        lag=float(session.lag),
        edge=(wall - progress.end) / NANO if progress.released else 0.0,
        rungs=tuple(_rung(item, event.tallies().get(item.name)) for item in session.renditions),
        counters=event.counters(),
    )


def _rung(rendition: Rendition, tally: Tally | None) -> RungState:
    size = f"{rendition.width}x{rendition.height}" if rendition.width else ""
    rate = tally.latest_bits * rendition.timescale // tally.latest_ticks if tally else 0
    return RungState(
        rendition.name,
        rendition.codec,
        size,
        rendition.average_bandwidth,
        rate,
        tally.segments if tally else 0,
    )
