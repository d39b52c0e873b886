"""A container's bytes in pieces, so that a file may end before one and another begin with it."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from abr.formats.flv import HEADER, codec, is_sequence_header, metadata
from abr.formats.rtmp.enhanced import Plain, plain
from abr.formats.rtmp.event import MediaKind

_TAG_HEAD = 11
_TAG_TAIL = 4
_COMMAND_FRAME = 5
_KEY_FRAME = 1
_EX_VIDEO = 0x80
_EX_SEQUENCE_END = 2
_EX_METADATA = 4
_WITH_PACKET_TYPE = (7, 12)
"""AVC, and HEVC as some encoders write it: 1 is a picture."""

_LONGEST_SETUP = 65536
"""Bytes of a decoder's set-up that is kept; real ones have some hundred, and there may be one for each of 256 tracks."""

_PACKET = 188
_SYNC = 0x47
_PAT = 0
_VIDEO_TYPES = frozenset((0x01, 0x02, 0x10, 0x1B, 0x24, 0x33, 0x42, 0xD2, 0xEA))
"""stream_type of MPEG-1, -2, -4, H.264, HEVC, VVC, AVS, Dirac, VC-1 (ISO/IEC 13818-1 table 2-34 and its registry)."""
_LONGEST = 2 << 20
"""Bytes of a transport stream that are gathered before a PAT is given up."""


class Piece(NamedTuple):
    """Some bytes as they came."""

    data: bytes
    start: bool = False
    """Whether a file may begin with this piece: a decoder finds all that it needs from here on."""
    opening: bytes = b""
    """What must stand before this piece in a file that begins with it."""


class Pieces(Protocol):
    """Cuts a byte stream. The pieces after one that starts, behind its opening, are a whole container."""

    def push(self, data: bytes) -> list[Piece]:
        """The pieces that are complete with these bytes."""
        ...

    def flush(self) -> list[Piece]:
        """What is left at the end of a container; another may begin with the next byte."""
        ...


def pieces_of(container: str) -> Pieces | None:
    """What cuts this container (FFmpeg's name of it); None for one that cannot be cut."""
    if container == "flv":
        return FlvPieces()
    return TsPieces() if container == "mpegts" else None


class _Setup(NamedTuple):
    """What sets up the decoder of a track."""

    codec: bytes | None
    tag: bytes


