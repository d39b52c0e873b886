"""The worker's state, put together for status from what each part says of itself."""

from dataclasses import replace

from abr.config.settings import LiveSettings
from abr.model.segment import Rendition
from abr.model.state import ClockState, LoudnessState, Phase, RungState, SlateState, State
from abr.model.time import NANO
from abr.transcode.level import Shown
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
        record=channel.recorder.state() if channel.recorder else None,
        origins=delivery.states(),
        pull=channel.pull,
        inputs=channel.inputs(),
        repairs=channel.repairs(),
        error=str(channel.failure or ""),
    )
    event = channel.event
    return state if event is None else _with_event(state, event, books.clock.wall())


def _with_event(state: State, event: LiveEvent, wall: int) -> State:
    session, progress, slate = event.session, event.progress, event.grid.filler.now()
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
        pictures=event.pictures if state.feed else "",
        load=event.relief.state() if event.relief else None,
        loudness=_loudness(event),
        counters=event.counters(),
        repairs=state.repairs | event.undecodable(),
        clock=ClockState(event.clock.steps, event.clock.step / NANO, event.grid.drift / 1000),
        slate=SlateState(slate.since, slate.total / NANO),
    )


def _loudness(event: LiveEvent) -> tuple[LoudnessState, ...]:
    shown = [(name, level.shown()) for name, level in event.levels.items()]
    return tuple(_heard(name, now) for name, now in shown if now is not None)


def _heard(name: str, now: Shown) -> LoudnessState:
    momentary, short_term, integrated, true_peak = (_tenths(value) for value in now.reading)
    gain = _tenths(now.gain)
    return LoudnessState(name, momentary, short_term, integrated, true_peak, gain, round(now.limited, 1))


def _tenths(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


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
