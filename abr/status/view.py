"""A worker's state as JSON, as a health answer and as Prometheus text."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from abr.metrics import Metrics
from abr.model.state import (
    SAMPLES,
    ClockState,
    LinkState,
    LoadState,
    LoudnessState,
    OriginState,
    RecordState,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.registry import Collector

_PHASES = ("waiting", "live", "grace", "ending", "ended", "failed")


def state_json(state: State) -> bytes:
    """The whole state for `/api/state`; keys are those of `model.state`."""
    return json.dumps(asdict(state) | {"healthy": state.healthy}, indent=1).encode() + b"\n"


def health(state: State) -> tuple[int, bytes]:
    """Status and text for `/healthz`: 200 while nothing needs an operator, else 503 with the reason."""
    if state.healthy:
        return 200, f"ok {state.phase}\n".encode()
    stopped = "; ".join(f"{item.name}: {item.error}" for item in state.origins if item.state == "stopped")
    return 503, f"{state.error or stopped}\n".encode()


def metrics_text(state: State, metrics: Metrics) -> bytes:
    """The Prometheus exposition of the state and of the worker's own readings."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - only when scraped

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_collector(state, metrics))
    return generate_latest(registry)


def _collector(state: State, metrics: Metrics) -> "Collector":
    from prometheus_client.core import (  # noqa: PLC0415 - only when scraped
        CounterMetricFamily,
        GaugeMetricFamily,
    )
    from prometheus_client.metrics_core import Metric  # noqa: PLC0415
    from prometheus_client.registry import Collector  # noqa: PLC0415

    class Readings(Collector):
        def collect(self) -> "Iterator[Metric]":
            families: dict[str, Metric] = {}
            for name, kind, text, labels, value in _readings(state, metrics):
                make = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
                if name not in families:
                    families[name] = make(f"abr_{name}", text or name, labels=list(labels))
                families[name].add_metric(list(labels.values()), value)  # type: ignore[attr-defined]
            yield from families.values()

    return Readings()


Reading = tuple[str, str, str, dict[str, str], float]


_LEVELS = {
    "momentary_lufs": "Loudness of the last 400 ms (EBU R128); absent in silence",
    "short_term_lufs": "Loudness of the last 3 s",
    "integrated_lufs": "Loudness since the event began, gated",
    "true_peak_dbtp": "Highest true peak since the event began",
    "gain_db": "Change that brings the sound to the loudness asked for",
    "limited_db": "What the limiter takes off now",
}


def _load_readings(load: LoadState, labels: dict[str, str]) -> "Iterator[Reading]":
    """Whether the machine keeps up."""
    yield "behind_seconds", "gauge", "How far the output is behind its time", labels, load.behind
    for level in ("whole", "halved", "paused"):
        text = "1 for what the top rung is: whole, every second frame, or paused"
        yield "load", "gauge", text, {**labels, "level": level}, float(load.level == level)
    text = "Frames that the top rung lost because the machine was too slow"
    yield "load_dropped_frames", "counter", text, labels, float(load.dropped)


def _origin_readings(origin: OriginState, labels: dict[str, str]) -> "Iterator[Reading]":
    """Delivery to one origin."""
    yield "origin_backlog", "gauge", "Objects not confirmed yet", labels, float(origin.backlog)
    yield "origin_confirmed", "counter", "Objects confirmed", labels, float(origin.confirmed)
    stopped = float(origin.state == "stopped")
    yield "origin_stopped", "gauge", "1 when delivery was given up", labels, stopped


def _sound_readings(sound: LoudnessState, channel: dict[str, str]) -> "Iterator[Reading]":
    """What one audio rendition sounds like; silence has no reading."""
    limited = None if sound.gain is None else sound.limited
    values = (sound.momentary, sound.short_term, sound.integrated, sound.true_peak, sound.gain, limited)
    for (name, text), value in zip(_LEVELS.items(), values, strict=True):
        if value is not None:
            yield f"audio_{name}", "gauge", text, {**channel, "rendition": sound.rendition}, value


