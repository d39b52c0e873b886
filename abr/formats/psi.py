"""Program tables of MPEG-TS: which tracks a multiplex says it has (ISO/IEC 13818-1, 2.4.4)."""

from typing import NamedTuple

from abr.model.media import Kind

PAT_PID = 0
_PAT, _PMT = 0, 2
"""Table ids (table 2-31)."""
_HEADER = 8
"""Bytes from table_id to last_section_number."""
_CRC = 4

_KINDS = {
    Kind.VIDEO: frozenset((0x01, 0x02, 0x10, 0x1B, 0x20, 0x21, 0x24, 0x33, 0x42, 0xD1, 0xD2, 0xEA)),
    Kind.AUDIO: frozenset((0x03, 0x04, 0x0F, 0x11, 0x1C, 0x80, 0x81, 0x83, 0x84, 0x85, 0x87, 0xA1, 0xA2)),
}
"""Stream types (table 2-34, and those that ATSC and others took from the private range)."""
_PRIVATE = 0x06
_BY_NAME = {
    b"AV01": Kind.VIDEO, b"HEVC": Kind.VIDEO, b"VP09": Kind.VIDEO, b"VC-1": Kind.VIDEO,
    b"Opus": Kind.AUDIO, b"AC-3": Kind.AUDIO, b"EAC3": Kind.AUDIO, b"BSSD": Kind.AUDIO, b"AC-4": Kind.AUDIO,
}  # fmt: skip
"""Registered format identifiers of private streams."""
_BY_DESCRIPTOR = {0x6A: b"AC-3", 0x7A: b"EAC3", 0x7B: b"DTS ", 0x7C: b"AAC "}
"""DVB descriptors that name a codec (ETSI EN 300 468, table 12)."""
_REGISTRATION = 0x05


class Stream(NamedTuple):
    """What a program map says of one PID."""

    type: int
    name: bytes = b""
    """Four letters that tell a private stream's codec."""

    @property
    def kind(self) -> Kind | None:
        """Picture or sound; None for what no demuxer decodes (subtitles, cues, data)."""
        if self.type == _PRIVATE:
            return _BY_NAME.get(self.name, Kind.AUDIO if self.name in _BY_DESCRIPTOR.values() else None)
        return next((kind for kind, types in _KINDS.items() if self.type in types), None)


class Sections:
    """Payloads of one PID in, whole sections out; what is damaged is left out."""

    def __init__(self) -> None:
        self._held = b""

    def push(self, payload: bytes, *, start: bool) -> bytes | None:
        """Take a packet's payload; a section that is whole and has the right checksum, or None.

        Of several sections in one packet only the first counts: program tables come alone.
        """
        if start:
            pointer = payload[0] if payload else 0
            self._held = payload[1 + pointer :]
        elif self._held:
            self._held += payload
        if len(self._held) < 3:
            return None
        length = 3 + (int.from_bytes(self._held[1:3], "big") & 0xFFF)
        if len(self._held) < length:
            return None
        section, self._held = self._held[:length], b""
        return section if length > _HEADER + _CRC and not crc(section) else None


def programs(section: bytes) -> dict[int, int] | None:
    """The PID of each program's map, by program number; None for another table or one not in force yet."""
    if section[0] != _PAT or not section[5] & 1:
        return None
    entries = (section[place : place + 4] for place in range(_HEADER, len(section) - _CRC, 4))
    numbers = {_short(entry): _short(entry[2:]) & 0x1FFF for entry in entries if len(entry) == 4}
    numbers.pop(0, None)  # the network's own table
    return numbers


def streams(section: bytes) -> dict[int, Stream] | None:
    """What a program map lists, by PID; None for another table or one not in force yet."""
    if section[0] != _PMT or not section[5] & 1 or len(section) < _HEADER + 4 + _CRC:
        return None
    found: dict[int, Stream] = {}
    place, end = _HEADER + 4 + (_short(section[10:]) & 0xFFF), len(section) - _CRC
    while place + 5 <= end:
        length = _short(section[place + 3 :]) & 0xFFF
        kind, pid = section[place], _short(section[place + 1 :]) & 0x1FFF
        found[pid] = Stream(kind, _name(section[place + 5 : min(place + 5 + length, end)]))
        place += 5 + length
    return found


def _name(descriptors: bytes) -> bytes:
    place = 0
    while place + 2 <= len(descriptors):
        tag, length = descriptors[place], descriptors[place + 1]
        if tag == _REGISTRATION and length >= 4:
            return descriptors[place + 2 : place + 6]
        if tag in _BY_DESCRIPTOR:
            return _BY_DESCRIPTOR[tag]
        place += 2 + length
    return b""


def _short(data: bytes) -> int:
    return data[0] << 8 | data[1]


def _table() -> list[int]:
    rows = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
        rows.append(value)
    return rows


_ROWS = _table()


def crc(data: bytes) -> int:
    """CRC-32 of annex A; 0 over a section with its own checksum."""
    value = 0xFFFFFFFF
    for byte in data:
        value = value << 8 & 0xFFFFFFFF ^ _ROWS[value >> 24 ^ byte]
    return value
