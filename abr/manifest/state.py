"""The public state of a channel: what a reader of the bucket needs beside the playlists. Holds no secret."""

import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from abr.model.segment import Rendition, Session

LAYOUT = 1
"""Version of the layout of objects below an origin."""


def public_state(sessions: Sequence[tuple[Session, int]], *, ended: bool) -> bytes:
    """`state.json` of an event: its sessions in order, each with its discontinuity sequence, at least one.

    Durations are exact fractions of seconds as text ("48/25"). The ladder is that of the last session.
    """
    last = sessions[-1][0]
    state = {
        "layout": LAYOUT,
        "channel": last.channel,
        "event": last.event,
        "ended": ended,
        "recording": f"recordings/{last.event}/",
        "segment_duration": _exact(last.duration),
        "lag": _exact(last.lag),
        "window": _exact(last.window),
        "sessions": [
            {"id": session.id, "discontinuity": discontinuity} for session, discontinuity in sessions
        ],
        "renditions": [_rendition(rendition) for rendition in last.renditions],
    }
    return (json.dumps(state, indent=2, ensure_ascii=False) + "\n").encode()


def _rendition(rendition: Rendition) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": rendition.name,
        "kind": str(rendition.kind),
        "timescale": rendition.timescale,
        "delay": rendition.delay,
        "codec": rendition.codec,
        "bandwidth": rendition.bandwidth,
        "average_bandwidth": rendition.average_bandwidth,
        "width": rendition.width,
        "height": rendition.height,
        "frame_rate": None if rendition.frame_rate is None else _exact(rendition.frame_rate),
        "sample_rate": rendition.sample_rate,
        "channels": rendition.channels,
        "language": rendition.language,
        "label": rendition.label,
    }
    return {key: value for key, value in fields.items() if value not in {None, 0, ""} or key == "delay"}


def _exact(value: Fraction) -> str:
    return str(value)