class FlvPieces:
    """One piece a tag (Adobe FLV 10.1, E.4). A file begins at a key frame, of sound alone at any tag.

    Of several tracks the lowest one says where. The very first file begins with whatever media came first. The opening is
    the header, the latest onMetaData and the latest set-up of each decoder, these at the time of the piece (but for the
    first: as they came). They are kept from one FLV of a feed to its next, which need not repeat them.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skip = len(HEADER)
        self._about = b""
        """The latest metadata."""
        self._setup: dict[tuple[int, int], _Setup] = {}
        """The latest set-up of each decoder by tag type and (lowest) track, in the order in which they first came."""
        self._lowest: dict[int, int] = {}
        """The lowest track of each tag type."""
        self._first = True
        """Whether no file has begun yet."""
        self._begun = False
        self._pictures = False

    def push(self, data: bytes) -> list[Piece]:
        """The tags that are complete with these bytes."""
        self._rest += data
        return list(self._tags())

    def flush(self) -> list[Piece]:
        """A tag that is not whole is nothing. A new FLV begins."""
        self._rest.clear()
        self._skip = len(HEADER)
        self._begun = self._pictures = False
        return []

    def _tags(self) -> Iterator[Piece]:
        place = 0
        if self._skip and len(self._rest) >= self._skip:
            place, self._skip = self._skip, 0
        while not self._skip and len(self._rest) - place >= _TAG_HEAD:
            end = place + _TAG_HEAD + int.from_bytes(self._rest[place + 1 : place + 4], "big") + _TAG_TAIL
            if len(self._rest) < end:
                break
            yield self._piece(bytes(self._rest[place:end]))
            place = end
        del self._rest[:place]

    def _piece(self, tag: bytes) -> Piece:
        kind, payload = tag[0], tag[_TAG_HEAD:-_TAG_TAIL]
        if kind == MediaKind.DATA:
            if metadata(payload) is not None:
                self._about = _at_zero(tag)
            return Piece(tag)
        self._pictures |= kind == MediaKind.VIDEO
        found = plain(MediaKind(kind), payload) if kind in {MediaKind.AUDIO, MediaKind.VIDEO} else None
        if found is None or self._sets_up(tag, found) or not self._may_start(kind, found):
            return Piece(tag)
        setup = [item.tag if self._first else _retimed(item.tag, tag) for item in self._setup.values()]
        self._begun, self._first = True, False
        return Piece(tag, start=True, opening=HEADER + self._about + b"".join(setup))

    def _sets_up(self, tag: bytes, found: Plain) -> bool:
        """Whether the tag sets up decoders; then it is kept. One of another codec makes an old set-up useless."""
        kind = MediaKind(tag[0])
        place, name = (kind, found.track), codec(kind, found.payload)
        if is_sequence_header(kind, found.payload):
            if len(tag) <= _LONGEST_SETUP:
                self._setup[place] = _Setup(name, tag)
            return True
        if name is not None and place in self._setup and self._setup[place].codec != name:
            del self._setup[place]
        return False

    def _may_start(self, kind: int, found: Plain) -> bool:
        lowest = self._lowest[kind] = min(found.track, self._lowest.get(kind, found.track))
        if found.track > lowest:
            return False
        if kind == MediaKind.AUDIO:
            return not self._begun or not self._pictures
        frame = found.payload[0] >> 4 & 7
        if frame == _COMMAND_FRAME or _carries_no_picture(found.payload):
            return False
        return frame == _KEY_FRAME or not self._begun


def _carries_no_picture(payload: bytes) -> bool:
    """Whether a video message ends a sequence, or describes colours (Enhanced RTMP)."""
    if payload[0] & _EX_VIDEO:
        return payload[0] & 0x0F in {_EX_SEQUENCE_END, _EX_METADATA}
    return payload[0] & 0x0F in _WITH_PACKET_TYPE and payload[1:2] != b"\x01"


def _retimed(tag: bytes, like: bytes) -> bytes:
    """A tag at the time of another."""
    return tag[:4] + like[4:8] + tag[8:]


def _at_zero(tag: bytes) -> bytes:
    """A tag at the beginning of time: at any other, FFmpeg takes metadata for a track of its own."""
    return tag[:4] + bytes(4) + tag[8:]


class TsPieces:
    """One piece from each PAT to the next (ISO/IEC 13818-1, 2.4.4); bytes between packets stay where they are.

    A file begins at a PAT before a picture that decoding may begin at (random_access_indicator); at any PAT where
    no picture of the feed says so.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._gathered = bytearray()
        self._clear()

    def push(self, data: bytes) -> list[Piece]:
        """The pieces that ended with these bytes."""
        rest = self._rest
        rest += data
        pieces: list[Piece] = []
        place = begin = 0
        while len(rest) - place >= _PACKET:
            if rest[place] != _SYNC:
                place = self._next_sync(place)
                continue
            if rest[place + 1] & 0x40 and self._is_pat(bytes(rest[place : place + _PACKET])):
                self._gathered += rest[begin:place]
                begin = place
                pieces += self._take(whole=True)
            place += _PACKET
        self._gathered += rest[begin:place]
        del rest[:place]
        return pieces + (self._take(whole=False) if len(self._gathered) > _LONGEST else [])

    def flush(self) -> list[Piece]:
        """The bytes since the last PAT."""
        self._gathered += self._rest
        self._rest.clear()
        pieces = self._take(whole=False)
        self._clear()
        return pieces

    def _clear(self) -> None:
        self._tables: set[int] = set()
        self._pictures: set[int] = set()
        self._marks = False
        """Whether a picture of this feed was ever marked as a place to begin."""
        self._whole = False
        """Whether what is gathered began with a PAT."""
        self._marked: bool | None = None
        """Whether the first picture that is gathered may be begun with; None before it."""

    def _next_sync(self, place: int) -> int:
        found = self._rest.find(_SYNC, place)
        return len(self._rest) if found < 0 else found

    def _is_pat(self, packet: bytes) -> bool:
        """Note what a packet that begins something says; whether it is a PAT."""
        pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
        if pid in self._pictures:
            if self._marked is None:
                self._marked = bool(packet[3] & 0x20 and packet[4] and packet[5] & 0x40)
                self._marks |= self._marked
        elif pid in self._tables:
            self._pictures |= _pictures(_section(packet))
        elif pid == _PAT:
            self._tables |= _tables(_section(packet))
        return pid == _PAT

    def _take(self, *, whole: bool) -> list[Piece]:
        """What is gathered as a piece; `whole` says that a PAT follows."""
        data, start = bytes(self._gathered), self._whole and (bool(self._marked) or not self._marks)
        self._gathered.clear()
        self._whole, self._marked = whole, None
        return [Piece(data, start)] if data else []


def _section(packet: bytes) -> bytes:
    """The section that begins in this packet, from its table_id on; b"" where there is none."""
    place = 4
    if packet[3] & 0x20:
        place += 1 + packet[4]
    if not packet[3] & 0x10 or place >= _PACKET:
        return b""
    return packet[place + 1 + packet[place] :]


def _tables(section: bytes) -> set[int]:
    """The PIDs of the PMTs that a PAT names (2.4.4.3)."""
    end = min(len(section), 3 + _length(section)) - 4
    entries = (section[place : place + 4] for place in range(8, end - 3, 4))
    return {int.from_bytes(entry[2:], "big") & 0x1FFF for entry in entries if entry[:2] != b"\0\0"}


def _pictures(section: bytes) -> set[int]:
    """The PIDs of the pictures that a PMT names (2.4.4.8)."""
    end = min(len(section), 3 + _length(section)) - 4
    place = 12 + (int.from_bytes(section[10:12], "big") & 0x0FFF)
    found = set()
    while place + 5 <= end:
        if section[place] in _VIDEO_TYPES:
            found.add(int.from_bytes(section[place + 1 : place + 3], "big") & 0x1FFF)
        place += 5 + (int.from_bytes(section[place + 3 : place + 5], "big") & 0x0FFF)
    return found


def _length(section: bytes) -> int:
    return int.from_bytes(section[1:3], "big") & 0x0FFF
