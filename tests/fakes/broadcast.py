"""A small right stream, written by hand around FFmpeg's fragments: what the judge is tried on."""

import io
import struct
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np

COUNT = 4
D = Fraction(192, 100)
RATE = Fraction(25, 4)
AUDIO_RATE = 48_000
EPOCH = 1_767_225_600
"""2026-01-01T00:00:00Z: 920 430 000 segments of 1.92 s after 1970, so the grid has a border there."""
FIRST = EPOCH * 100 // 192
SIZES = {"hi": (128, 72), "lo": (64, 36)}


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


STYP = box(b"styp", b"msdh", bytes(4), b"msdhcmfs")


def top_boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        found.append((data[place + 4 : place + 8], data[place : place + size]))
        place += size
    return found


def _video(width: int, height: int) -> bytes:
    file = io.BytesIO()
    options = {"movflags": "empty_moov+default_base_moof+frag_keyframe+cmaf", "use_editlist": "0"}
    with av.open(file, "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 90_000)
        stream.codec_context.gop_size = int(D * RATE)
        stream.codec_context.options = {
            "preset": "ultrafast",
            "x264-params": "scenecut=0:bframes=0:keyint=12:min-keyint=12:threads=1",
        }
        ramp = np.arange(width)
        for index in range(int(D * RATE) * COUNT):
            luma = np.broadcast_to((ramp + 3 * index).astype(np.uint8), (height, width))
            flat = np.full((height // 2, width), 128, dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(np.concatenate([luma, flat]), format="yuv420p")
            frame.pts, frame.time_base = int(index * 90_000 / RATE), Fraction(1, 90_000)
            for packet in stream.encode(frame):
                packet.duration = int(90_000 / RATE)
                container.mux(packet)
        for packet in stream.encode():
            packet.duration = int(90_000 / RATE)
            container.mux(packet)
    return file.getvalue()


def _audio() -> bytes:
    file = io.BytesIO()
    movflags = "empty_moov+default_base_moof+cmaf"
    options = {"movflags": movflags, "use_editlist": "0", "frag_duration": str(int(D * 1_000_000))}
    with av.open(file, "w", format="mp4", options=options) as container:
        stream = container.add_stream("aac", rate=AUDIO_RATE, layout="stereo", options={"aac_coder": "fast"})
        total = int(D * AUDIO_RATE) * COUNT // 1024
        packets = []
        for index in range(total + 1):
            wave = np.sin(np.arange(1024) * 0.05 + index).astype(np.float32) * 0.1
            frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = AUDIO_RATE, index * 1024
            packets += stream.encode(frame)
        packets += stream.encode()
        for index, packet in enumerate(packets[1 : total + 1]):
            packet.pts = packet.dts = index * 1024
            packet.duration = 1024
            container.mux(packet)
    return file.getvalue()


@cache
def fragments(name: str) -> tuple[bytes, tuple[bytes, ...]]:
    """Init and segments of a rendition: hi, lo or audio; decode times from 0."""
    parts = top_boxes(_audio() if name == "audio" else _video(*SIZES[name]))
    init = b"".join(data for kind, data in parts if kind in {b"ftyp", b"moov"})
    moofs = [data for kind, data in parts if kind == b"moof"]
    mdats = [data for kind, data in parts if kind == b"mdat"]
    segments = tuple(STYP + moof + mdat for moof, mdat in zip(moofs, mdats, strict=True))
    assert len(segments) == COUNT
    return init, segments


def shift(segment: bytes, ticks: int) -> bytes:
    """The segment with its tfdt moved."""
    place = segment.index(b"tfdt") + 8
    start = int.from_bytes(segment[place : place + 8], "big") + ticks
    return segment[:place] + start.to_bytes(8, "big") + segment[place + 8 :]


def timescale(name: str) -> int:
    return AUDIO_RATE if name == "audio" else 90_000


@dataclass
class Broadcast:
    """The files of a stream by path; tests break them one at a time."""

    live: bool
    count: int = COUNT
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """Nanoseconds: a second after the last segment ended."""
        return EPOCH * 1_000_000_000 + int((self.count * D + 1) * 1_000_000_000)

    def edit(self, path: str, old: str, new: str, count: int = 1) -> "Broadcast":
        text = self.files[path].decode()
        assert old in text, (path, old)
        self.files[path] = text.replace(old, new, count).encode()
        return self

    def write(self, folder: Path) -> str:
        Shelf(folder).put(self)
        return str(folder)


class Shelf:
    """A folder that holds one stream at a time; only what differs from the one before is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, bytes] = {}

    def put(self, stream: Broadcast) -> str:
        for path in self._files.keys() - stream.files.keys():
            (self.folder / path).unlink()
        for path, data in stream.files.items():
            if self._files.get(path) != data:
                target = self.folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        self._files = dict(stream.files)
        return str(self.folder)


def broadcast(*, live: bool = False, count: int = COUNT) -> Broadcast:
    """The right stream: two video rungs, one audio, one I-frame list, HLS and DASH."""
    stream = Broadcast(live, count)
    for name in ("hi", "lo", "audio"):
        init, segments = fragments(name)
        stream.files[f"{name}/init.mp4"] = init
        for index, data in enumerate(segments[:count]):
            moved = shift(data, EPOCH * timescale(name)) if live else data
            stream.files[f"{name}/{index}.m4s"] = moved
        stream.files[f"{name}/index.m3u8"] = media_playlist(live=live, count=count)
    stream.files["lo/iframes.m3u8"] = iframe_playlist("lo", live=live, count=count)
    stream.files["index.m3u8"] = multivariant()
    stream.files["manifest.mpd"] = manifest(live=live, count=count)
    return stream


def date(index: int) -> str:
    millis = int(index * D * 1000)
    return f"2026-01-01T00:00:{millis // 1000:02d}.{millis % 1000:03d}Z"


def head(*, live: bool, first: int) -> list[str]:
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:2"]
    lines += (
        [f"#EXT-X-MEDIA-SEQUENCE:{first}", "#EXT-X-DISCONTINUITY-SEQUENCE:0"]
        if live
        else ["#EXT-X-PLAYLIST-TYPE:VOD"]
    )
    return [*lines, '#EXT-X-MAP:URI="init.mp4"']


def media_playlist(*, live: bool, first: int = 0, count: int = COUNT) -> bytes:
    lines = head(live=live, first=first)
    for index in range(first, first + count):
        lines += [f"#EXT-X-PROGRAM-DATE-TIME:{date(index)}", "#EXTINF:1.920000,", f"{index}.m4s"]
    return "\n".join([*lines, *([] if live else ["#EXT-X-ENDLIST"]), ""]).encode()


def iframe_playlist(name: str, *, live: bool, first: int = 0, count: int = COUNT) -> bytes:
    lines = head(live=live, first=first)
    lines.insert(3, "#EXT-X-I-FRAMES-ONLY")
    for index in range(first, first + count):
        data = fragments(name)[1][index % COUNT]
        lines += [f"#EXT-X-PROGRAM-DATE-TIME:{date(index)}", "#EXTINF:1.920000,"]
        lines += [f"#EXT-X-BYTERANGE:{iframe_end(data) - len(STYP)}@{len(STYP)}", f"{index}.m4s"]
    return "\n".join([*lines, *([] if live else ["#EXT-X-ENDLIST"]), ""]).encode()


def iframe_end(segment: bytes) -> int:
    """Where the first sample ends: after the first NAL units of mdat whose size trun names."""
    trun = segment.index(b"trun")
    flags = int.from_bytes(segment[trun + 4 : trun + 8], "big") & 0xFFFFFF
    place = trun + 12 + 4 * bool(flags & 1) + 4 * bool(flags & 4) + 4 * bool(flags & 0x100)
    return segment.index(b"mdat") + 4 + int.from_bytes(segment[place : place + 4], "big")


def rates(name: str) -> tuple[int, int]:
    """Peak and mean, bits/s: each segment is nearly a target duration, and two are more than 1.5 of them."""
    sizes = [len(data) for data in fragments(name)[1]]
    peak = -(-max(sizes) * 8 * 100 // 192)
    return peak, sum(sizes) * 8 * 100 // (192 * COUNT)


def multivariant() -> bytes:
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines.append(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,'
        'CHANNELS="2",URI="audio/index.m3u8"'
    )
    for name, (width, height) in SIZES.items():
        peak, mean = (own + audio for own, audio in zip(rates(name), rates("audio"), strict=True))
        lines.append(
            f"#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={mean},"
            f'CODECS="{codec(name)},mp4a.40.2",RESOLUTION={width}x{height},FRAME-RATE=6.250,AUDIO="a"'
        )
        lines.append(f"{name}/index.m3u8")
    lines.append(
        f'#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={rates("lo")[0]},CODECS="{codec("lo")}",RESOLUTION=64x36,'
        'URI="lo/iframes.m3u8"'
    )
    return "\n".join([*lines, ""]).encode()


def codec(name: str) -> str:
    init = fragments(name)[0]
    place = init.index(b"avcC") + 5
    return f"avc1.{init[place : place + 3].hex()}"


def _representation(name: str) -> str:
    peak = rates(name)[0]
    if name == "audio":
        return f'<Representation id="audio" bandwidth="{peak}" codecs="mp4a.40.2" audioSamplingRate="48000"/>'
    width, height = SIZES[name]
    return (
        f'<Representation id="{name}" bandwidth="{peak}" codecs="{codec(name)}" '
        f'width="{width}" height="{height}" frameRate="25/4"/>'
    )


def _template(scale: int, *, live: bool, count: int) -> str:
    start = EPOCH * scale if live else 0
    offset = f' presentationTimeOffset="{start}"' if live else ""
    return (
        f'<SegmentTemplate timescale="{scale}"{offset} startNumber="0" initialization="$RepresentationID$/init.mp4" '
        f'media="$RepresentationID$/$Number$.m4s"><SegmentTimeline>'
        f'<S t="{start}" d="{int(D * scale)}" r="{count - 1}"/></SegmentTimeline></SegmentTemplate>'
    )


def manifest(*, live: bool, count: int = COUNT) -> bytes:
    if live:
        kind = (
            f'type="dynamic" availabilityStartTime="1970-01-01T00:00:00Z" publishTime="2026-01-01T00:00:{int(count * D):02d}Z" '
            'minimumUpdatePeriod="PT1.92S" timeShiftBufferDepth="PT7.68S" suggestedPresentationDelay="PT6S"'
        )
        period = f'<Period id="one" start="PT{EPOCH}S">'
        clock = '<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="2026-01-01T00:00:08Z"/>'
    else:
        kind = f'type="static" mediaPresentationDuration="PT{float(D * count)}S"'
        period, clock = '<Period id="one" start="PT0S">', ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" {kind}
 minBufferTime="PT2S" maxSegmentDuration="PT1.92S">
{period}
<AdaptationSet id="1" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1"
 maxWidth="128" maxHeight="72">{_template(90_000, live=live, count=count)}{_representation("hi")}{_representation("lo")}</AdaptationSet>
<AdaptationSet id="2" contentType="audio" mimeType="audio/mp4" lang="en" segmentAlignment="true" startWithSAP="1">
<AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
<Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>{_template(AUDIO_RATE, live=live, count=count)}{_representation("audio")}
</AdaptationSet></Period>{clock}</MPD>
""".encode()


def not_idr(data: bytes) -> bytes:
    """The segment with its first IDR slice called an ordinary one."""
    place = data.index(b"mdat") + 4
    while data[place + 4] & 0x1F != 5:
        place += 4 + int.from_bytes(data[place : place + 4], "big")
    return data[: place + 4] + b"\x41" + data[place + 5 :]
