"""FLV: the tags that carry RTMP's media messages into a demuxer (Adobe FLV 10.1, Annex E; Enhanced RTMP v2)."""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from abr.formats.rtmp.enhanced import EX_AUDIO, EX_VIDEO, MULTITRACK, plain
from abr.formats.rtmp.event import MediaKind, MediaMessage
from abr.model.media import Kind

HEADER = b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00"
"""Version 1, audio and video announced, nine bytes, and the size 0 of the tag that is not before the first."""

_SET_DATA_FRAME = b"\x02\x00\x0d@setDataFrame"
_ON_METADATA = b"\x02\x00\x0aonMetaData"
_KINDS = {MediaKind.VIDEO: Kind.VIDEO, MediaKind.AUDIO: Kind.AUDIO}

_COMMAND_FRAME = 5
"""Video frame type of seek marks, which carry no picture."""
_EX_SEQUENCE_START = 0
_OLD_VIDEO_WITH_HEADER = (7, 12)
"""AVC, and HEVC as some encoders write it."""
_OLD_AAC = 10
_SAMPLE_SIZE = 0x02
"""FFmpeg takes another sample size for another track."""


def tag(kind: MediaKind, timestamp: int, payload: bytes) -> bytes:
    """One tag and its size (E.4.1). `timestamp` in milliseconds; only its low 32 bits are written."""
    time = timestamp & 0xFFFFFFFF
    return b"".join(
        (
            bytes([kind]),
            len(payload).to_bytes(3, "big"),
            (time & 0xFFFFFF).to_bytes(3, "big"),
            bytes([time >> 24, 0, 0, 0]),
            payload,
            (11 + len(payload)).to_bytes(4, "big"),
        )
    )


def metadata(payload: bytes) -> bytes | None:
    """What a data message says about the whole feed, without "@setDataFrame"; None for any other message."""
    payload = plain_data(payload)
    return payload if payload.startswith(_ON_METADATA) else None


def plain_data(payload: bytes) -> bytes:
    """A data message as FLV has it: "@setDataFrame" is an order to the server."""
    return payload.removeprefix(_SET_DATA_FRAME)


def codec(kind: MediaKind, payload: bytes) -> bytes | None:
    """A name by which codecs of one kind can be told apart; None where the message does not say."""
    if not payload:
        return None
    first = payload[0]
    if kind is MediaKind.VIDEO:
        if first >> 4 & 7 == _COMMAND_FRAME:
            return None
        enhanced, old = first & EX_VIDEO, first & 0x0F
    else:
        enhanced, old = first >> 4 == EX_AUDIO, first & (0xF0 | _SAMPLE_SIZE)
    if not enhanced:
        return bytes([old])
    # From the packet type of several tracks on, something else stands there.
    return payload[1:5] if first & 0x0F < MULTITRACK[kind] and len(payload) >= 5 else None


def is_sequence_header(kind: MediaKind, payload: bytes) -> bool:
    """Whether the message sets up a decoder instead of carrying media."""
    if len(payload) < 2:
        return False
    first = payload[0]
    if kind is MediaKind.VIDEO:
        enhanced, has_header = first & EX_VIDEO, first & 0x0F in _OLD_VIDEO_WITH_HEADER
    else:
        enhanced, has_header = first >> 4 == EX_AUDIO, first >> 4 == _OLD_AAC
    if enhanced:
        return first & 0x0F == _EX_SEQUENCE_START
    return has_header and payload[1] == 0


class _Waiting(NamedTuple):
    """A message on its way."""

    came: MediaMessage
    """As the publisher sent it."""
    given: MediaMessage | None
    """As the demuxer gets it; None for one that it does not get."""


