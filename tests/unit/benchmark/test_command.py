"""Command lines: FFmpeg and Shaka Packager are told what abr's ladder says."""

from fractions import Fraction
from pathlib import Path

import pytest

from abr.model.ladder import AudioTarget, Ladder, VideoTarget
from scripts.benchmark.command import ffmpeg_copy, ffmpeg_encode, ffmpeg_hls, packager_copy

FFMPEG, FILM, OUT = Path("/bin/ffmpeg"), Path("film.mp4"), Path("/out")


def rung(name, height, threads=1, **options):
    return VideoTarget(
        name=name,
        width=height * 16 // 9,
        height=height,
        rate=Fraction(25),
        timescale=90_000,
        codec="libx264",
        bitrate=height * 1000,
        maxrate=height * 1100,
        bufsize=height * 1100,
        profile="high",
        level="3.1",
        key_frames=48,
        threads=threads,
        options={"forced-idr": "1", "sc_threshold": "0"},
        **options,
    )


LADDER = Ladder(
    (rung("720p", 720, threads=2), rung("360p", 360)),
    (AudioTarget("audio", "aac", 128_000),),
    Fraction(48, 25),
    Fraction(300),
)


def value(command, option):
    """What follows an option that stands once."""
    assert command.count(option) == 1
    return command[command.index(option) + 1]


def test_each_rung_is_scaled_from_the_source():
    command = ffmpeg_encode(FFMPEG, FILM, OUT, LADDER, scaler=":flags=lanczos")
    assert value(command, "-filter_complex") == (
        "[0:v:0]split=2[s0][s1];[s0]scale=1280:720:flags=lanczos,format=yuv420p[720p];"
        "[s1]scale=640:360:flags=lanczos,format=yuv420p[360p]"
    )
    assert [command[i + 1] for i, word in enumerate(command) if word == "-map"] == [
        "[720p]",
        "[360p]",
        "0:a:0",
    ]


@pytest.mark.parametrize(("place", "height"), [(0, 720), (1, 360)])
def test_the_encoders_get_the_options_of_their_rung(place, height):
    command = ffmpeg_encode(FFMPEG, FILM, OUT, LADDER)
    expected = {
        "c": "libx264",
        "b": str(height * 1000),
        "maxrate": str(height * 1100),
        "bufsize": str(height * 1100),
        "preset": "veryfast",
        "profile": "high",
        "level": "3.1",
        "forced-idr": "1",
        "sc_threshold": "0",
        "g": "480",
        "keyint_min": "1",
        "flags": "+cgop",
        "force_key_frames": "expr:gte(n,n_forced*48)",
    }
    assert {name: value(command, f"-{name}:v:{place}") for name in expected} == expected


def test_prefixes_in_place_of_start_codes_are_left_out():
    assert not any("x264-params" in word for word in ffmpeg_encode(FFMPEG, FILM, OUT, LADDER))


def test_quality_takes_the_place_of_a_rate():
    ladder = Ladder((rung("720p", 720, crf=Fraction(23)),), (), Fraction(2), Fraction(300))
    command = ffmpeg_encode(FFMPEG, FILM, OUT, ladder)
    assert value(command, "-crf:v:0") == "23"
    assert "-b:v:0" not in command


def test_threads_are_given_only_when_asked_for():
    assert not any(word.startswith("-threads") for word in ffmpeg_encode(FFMPEG, FILM, OUT, LADDER))
    command = ffmpeg_encode(FFMPEG, FILM, OUT, LADDER, threads=True)
    assert (value(command, "-threads:v:0"), value(command, "-threads:v:1")) == ("2", "1")
    assert value(command, "-filter_complex_threads") == "1"


def test_sound_is_encoded_once():
    command = ffmpeg_encode(FFMPEG, FILM, OUT, LADDER)
    told = [value(command, option) for option in ("-c:a:0", "-b:a:0", "-ar:a:0", "-ac:a:0")]
    assert told == ["aac", "128000", "48000", "2"]


def test_segments_are_as_long_as_abrs():
    command = ffmpeg_encode(FFMPEG, FILM, OUT, LADDER)
    assert value(command, "-seg_duration") == "1.92"
    assert command[-1] == "/out/manifest.mpd"


def test_copying_writes_dash_and_hls_in_one_go():
    command = ffmpeg_copy(FFMPEG, FILM, OUT, Fraction(2))
    told = [value(command, option) for option in ("-c", "-f", "-hls_playlist", "-seg_duration")]
    assert told == ["copy", "dash", "1", "2"]


def test_hls_alone_is_a_finished_playlist_of_cmaf_segments():
    command = ffmpeg_hls(FFMPEG, FILM, OUT, Fraction(1001, 500))
    told = [value(command, option) for option in ("-hls_time", "-hls_segment_type", "-hls_playlist_type")]
    assert told == ["2.002", "fmp4", "vod"]


def test_packager_takes_both_tracks_of_the_film():
    command = packager_copy(Path("/bin/packager"), FILM, OUT, Fraction(2))
    for kind, descriptor in zip(("video", "audio"), command[1:3], strict=True):
        assert descriptor.split(",") == [
            "in=film.mp4",
            f"stream={kind}",
            f"init_segment=/out/{kind}/init.mp4",
            f"segment_template=/out/{kind}/$Number$.m4s",
            f"playlist_name={kind}.m3u8",
        ]
    assert value(command, "--segment_duration") == "2"
    assert "--generate_static_live_mpd" in command
