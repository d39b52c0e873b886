"""A worker's state as JSON, as a health answer and as Prometheus text."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from abr.metrics import Metrics
from abr.model.state import State

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


def _readings(state: State, metrics: Metrics) -> "Iterator[Reading]":
    channel = {"channel": state.channel}
    for phase in _PHASES:
        text = "1 for the phase that the channel is in"
        yield "phase", "gauge", text, {**channel, "phase": phase}, float(state.phase == phase)
    yield "edge_seconds", "gauge", "Age of the newest release's end", channel, state.edge
    yield "sequence", "gauge", "Sequence of the newest release", channel, float(state.sequence)
    if state.feed is not None:
        yield "feed_received_bytes", "counter", "Bytes from the feed", channel, float(state.feed.received)
    for rung in state.rungs:
        yield "rung_bitrate", "gauge", "Bits/s lately", {**channel, "rung": rung.name}, float(rung.rate)
    for origin in state.origins:
        labels = {**channel, "origin": origin.name}
        yield "origin_backlog", "gauge", "Objects not confirmed yet", labels, float(origin.backlog)
        yield "origin_confirmed", "counter", "Objects confirmed", labels, float(origin.confirmed)
        yield (
            "origin_stopped",
            "gauge",
            "1 when delivery was given up",
            labels,
            float(origin.state == "stopped"),
        )
    for name, count in state.counters.items():
        yield f"frames_{name}", "counter", "Since the event began", channel, float(count)
    for sample in metrics.samples():
        yield sample.name, sample.kind, sample.help, {**channel, **dict(sample.labels)}, sample.value
