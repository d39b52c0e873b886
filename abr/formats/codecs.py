"""Codec strings of RFC 6381, and sizes and rates, read from an init segment."""

import struct
from typing import NamedTuple

from abr.errors import RemoteProtocolError
from abr.formats.bits import Bits
from abr.formats.box import Box, children, find_box, need_box

_VIDEO = ("avc1", "avc3", "hvc1", "hev1", "av01")
_AUDIO = ("mp4a", "Opus", "fLaC", "ac-3", "ec-3")
_AAC_RATES = (
    96_000,
    88_200,
    64_000,
    48_000,
    44_100,
    32_000,
    24_000,
    22_050,
    16_000,
    12_000,
    11_025,
    8000,
    7350,
)
"""ISO/IEC 14496-3, table 1.18."""
_AAC_CHANNELS = (0, 1, 2, 3, 4, 5, 6, 8)
AAC_LC, HE_AAC, HE_AAC_V2 = 2, 5, 29
"""Audio object types (ISO/IEC 14496-3, table 1.17): LC, SBR, parametric stereo."""


class SampleEntry(NamedTuple):
    """The first entry of stsd: its kind ("avc1"), where it lies, and where the init's bytes are."""

    kind: str
    box: Box
    data: bytes

    @property
    def fields(self) -> bytes:
        """The entry's own bytes."""
        return self.data[self.box.body : self.box.end]

    def record(self, kind: str) -> bytes:
        """The body of a box within, as avcC. Raises RemoteProtocolError when it is not there."""
        box = need_box(self.data, kind, self.box)
        return self.data[box.body : box.end]


class AudioConfig(NamedTuple):
    """What an AudioSpecificConfig says; the rate is the one that is heard (after SBR)."""

    object_type: int
    sample_rate: int
    channels: int


