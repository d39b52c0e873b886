"""The bytes of copied packets: byte-stream framing off, as segments hold samples (ISO/IEC 14496-15)."""

from collections.abc import Callable, Sequence

from abr.errors import MediaError, RemoteProtocolError
from abr.formats.adts import adts_config, is_adts, strip_adts
from abr.formats.avc import make_avcc, parameter_sets
from abr.formats.nal import (
    H264_DELIMITERS,
    H264_PARAMETERS,
    h264_type,
    is_annexb,
    join_prefixed,
    split_annexb,
)
from abr.formats.obu import strip_delimiter
from abr.model.media import Packet, Track
from abr.package.moov import COPIED

Payload = Callable[[bytes], bytes]


def config_of(track: Track, name: str, head: Sequence[Packet]) -> bytes:
    """The decoder configuration of a track: avcC, hvcC, av1C or AudioSpecificConfig.

    Made from the first packets where the container has none (MPEG-TS). Raises MediaError when that cannot be.
    """
    extradata = track.extradata
    if track.codec not in COPIED[track.kind]:
        codecs = ", ".join(sorted(COPIED[track.kind]))
        raise MediaError(
            f"rendition {name}: {track.codec} is not copied (only {codecs}); use a profile that encodes"
        )
    try:
        if track.codec == "aac" and not extradata and head:
            return adts_config(bytes(head[0].data))
        if track.codec == "h264" and (not extradata or is_annexb(extradata)):
            key = next((bytes(packet.data) for packet in head if packet.key), b"")
            return make_avcc(split_annexb(extradata or key))
    except RemoteProtocolError as error:
        raise MediaError(
            f"rendition {name}: {error}, so it cannot be copied; use a profile that encodes"
        ) from error
    if not extradata or is_annexb(extradata):
        raise MediaError(
            f"rendition {name}: {track.codec} without a container's header is not copied; remux the file to MP4"
        )
    return extradata


def payload_of(track: Track, name: str, head: Sequence[Packet], config: bytes) -> Payload | None:
    """What to do with the bytes of each packet; None when they are right as they are."""
    if track.codec == "av1":
        return strip_delimiter
    if track.codec == "aac":
        return (
            strip_adts
            if any(is_adts(bytes(packet.data)) for packet in head) and not track.extradata
            else None
        )
    if track.codec != "h264" or (track.extradata and not is_annexb(track.extradata)):
        return None
    known = frozenset(parameter_sets(config))

    def prefixed(data: bytes) -> bytes:
        kept = []
        for unit in split_annexb(data):
            kind = h264_type(unit)
            if kind not in H264_PARAMETERS | H264_DELIMITERS:
                kept.append(unit)
            elif kind in H264_PARAMETERS and unit not in known:
                raise MediaError(
                    f"rendition {name}: the H.264 parameters change within the file; use a profile that encodes"
                )
        return join_prefixed(kept)

    return prefixed
