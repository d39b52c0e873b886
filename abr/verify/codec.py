"""Codec strings from sample entries (RFC 6381; ISO/IEC 14496-15 annex E; AV1 in ISOBMFF 5)."""

from typing import NamedTuple

from abr.errors import RemoteProtocolError
from abr.verify.boxes import Box, Reader

_ES_DESCRIPTOR, _DECODER_CONFIG, _DECODER_SPECIFIC = 3, 4, 5


class AacConfig(NamedTuple):
    """AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1): what the codec string and the rules need."""

    object_type: int
    """Of the MPEG-4 systems table; 0x40 is MPEG-4 audio."""
    audio_object: int
    sample_rate: int
    channels: int


def codec_string(reader: Reader, entry: Box, children: dict[str, Box]) -> str:
    """The RFC 6381 name of a sample entry; of an unknown one its four letters."""
    kind = entry.kind
    if kind in {"encv", "enca"} and "sinf" in children:
        kind = reader.bytes(reader.need(children["sinf"], "frma")).decode("latin-1")
    if "avcC" in children:
        return f"{kind}.{reader.bytes(children['avcC'])[1:4].hex()}"
    if "hvcC" in children:
        return f"{kind}.{_hevc(reader.bytes(children['hvcC']))}"
    if "av1C" in children:
        return f"{kind}.{_av1(reader.bytes(children['av1C']))}"
    if "esds" in children:
        config = aac_config(reader, children["esds"])
        suffix = f".{config.audio_object}" if config.audio_object else ""
        return f"{kind}.{config.object_type:02x}{suffix}"
    return kind


def same_codec(first: str, second: str) -> bool:
    """Whether two codec strings are one: hexadecimal digits have no case."""
    return first.lower() == second.lower()


def _hevc(config: bytes) -> str:
    if len(config) < 13:
        raise RemoteProtocolError("hvcC is cut off")
    space = ("", "A", "B", "C")[config[1] >> 6]
    flags = int(f"{int.from_bytes(config[2:6], 'big'):032b}"[::-1], 2)
    tier = "H" if config[1] & 0x20 else "L"
    constraints = [f"{byte:X}" for byte in config[6:12].rstrip(b"\0")]
    return ".".join([f"{space}{config[1] & 0x1F}", f"{flags:X}", f"{tier}{config[12]}", *constraints])


def _av1(config: bytes) -> str:
    if len(config) < 3:
        raise RemoteProtocolError("av1C is cut off")
    tier = "H" if config[2] & 0x80 else "M"
    depth = 12 if config[2] & 0x20 else 10
    return f"{config[1] >> 5}.{config[1] & 0x1F:02d}{tier}.{depth if config[2] & 0x40 else 8:02d}"


def aac_config(reader: Reader, esds: Box) -> AacConfig:
    """The decoder configuration in an esds. Raises RemoteProtocolError where descriptors break."""
    place, end = esds.body + 4, esds.end
    object_type, specific = 0, b""
    while place < end:
        tag = reader.number(place, 1)
        size, body = _descriptor_size(reader, place + 1)
        if tag == _ES_DESCRIPTOR:
            flags = reader.number(body + 2, 1)
            place = body + 3 + 2 * bool(flags & 0x80) + 2 * bool(flags & 0x20)
        elif tag == _DECODER_CONFIG:
            object_type = reader.number(body, 1)
            place = body + 13
        elif tag == _DECODER_SPECIFIC:
            specific = reader.data[body : min(body + size, end)]
            break
        else:
            place = body + size
    return _audio_config(object_type, specific)


def _descriptor_size(reader: Reader, place: int) -> tuple[int, int]:
    size = 0
    for _ in range(4):
        byte = reader.number(place, 1)
        place += 1
        size = size << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return size, place


_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


def _audio_config(object_type: int, specific: bytes) -> AacConfig:
    """The first fields of an AudioSpecificConfig, bit by bit."""
    if len(specific) < 2:
        return AacConfig(object_type, 0, 0, 0)
    bits = "".join(f"{byte:08b}" for byte in specific[:8]).ljust(64, "0")
    audio_object, place = int(bits[:5], 2), 5
    if audio_object == 31:
        audio_object, place = 32 + int(bits[5:11], 2), 11
    index = int(bits[place : place + 4], 2)
    place += 4
    if index == 15:
        rate, place = int(bits[place : place + 24], 2), place + 24
    else:
        rate = _AAC_RATES[index] if index < len(_AAC_RATES) else 0
    return AacConfig(object_type, audio_object, rate, int(bits[place : place + 4], 2))