def _record_readings(record: RecordState, labels: dict[str, str]) -> "Iterator[Reading]":
    """The record of feeds."""
    yield "record_bytes", "gauge", "Bytes of feeds that are kept", labels, float(record.bytes)
    text = "Bytes that the disk could not take"
    yield "record_dropped_bytes", "counter", text, labels, float(record.dropped)
    yield "record_stopped", "gauge", "1 while feeds are not recorded", labels, float(bool(record.error))


def _readings(state: State, metrics: Metrics) -> "Iterator[Reading]":
    channel = {"channel": state.channel}
    for phase in _PHASES:
        text = "1 for the phase that the channel is in"
        yield "phase", "gauge", text, {**channel, "phase": phase}, float(state.phase == phase)
    yield "edge_seconds", "gauge", "Age of the newest release's end", channel, state.edge
    yield "sequence", "gauge", "Sequence of the newest release", channel, float(state.sequence)
    yield from _input_readings(state, channel)
    for rung in state.rungs:
        yield "rung_bitrate", "gauge", "Bits/s lately", {**channel, "rung": rung.name}, float(rung.rate)
    if state.load is not None:
        yield from _load_readings(state.load, channel)
    for sound in state.loudness:
        yield from _sound_readings(sound, channel)
    for origin in state.origins:
        yield from _origin_readings(origin, {**channel, "origin": origin.name})
    for name, count in state.counters.items():
        unit = "samples" if name in SAMPLES else "frames"
        yield f"{unit}_{name}", "counter", "Since the event began", channel, float(count)
    for name, count in state.repairs.items():
        text = "Wrong in what feeds sent, and repaired, since the worker began"
        yield "feed_repairs", "counter", text, {**channel, "kind": name}, float(count)
    if state.clock is not None:
        yield from _clock_readings(state.clock, channel)
    for sample in metrics.samples():
        yield sample.name, sample.kind, sample.help, {**channel, **dict(sample.labels)}, sample.value


def _clock_readings(clock: ClockState, labels: dict[str, str]) -> "Iterator[Reading]":
    """The event's clock."""
    yield "clock_steps", "counter", "How often the machine's clock was set", labels, float(clock.steps)
    yield "clock_behind_seconds", "gauge", "Event's clock behind the machine's", labels, clock.behind
    yield "feed_drift_ppm", "gauge", "Drift of the feed's clock that is made up for", labels, clock.drift


def _input_readings(state: State, channel: dict[str, str]) -> "Iterator[Reading]":
    """What comes in, and what stands in for it."""
    if state.feed is not None:
        yield "feed_received_bytes", "counter", "Bytes from the feed", channel, float(state.feed.received)
    for number, item in enumerate(state.inputs, 1):
        labels = {**channel, "input": str(number)}
        yield "input_on_air", "gauge", "1 for the input that is on air", labels, float(item.on_air)
        yield "input_good", "gauge", "1 while it could be", labels, float(item.condition == "good")
    for place, link in enumerate(_links(state), 1):
        if link is not None:
            yield from _link_readings(link, {**channel, "input": str(place)})
    if state.slate is not None:
        yield "slate", "gauge", "1 while the slate is on air", channel, float(state.slate.since is not None)
        yield "slate_seconds", "counter", "Since the event began", channel, state.slate.seconds
    if state.record is not None:
        yield from _record_readings(state.record, channel)


def _links(state: State) -> "list[LinkState | None]":
    """The SRT connection of each input, of which there may be only one."""
    if state.inputs:
        return [item.link for item in state.inputs]
    return [state.feed.link] if state.feed else []


def _link_readings(link: LinkState, labels: dict[str, str]) -> "Iterator[Reading]":
    """What an SRT connection says of itself; counters since it began."""
    yield "srt_rtt_seconds", "gauge", "Round trip to the publisher", labels, link.rtt / 1000
    yield "srt_latency_seconds", "gauge", "Time to get lost packets again", labels, link.latency / 1000
    yield "srt_receive_bitrate", "gauge", "Bits/s over the last second", labels, float(link.rate)
    yield "srt_packets", "counter", "Packets received", labels, float(link.packets)
    yield "srt_packets_lost", "counter", "Packets asked for again", labels, float(link.lost)
    yield "srt_packets_dropped", "counter", "Packets that never came in time", labels, float(link.dropped)
    text = "Packets that could not be decrypted"
    yield "srt_packets_undecryptable", "counter", text, labels, float(link.undecryptable)
