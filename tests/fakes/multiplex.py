"""MPEG-TS packets with nothing in them but what a demuxer's watcher looks at."""

from collections.abc import Mapping

from abr.formats.psi import Stream, crc

PMT_PID = 0x1000
VIDEO_PID, AUDIO_PID, LATE_PID = 0x100, 0x101, 0x102
H264, HEVC, AAC = Stream(0x1B), Stream(0x24), Stream(0x0F)


def packet(pid: int, payload: bytes, *, start: bool = False, access: bool = False) -> bytes:
    """One packet; its payload is filled up by the adaptation field (2.4.3.4)."""
    head = bytes([0x47, (0x40 if start else 0) | pid >> 8, pid & 0xFF])
    room = 184 - len(payload)
    if not room:
        return head + b"\x10" + payload
    field = bytes([room - 1]) + (bytes([0x40 if access else 0]) + b"\xff" * (room - 2) if room > 1 else b"")
    return head + b"\x30" + field + payload


def unit(pid: int, tag: str, *, access: bool = False) -> bytes:
    """The first packet of a picture or of a piece of sound; `tag` makes it like no other."""
    return packet(pid, b"\x00\x00\x01\xe0" + tag.encode(), start=True, access=access)


def rest(pid: int, tag: str) -> bytes:
    """A packet that goes on with what a `unit` began."""
    return packet(pid, tag.encode())


def section(table: int, number: int, body: bytes, version: int = 0, *, current: bool = True) -> bytes:
    """A whole section of a program table, with its checksum."""
    length = 5 + len(body) + 4
    head = bytes([table, 0xB0 | length >> 8, length & 0xFF]) + number.to_bytes(2, "big")
    data = head + bytes([0xC0 | version << 1 | current, 0, 0]) + body
    return data + crc(data).to_bytes(4, "big")


def association(programs: Mapping[int, int] = {1: PMT_PID}) -> bytes:
    """The packet of a program association table."""
    body = b"".join(
        number.to_bytes(2, "big") + (0xE000 | pid).to_bytes(2, "big") for number, pid in programs.items()
    )
    return packet(0, b"\0" + section(0, 1, body), start=True)


def program_map(streams: Mapping[int, Stream], *, pid: int = PMT_PID, version: int = 0) -> bytes:
    """The packet of a program map."""
    return packet(pid, b"\0" + map_section(streams, version=version), start=True)


def map_section(streams: Mapping[int, Stream], *, version: int = 0, current: bool = True) -> bytes:
    """A program map without its packet."""
    body = b"\xe1\x00\xf0\x00"
    for pid, stream in streams.items():
        named = b"\x05\x04" + stream.name if stream.name else b""
        body += (
            bytes([stream.type])
            + (0xE000 | pid).to_bytes(2, "big")
            + (0xF000 | len(named)).to_bytes(2, "big")
            + named
        )
    return section(2, 1, body, version, current=current)
