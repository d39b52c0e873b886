"""Who may publish where on an SRT port: stream ids and the places that they mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from abr.config.secret import Secret
from abr.config.srt import SrtAddress
from abr.errors import RemoteProtocolError
from abr.formats.streamid import StreamId, parse_stream_id
from abr.ingest.srtfeed import SrtFeed


class Rejection(IntEnum):
    """SRT_REJX_…: what a publisher that is turned away is told (SRT Access Control Guidelines)."""

    BAD_REQUEST = 1400
    UNAUTHORIZED = 1401
    OVERLOAD = 1402
    FORBIDDEN = 1403
    NOT_FOUND = 1404
    BAD_MODE = 1405
    CONFLICT = 1409
    NO_SUCH_MEDIA = 1415
    INTERNAL = 1500
    DOWN = 1503


WORDS = {
    Rejection.BAD_REQUEST: "the stream id is malformed",
    Rejection.UNAUTHORIZED: "wrong user",
    Rejection.OVERLOAD: "too many connections",
    Rejection.FORBIDDEN: "not allowed",
    Rejection.NOT_FOUND: "unknown stream id",
    Rejection.BAD_MODE: "wrong mode",
    Rejection.CONFLICT: "somebody publishes there already",
    Rejection.NO_SUCH_MEDIA: "wrong kind of content",
    Rejection.INTERNAL: "an internal error",
    Rejection.DOWN: "it is shutting down",
}
"""What a person reads instead."""


class Turned(Exception):
    """A caller that is not let in; holds what it is told."""

    def __init__(self, code: Rejection, reason: str = "") -> None:
        super().__init__(reason or WORDS[code])
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """One stream id of a port, and what becomes of its feed."""

    address: SrtAddress
    on_feed: Callable[[SrtFeed], None]
    """Reads a feed to its end, in a thread of its own. Never called for one place twice at a time."""


def find_place(places: Sequence[Place], text: str) -> Place:
    """The place that a caller's stream id means; one without a stream id takes what no other does.

    Who does not say what it wants (`m`) is taken for a publisher. Raises Turned.
    """
    try:
        wanted = parse_stream_id(text)
    except RemoteProtocolError as error:
        raise Turned(Rejection.BAD_REQUEST, str(error)) from error
    if wanted.mode not in {"", "publish"}:
        raise Turned(Rejection.BAD_MODE, "it does not want to publish")
    if wanted.content not in {"", "stream"}:
        raise Turned(Rejection.NO_SUCH_MEDIA)
    named = [place for place in places if _names(place, wanted)]
    if named:
        place = next((place for place in named if _user(place) in {"", wanted.user}), None)
        if place is None:
            raise Turned(Rejection.UNAUTHORIZED)
        return place
    for place in places:
        if place.address.stream_id is None:
            return place
    raise Turned(Rejection.NOT_FOUND)


def _names(place: Place, wanted: StreamId) -> bool:
    secret = place.address.stream_id
    return secret is not None and Secret(_own(place).resource).matches(wanted.resource)


def _user(place: Place) -> str:
    return _own(place).user


def _own(place: Place) -> StreamId:
    secret = place.address.stream_id
    return parse_stream_id(secret.reveal() if secret else "")
