"""What can happen on an RTMP connection that publishes."""

from dataclasses import dataclass, field
from enum import IntEnum


class MediaKind(IntEnum):
    """What a media message carries. The numbers are those of RTMP messages and of FLV tags alike."""

    AUDIO = 8
    VIDEO = 9
    DATA = 18


@dataclass(frozen=True, slots=True)
class Connected:
    """The client named an application that is served here, and was let in."""

    app: str
    agent: str
    """The client's name for itself ("FMLE/3.0 (compatible; …)"), as it came."""


@dataclass(frozen=True, slots=True)
class ConnectRefused:
    """The client named an application that is not served here; it was told so and the session is over."""


@dataclass(frozen=True, slots=True)
class PublishRequested:
    """The client wants to publish; `ServerSession.accept` or `refuse` must answer. Until then no more of it is read."""

    app: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MediaMessage:
    """One audio, video or data message of an accepted publisher."""

    kind: MediaKind
    timestamp: int
    """Milliseconds, unwrapped: goes on beyond 2^32, and may lie before the first one's."""
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PublishEnded:
    """The client said that it stops publishing. Nothing follows."""


Event = Connected | ConnectRefused | PublishRequested | MediaMessage | PublishEnded
