"""ADTS, the framing of AAC in MPEG-TS (ISO/IEC 14496-3, 1.A.2)."""

from abr.errors import RemoteProtocolError


def is_adts(data: bytes) -> bool:
    """Whether the bytes begin with an ADTS header (a sync word of twelve ones, layer 0)."""
    return len(data) >= 7 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0


def strip_adts(data: bytes) -> bytes:
    """The AAC frame behind an ADTS header. Raises RemoteProtocolError for what is no single frame."""
    if not is_adts(data):
        raise RemoteProtocolError("an AAC packet has no ADTS header")
    length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    if length != len(data) or data[6] & 3:
        raise RemoteProtocolError(f"an ADTS frame says {length} bytes in a packet of {len(data)}")
    return data[7 if data[1] & 1 else 9 :]


def adts_config(data: bytes) -> bytes:
    """The AudioSpecificConfig that an ADTS header stands for. Raises RemoteProtocolError."""
    if not is_adts(data):
        raise RemoteProtocolError("an AAC packet has no ADTS header")
    object_type = (data[2] >> 6) + 1
    rate_index = data[2] >> 2 & 15
    channels = (data[2] & 1) << 2 | data[3] >> 6
    return (object_type << 11 | rate_index << 7 | channels << 3).to_bytes(2)
