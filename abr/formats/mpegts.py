"""MPEG-TS on its way into a demuxer, and when that must begin anew (ISO/IEC 13818-1, 2.4.3)."""

from collections import deque
from collections.abc import Collection

from abr.errors import RemoteProtocolError
from abr.formats.psi import PAT_PID, Sections, Stream, programs, streams
from abr.model.media import Kind

PACKET = 188
SYNC = 0x47
_START = 0x40
"""payload_unit_start_indicator, in the second byte."""
_RANDOM_ACCESS = 0x40
"""random_access_indicator, in the adaptation field's flags."""
_ALIEN = 1 << 20
"""Bytes without a packet after which it is no MPEG-TS."""
_PATIENCE = 1000
"""Pictures and pieces of sound within which a point of access must come; some encoders mark none."""
_HELD = 4096
"""Packets that may wait until all tracks have come to the end of what they were at."""


class TsWriter:
    """Bytes of a feed in, whole packets out; begins again when a demuxer could not follow.

    FFmpeg makes the tracks of a multiplex while it is opened. One that is first announced later is never
    given out. So the reader says `settle` once it is open. When media of another track comes then, the old
    container gets what its tracks are at, pictures up to the next point of access; then `reopen` is set and `take`
    gives nothing until `restart`. What the new track brings before that is left out.
    """

    def __init__(self) -> None:
        self.skipped = 0
        """Bytes that were no packets."""
        self._rest = b""
        self._alien = 0
        self._queue: deque[bytes] = deque()
        self._tables = _Tables()
        self._known: dict[int, Stream] | None = None
        """What the open container knows; None while it is being opened."""
        self._missing: frozenset[Kind] = frozenset()
        """Kinds of tracks that the container did not find."""
        self._suspects: frozenset[int] = frozenset()
        """PIDs whose media the open container would not give out."""
        self._asked: set[tuple[int, Stream]] = set()
        """Tracks for which it was opened again; a reader that cannot use one is not asked for ever."""
        self._change: _Change | None = None

    @property
    def reopen(self) -> bool:
        """The container must be closed and opened anew, after `restart`."""
        return self._change is not None and self._change.complete and not self._queue

    def push(self, data: bytes) -> None:
        """Append bytes of the feed, cut anywhere. Raises RemoteProtocolError when they are no MPEG-TS."""
        whole = self._aligned(self._rest + data if self._rest else data)
        if not whole:
            return
        if self._known is None:
            self._tables.watch(whole)
            self._queue.append(whole)
        elif self._change is None and not self._tables.touched(whole, self._suspects):
            self._queue.append(whole)
        else:
            self._sort(whole)

    def take(self) -> bytes | None:
        """The next packets; None where there are none yet, or `reopen` is set."""
        return self._queue.popleft() if self._queue else None

    def settle(self, kinds: Collection[Kind]) -> None:
        """The reader has opened the container and found these kinds of tracks."""
        self._known = dict(self._tables.streams)
        self._missing = frozenset(Kind) - frozenset(kinds)
        self._suspects = self._suspicious()

    def restart(self) -> None:
        """Begin a new container: the program tables as they are now, then on with what was not taken."""
        held = b"".join(self._change.held) if self._change else b""
        self._change = self._known = None
        self._queue.extend((*self._tables.raw(), held) if held else self._tables.raw())
        self._tables.watch(held)

    def _aligned(self, data: bytes) -> bytes:
        """The whole packets at the start of `data`; the rest is kept. What is no packet is passed over."""
        size = len(data) - len(data) % PACKET
        if data[:size:PACKET].count(SYNC) * PACKET == size:
            self._rest = data[size:]
            self._alien = 0 if size else self._alien
            return data[:size]
        pieces, place = [], 0
        while place + PACKET <= len(data):
            if data[place] == SYNC and data[place + PACKET : place + PACKET + 1] in {b"", b"\x47"}:
                pieces.append(data[place : place + PACKET])
                place += PACKET
                self._alien = 0
                continue
            found = data.find(SYNC, place + 1)
            skipped = (found if found >= 0 else len(data)) - place
            place += skipped
            self.skipped += skipped
            self._alien += skipped
        if self._alien > _ALIEN:
            raise RemoteProtocolError("the publisher sends no MPEG-TS")
        self._rest = data[place:]
        return b"".join(pieces)

    def _sort(self, whole: bytes) -> None:
        """Packet by packet: what the open container may see, and what changes it."""
        passed: list[bytes] = []
        for place in range(0, len(whole), PACKET):
            packet = whole[place : place + PACKET]
            if self._change is not None and self._change.complete:
                self._change.held.append(packet)
            elif self._may_pass(packet):
                passed.append(packet)
        if passed:
            self._queue.append(b"".join(passed))

    def _may_pass(self, packet: bytes) -> bool:
        assert self._known is not None
        pid = _pid(packet)
        if self._tables.is_table(pid):
            self._tables.read(packet)
            self._suspects = self._suspicious()
            return not self._suspects and self._change is None
        stream = self._tables.streams.get(pid)
        if self._change is None:
            if stream is None or pid not in self._suspects:
                return True
            if not packet[1] & _START or (pid, stream) in self._asked:
                return self._known.get(pid) == stream
            self._asked.add((pid, stream))
            given = {pid: known for pid, known in self._known.items() if known.kind not in self._missing}
            self._change = _Change(given, self._tables.streams, pid)
        return self._change.passes(packet, pid)

    def _suspicious(self) -> frozenset[int]:
        """PIDs whose media the open container would not give out."""
        assert self._known is not None
        return frozenset(
            pid
            for pid, stream in self._tables.streams.items()
            if stream.kind is not None and (self._known.get(pid) != stream or stream.kind in self._missing)
        )


