"""Command lines of FFmpeg and Shaka Packager that make what abr makes."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from abr.model.ladder import AudioTarget, Ladder, VideoTarget
from abr.transcode.option import video_options

_QUIET = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y")
_SETS = "id=0,streams=v id=1,streams=a"
_X264 = frozenset(("preset", "profile", "level", "crf", "forced-idr"))
"""Private options of libx264 that rungs of the measured profiles use (`abr.transcode.option`)."""


LANCZOS = ":flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp"
"""abr's scaler (`abr.transcode.scale`) as options of FFmpeg's filter."""


def ffmpeg_encode(
    ffmpeg: Path, film: Path, out: Path, ladder: Ladder, *, threads: bool = False, scaler: str = LANCZOS
) -> list[str]:
    """FFmpeg with abr's rungs, scaler, encoder options and segment length; DASH and HLS over one set of segments.

    Each rung is scaled from the source, as everybody writes it; without `scaler` by FFmpeg's own bicubic. `threads`
    gives each encoder as many threads as abr does, and the filters one; else FFmpeg chooses.
    """
    command = [str(ffmpeg), *_QUIET, "-i", str(film), "-filter_complex", _filters(ladder.video, scaler)]
    if threads:
        command += ["-filter_complex_threads", "1"]
    for place, rung in enumerate(ladder.video):
        command += ["-map", f"[{rung.name}]", *_video(place, rung, threads=threads)]
    for place, track in enumerate(ladder.audio):
        command += ["-map", f"0:a:{track.track}", *_audio(place, track)]
    return [*command, *_dash(ladder.duration, out)]


def ffmpeg_copy(ffmpeg: Path, film: Path, out: Path, seconds: Fraction) -> list[str]:
    """FFmpeg's DASH muxer, which writes HLS playlists beside the manifest."""
    return [str(ffmpeg), *_QUIET, "-i", str(film), "-c", "copy", *_dash(seconds, out)]


def ffmpeg_hls(ffmpeg: Path, film: Path, out: Path, seconds: Fraction) -> list[str]:
    """FFmpeg's HLS muxer, which writes its playlist once at the end. No DASH; sound and picture in one segment."""
    command = [str(ffmpeg), *_QUIET, "-i", str(film), "-c", "copy", "-f", "hls", "-hls_time", _text(seconds)]
    kind = ["-hls_segment_type", "fmp4", "-hls_playlist_type", "vod"]
    return [*command, *kind, "-hls_segment_filename", str(out / "%d.m4s"), str(out / "index.m3u8")]


def packager_copy(packager: Path, film: Path, out: Path, seconds: Fraction) -> list[str]:
    """Shaka Packager: the same tracks, HLS and a static DASH manifest."""
    return [
        str(packager),
        *(_descriptor(film, out, kind) for kind in ("video", "audio")),
        "--segment_duration",
        _text(seconds),
        "--hls_playlist_type",
        "VOD",
        "--hls_master_playlist_output",
        str(out / "index.m3u8"),
        "--generate_static_live_mpd",
        "--mpd_output",
        str(out / "manifest.mpd"),
        "--quiet",
    ]


def _filters(rungs: Sequence[VideoTarget], scaler: str) -> str:
    pads = "".join(f"[s{place}]" for place in range(len(rungs)))
    scales = [
        f"[s{place}]scale={rung.width}:{rung.height}{scaler},format=yuv420p[{rung.name}]"
        for place, rung in enumerate(rungs)
    ]
    return ";".join([f"[0:v:0]split={len(rungs)}{pads}", *scales])


def _video(place: int, rung: VideoTarget, *, threads: bool) -> list[str]:
    options = {
        name: value for name, value in video_options(rung, _X264).items() if name != "x264-params"
    }  # its prefixes in place of start codes are for those who write samples themselves
    words = ["-c:v", rung.codec]
    if rung.crf is None:
        words += ["-b:v", str(rung.bitrate)]
    for name, value in options.items():
        words += [f"-{name}:v", value]
    words += ["-flags:v", "+cgop", "-force_key_frames", f"expr:gte(n,n_forced*{rung.key_frames})"]
    if threads:
        words += ["-threads:v", str(rung.threads)]
    return [_placed(word, "v", place) for word in words]


def _audio(place: int, track: AudioTarget) -> list[str]:
    words = ["-c:a", track.codec, "-b:a", str(track.bitrate)]
    words += ["-ar:a", str(track.sample_rate), "-ac:a", str(track.channels)]
    return [_placed(word, "a", place) for word in words]


def _placed(word: str, kind: str, place: int) -> str:
    """An option of one output stream: `-b:v` → `-b:v:2`."""
    if word == "-force_key_frames":
        return f"{word}:{kind}:{place}"
    return f"{word}:{place}" if word.startswith("-") and word.endswith(f":{kind}") else word


def _dash(seconds: Fraction, out: Path) -> list[str]:
    command = ["-f", "dash", "-seg_duration", _text(seconds), "-dash_segment_type", "mp4"]
    return [*command, "-adaptation_sets", _SETS, "-hls_playlist", "1", str(out / "manifest.mpd")]


def _descriptor(film: Path, out: Path, kind: str) -> str:
    folder = out / kind
    parts = {
        "in": film,
        "stream": kind,
        "init_segment": folder / "init.mp4",
        "segment_template": folder / "$Number$.m4s",
        "playlist_name": f"{kind}.m3u8",
    }
    return ",".join(f"{name}={value}" for name, value in parts.items())


def _text(seconds: Fraction) -> str:
    return f"{float(seconds):.6f}".rstrip("0").rstrip(".")