class Colour(NamedTuple):
    """colr of type nclx (ISO/IEC 23091-2)."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


def sample_entry(init: bytes) -> SampleEntry:
    """The sample entry of an init segment of one track. Raises RemoteProtocolError."""
    stsd = need_box(init, "moov/trak/mdia/minf/stbl/stsd")
    entries = children(init, stsd)
    if not entries:
        raise RemoteProtocolError("stsd holds no sample entry")
    return SampleEntry(entries[0].kind, entries[0], init)


def codec_string(init: bytes) -> str:
    """The `codecs` parameter of an init segment: "avc1.64001f", "hvc1.1.6.L93.90", "mp4a.40.2" (RFC 6381).

    Raises RemoteProtocolError for a sample entry that is not known or is broken.
    """
    entry = sample_entry(init)
    match entry.kind:
        case "avc1" | "avc3":
            return f"{entry.kind}.{_need(entry.record('avcC'), 4, 'avcC')[1:4].hex()}"
        case "hvc1" | "hev1":
            return f"{entry.kind}.{hevc_parameters(entry.record('hvcC'))}"
        case "av01":
            return f"av01.{av1_parameters(entry.record('av1C'), colour(entry))}"
        case "mp4a":
            return _mp4a(entry.record("esds"))
        case "Opus" | "fLaC" | "ac-3" | "ec-3":
            return entry.kind
    raise RemoteProtocolError(f"no codec string is known for sample entry {entry.kind!r}")


def hevc_parameters(record: bytes) -> str:
    """What follows "hvc1." (ISO/IEC 14496-15, E.3), from a decoder configuration record.

    Profile space and profile, compatibility flags with their bits reversed, tier and level, then the
    constraint bytes up to the last that is not zero.
    """
    head, compatible, constraints, level = struct.unpack_from(">xBI6sB", _need(record, 13, "hvcC"))
    space = ("", "A", "B", "C")[head >> 6]
    reverse = int(f"{compatible:032b}"[::-1], 2)
    tier = "H" if head & 0x20 else "L"
    tail = "".join(f".{byte:X}" for byte in constraints.rstrip(b"\0"))
    return f"{space}{head & 31}.{reverse:X}.{tier}{level}{tail}"


def av1_parameters(record: bytes, nclx: Colour | None = None) -> str:
    """What follows "av01." (AV1 in ISOBMFF, 5), from av1C; the long form where a default does not hold."""
    bits = Bits(_need(record, 4, "av1C"), "av1C")
    bits.skip(8)
    profile, level = bits.read(3), bits.read(5)
    tier = "H" if bits.flag() else "M"
    high, twelve, mono = bits.flag(), bits.flag(), bits.read(1)
    subsampling = (bits.read(1), bits.read(1), bits.read(2))
    depth = (12 if twelve else 10) if high else 8
    short = f"{profile}.{level:02d}{tier}.{depth:02d}"
    tail = (mono, subsampling, nclx or Colour(1, 1, 1, full_range=False))
    if tail == (0, (1, 1, 0), Colour(1, 1, 1, full_range=False)):
        return short
    chroma = "".join(map(str, subsampling))
    seen = tail[2]
    return (
        f"{short}.{mono}.{chroma}.{seen.primaries:02d}.{seen.transfer:02d}.{seen.matrix:02d}"
        f".{int(seen.full_range)}"
    )


def audio_config(config: bytes) -> AudioConfig:
    """An AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2), SBR and PS found in both kinds of signalling."""
    bits = Bits(config, "AudioSpecificConfig")
    kind = _object_type(bits)
    rate = _aac_rate(bits)
    layout = bits.read(4)
    channels = _AAC_CHANNELS[layout] if layout < len(_AAC_CHANNELS) else 2
    if kind in {HE_AAC, HE_AAC_V2}:
        rate = _aac_rate(bits)
        return AudioConfig(kind, rate, 2 if kind == HE_AAC_V2 else channels)
    # backward compatible signalling: behind GASpecificConfig (three bits for LC) a mark, then SBR, then PS
    if kind == AAC_LC and bits.left >= 20:
        bits.skip(3)
        if bits.read(11) == 0x2B7 and _object_type(bits) == HE_AAC and bits.flag():
            rate = _aac_rate(bits)
            parametric = bits.left >= 12 and bits.read(11) == 0x548 and bits.flag()
            return AudioConfig(HE_AAC_V2 if parametric else HE_AAC, rate, 2 if parametric else channels)
    return AudioConfig(kind, rate, channels)


def audio_of(init: bytes) -> AudioConfig:
    """Object type (0 for what is not AAC), sample rate and channels of an audio init."""
    entry = sample_entry(init)
    if entry.kind not in _AUDIO:
        raise RemoteProtocolError(f"sample entry {entry.kind!r} is no audio that abr knows")
    if entry.kind == "mp4a":
        object_type, config = _decoder_config(entry.record("esds"))
        if object_type == 0x40 and config:
            return audio_config(config)
    channels, rate = struct.unpack_from(">16xH6xI", _need(entry.fields, 28, entry.kind))
    return AudioConfig(0, rate >> 16, channels)


def coded_size(init: bytes) -> tuple[int, int]:
    """Width and height in the visual sample entry, in pixels as coded."""
    entry = sample_entry(init)
    if entry.kind not in _VIDEO:
        raise RemoteProtocolError(f"sample entry {entry.kind!r} is no video that abr knows")
    width, height = struct.unpack_from(">24xHH", _need(entry.fields, 78, entry.kind))
    return width, height


def colour(entry: SampleEntry) -> Colour | None:
    """The nclx colour description of a visual sample entry, if there is one."""
    box = find_box(entry.data, "colr", entry.box)
    if box is None or entry.data[box.body : box.body + 4] != b"nclx" or box.size < 19:
        return None
    primaries, transfer, matrix, last = struct.unpack_from(">4xHHHB", entry.data, box.body)
    return Colour(primaries, transfer, matrix, bool(last & 0x80))


def _mp4a(esds: bytes) -> str:
    """The string of a mp4a entry: "mp4a.40.N" for AAC, "mp4a.6b" and the like for others."""
    object_type, config = _decoder_config(esds)
    if object_type != 0x40:
        return f"mp4a.{object_type:02x}"
    return f"mp4a.40.{audio_config(config).object_type}"


def _decoder_config(esds: bytes) -> tuple[int, bytes]:
    """Object type indication and decoder specific info of an ES descriptor (ISO/IEC 14496-1, 7.2.6)."""
    descriptor = dict(_descriptors(esds[4:])).get(3, b"")
    if len(descriptor) < 3:
        raise RemoteProtocolError("esds holds no elementary stream descriptor")
    flags = descriptor[2]
    at = 3 + (2 if flags & 0x80 else 0) + (2 if flags & 0x20 else 0)
    if flags & 0x40:
        at += 1 + int.from_bytes(descriptor[at : at + 1])
    decoder = dict(_descriptors(descriptor[at:])).get(4, b"")
    if len(decoder) < 13:
        raise RemoteProtocolError("esds holds no decoder configuration")
    return decoder[0], dict(_descriptors(decoder[13:])).get(5, b"")


def _descriptors(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each descriptor; sizes are numbers of up to four times seven bits."""
    found, place = [], 0
    while place < len(data):
        tag, size, place = data[place], 0, place + 1
        for byte in data[place : place + 4]:
            size, place = size << 7 | byte & 0x7F, place + 1
            if byte < 0x80:
                break
        if place + size > len(data):
            raise RemoteProtocolError(
                f"descriptor {tag} says {size} bytes where {len(data) - place} are left"
            )
        found.append((tag, data[place : place + size]))
        place += size
    return found


def _object_type(bits: Bits) -> int:
    kind = bits.read(5)
    return 32 + bits.read(6) if kind == 31 else kind


def _aac_rate(bits: Bits) -> int:
    index = bits.read(4)
    if index == 15:
        return bits.read(24)
    if index >= len(_AAC_RATES):
        raise RemoteProtocolError(f"AudioSpecificConfig has the unknown sampling frequency index {index}")
    return _AAC_RATES[index]


def _need(record: bytes, least: int, name: str) -> bytes:
    if len(record) < least:
        raise RemoteProtocolError(f"{name} has only {len(record)} bytes")
    return record