class _Tables:
    """The program tables of a multiplex, as they are now."""

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}
        self._maps: dict[int, dict[int, Stream]] = {}
        """What each program map says, by its PID."""
        self._sections: dict[int, Sections] = {PAT_PID: Sections()}
        self._packets: dict[int, list[bytes]] = {}
        """The packets of the section that is being read, and of the last whole one, by PID."""
        self._whole: dict[int, list[bytes]] = {}

    def is_table(self, pid: int) -> bool:
        return pid in self._sections

    def touched(self, whole: bytes, suspects: frozenset[int]) -> bool:
        """Whether one of these packets is of a table or of a suspected track."""
        tables = self._sections
        for place in range(1, len(whole), PACKET):
            pid = (whole[place] & 0x1F) << 8 | whole[place + 1]
            if pid in tables or pid in suspects:
                return True
        return False

    def watch(self, whole: bytes) -> None:
        """Read the tables among these packets."""
        for place in range(0, len(whole), PACKET):
            if (whole[place + 1] & 0x1F) << 8 | whole[place + 2] in self._sections:
                self.read(whole[place : place + PACKET])

    def read(self, packet: bytes) -> None:
        """Read one packet of a table; damaged ones change nothing."""
        pid, start, payload = _pid(packet), bool(packet[1] & _START), _payload(packet)
        packets = [packet] if start else [*self._packets.get(pid, ()), packet][-8:]
        self._packets[pid] = packets
        section = self._sections[pid].push(payload, start=start)
        if section is None:
            return
        if pid == PAT_PID:
            self._follow(programs(section), packets)
        elif (found := streams(section)) is not None:
            self._whole[pid] = packets
            self._maps[pid] = found
            self._merge()

    def raw(self) -> list[bytes]:
        """The packets of all tables, the program association first."""
        return [b"".join(packets) for _, packets in sorted(self._whole.items())]

    def _follow(self, numbers: dict[int, int] | None, packets: list[bytes]) -> None:
        if numbers is None:
            return
        pids = set(numbers.values())
        self._whole = {pid: kept for pid, kept in self._whole.items() if pid in pids}
        self._whole[PAT_PID] = packets
        kept = self._sections
        self._sections = {pid: kept.get(pid) or Sections() for pid in (PAT_PID, *pids)}
        self._maps = {pid: found for pid, found in self._maps.items() if pid in pids}
        self._merge()

    def _merge(self) -> None:
        self.streams = {pid: stream for found in self._maps.values() for pid, stream in found.items()}


class _Change:
    """From the first media of a new track until the old container has all that it should get."""

    def __init__(self, known: dict[int, Stream], now: dict[int, Stream], new: int) -> None:
        self.held: list[bytes] = []
        """What is for the new container."""
        self.complete = False
        self._open = {pid for pid, stream in known.items() if stream.kind and now.get(pid) == stream}
        """Tracks that the old container still gets."""
        pictures = [pid for pid, stream in now.items() if stream.kind is Kind.VIDEO]
        self._lead = next((pid for pid in pictures if pid in self._open), pictures[0] if pictures else new)
        self._marked = bool(pictures)
        """Whether the lead marks its points of access; sound has one everywhere."""
        self._begun = False
        self._patience = _PATIENCE

    def passes(self, packet: bytes, pid: int) -> bool:
        """Whether the packet is for the old container; else it is held for the new one, or left out."""
        start = packet[1] & _START
        if not self._begun:
            self._begun = bool(start) and self._is_access(packet, pid)
            if not self._begun:
                return pid in self._open
        if pid in self._open and not start:
            return True
        self._open.discard(pid)
        self.held.append(packet)
        self.complete = not self._open or len(self.held) > _HELD
        return False

    def _is_access(self, packet: bytes, pid: int) -> bool:
        self._patience -= 1
        flagged = not self._marked or (packet[3] & 0x20 and packet[4] and packet[5] & _RANDOM_ACCESS)
        return (pid == self._lead and bool(flagged)) or self._patience <= 0


def _pid(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def _payload(packet: bytes) -> bytes:
    control = packet[3] >> 4 & 3
    if not control & 1:
        return b""
    return packet[5 + packet[4] :] if control & 2 else packet[4:]