class FlvWriter:
    """Media messages in, FLV out, tag by tag; begins again when a demuxer could not follow.

    FFmpeg finds the tracks of an FLV while it is opened. A track that first appears later is never given
    out and breaks the reading at its end. So the reader says `settle` once it is open; from then on the
    first message of another kind or codec sets `reopen`, and `take` gives nothing more until `restart`.
    """

    def __init__(self) -> None:
        self.reopen = False
        """The container must be closed and opened anew, after `restart`."""
        self.kept: Callable[[bytes], None] | None = None
        """Gets all that came as tags of its own, in step with `take`: a header when that begins an FLV."""
        self._queue: deque[_Waiting] = deque()
        self._opening = HEADER
        self._codecs: dict[MediaKind, bytes] = {}
        """The codecs of the tags that this FLV holds, by kind."""
        self._headers: dict[MediaKind, bytes] = {}
        """The latest set-up of each decoder."""
        self._begun: dict[MediaKind, bytes] = {}
        """The first set-up of each decoder in this FLV: the one that the open container has."""
        self._outdated = False
        """Whether a decoder was set up anew while the container was being opened."""
        self._tracks: dict[MediaKind, int] = {}
        """The lowest track heard of each kind: the one that is written."""
        self._asked: set[tuple[MediaKind, bytes]] = set()
        """Tracks that `settle` missed once; a reader that cannot use one is not asked for ever."""
        self._latest = 0
        self._settled = False
        self._described = False

    def push(self, message: MediaMessage) -> None:
        """Append a message. Of data messages only the first description of the feed (onMetaData) counts.

        Of several tracks of a kind one is kept: a demuxer would open each, and break at the first late one.
        """
        if message.kind is MediaKind.DATA:
            message = replace(message, payload=plain_data(message.payload))
            self._wait(message, self._description(message.payload))
            return
        found = plain(message.kind, message.payload)
        if found is None:  # cut short: what reads a file would stop there
            return
        if found.track > self._tracks.get(message.kind, found.track):
            self._wait(message, None)
            return
        self._tracks[message.kind] = found.track
        self._wait(message, MediaMessage(message.kind, message.timestamp, found.payload))

    def _wait(self, came: MediaMessage, given: MediaMessage | None) -> None:
        if given is not None or self.kept is not None:
            self._queue.append(_Waiting(came, given))

    def _description(self, payload: bytes) -> MediaMessage | None:
        # A later description would become a track of its own (FFmpeg: "subtitle").
        description = metadata(payload)
        if description is None or self._described:
            return None
        self._described = True
        return MediaMessage(MediaKind.DATA, 0, description)

    def take(self) -> bytes | None:
        """The next tag (first of all the header); None where there is none yet, or `reopen` is set."""
        if self.reopen:
            return None
        if self._opening:
            opening, self._opening = self._opening, b""
            if self.kept is not None:
                self.kept(HEADER)
            return opening
        while self._queue:
            came, given = self._queue[0]
            if given is not None and not self._follow(given):
                return None
            self._queue.popleft()
            if self.kept is not None:
                self.kept(tag(came.kind, came.timestamp, came.payload))
            if given is not None:
                self._latest = given.timestamp
                return tag(given.kind, given.timestamp, given.payload)
        return None

    def settle(self, kinds: Collection[Kind]) -> None:
        """The reader has opened the FLV and found these kinds of tracks."""
        self._settled = True
        missing = {(kind, name) for kind, name in self._codecs.items() if _KINDS[kind] not in kinds}
        self.reopen = self._outdated or not missing <= self._asked
        self._asked |= missing

    def restart(self) -> None:
        """Begin a new FLV: the header, the decoders' set-up as it is now, then on with what was not taken."""
        time = self._queue[0].came.timestamp if self._queue else self._latest
        self._look_ahead()
        headers = [tag(kind, time, payload) for kind, payload in self._headers.items()]
        self._opening = HEADER + b"".join(headers)
        self._codecs = {kind: name for kind, name in self._codecs.items() if kind in self._headers}
        self._begun = dict(self._headers)
        self.reopen = self._settled = self._outdated = False

    def _look_ahead(self) -> None:
        """Take set-ups that wait behind the one that was not taken: encoders send those of picture and sound together."""
        for _, message in islice(self._queue, 1, None):
            if message is None:
                continue
            if not is_sequence_header(message.kind, message.payload):
                return
            if self._codecs.get(message.kind) == codec(message.kind, message.payload):
                self._headers[message.kind] = message.payload

    def _follow(self, message: MediaMessage) -> bool:
        """Note what a message brings; False where the open container would not follow it."""
        kind = message.kind
        if kind is MediaKind.DATA:
            return True
        found = codec(kind, message.payload)
        if found is not None and self._codecs.get(kind) != found:
            if self._settled:
                self.reopen = True
                self._headers.pop(kind, None)  # another codec's: it would open a track that stays empty
                return False
            self._codecs[kind] = found
        if is_sequence_header(kind, message.payload):
            if self._begun.setdefault(kind, message.payload) != message.payload:
                # The same codec set up anew: another size, another rate. What is open keeps its old set-up.
                if self._settled:
                    self.reopen = True
                    self._headers.pop(kind, None)
                    return False
                self._outdated = True
            self._headers[kind] = message.payload
        return True
