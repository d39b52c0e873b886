"""A profile fitted to a source."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abr.config.ladder import common_timescale, resolve, share_threads
from abr.config.profile import load_profile, parse_profile, profile_names
from abr.errors import ConfigError
from abr.model.media import Kind, Track, Turn

NTSC = Fraction(30_000, 1001)
PROFILE = load_profile("720p")
SOUND = Track(1, Kind.AUDIO, "aac", Fraction(1, 44_100), sample_rate=44_100, channels=1)


def picture(width=1920, height=1080, rate=Fraction(25), **more):
    return Track(
        0, Kind.VIDEO, "h264", Fraction(1, 1000), width=width, height=height, frame_rate=rate, **more
    )


def names(profile=PROFILE, tracks=None, **more):
    return resolve(profile, tracks or [picture(), SOUND], cores=2, **more).ladder.names


def made(rungs):
    return parse_profile("".join(f"[[video]]\n{rung}\n" for rung in rungs), "made")


def test_a_full_source_fills_the_whole_ladder():
    resolved = resolve(PROFILE, [picture(), SOUND], cores=2)
    ladder = resolved.ladder
    assert ladder.names == ("720p", "540p", "360p", "234p", "audio")
    assert (ladder.duration, ladder.window, resolved.notes) == (Fraction(48, 25), 300, ())
    top = ladder.video[0]
    assert (top.width, top.height, top.rate, top.timescale, top.key_frames) == (1280, 720, 25, 90_000, 48)
    assert (top.codec, top.preset, top.profile, top.level, top.threads) == (
        "libx264",
        "veryfast",
        "high",
        "3.1",
        1,
    )
    assert (top.bitrate, top.maxrate, top.bufsize, top.crf) == (3_000_000, 3_300_000, 3_300_000, None)
    assert top.options == {"forced-idr": "1", "sc_threshold": "0"}
    assert [rung.level for rung in ladder.video] == ["3.1", "3.1", "3.0", "1.3"]
    audio = ladder.audio[0]
    assert (audio.codec, audio.bitrate, audio.sample_rate, audio.channels) == ("aac", 128_000, 48_000, 2)


@pytest.mark.parametrize(
    ("track", "kept"),
    [
        (picture(1280, 720), ("720p", "540p", "360p", "234p")),
        (picture(1276, 716), ("720p", "540p", "360p", "234p")),
        (picture(960, 540), ("540p", "360p", "234p")),
        (picture(640, 480), ("360p", "234p")),
        (picture(1280, 536), ("720p", "540p", "360p", "234p")),
        (picture(1080, 1920), ("720p", "540p", "360p", "234p")),
        (picture(640, 576, pixel_aspect=Fraction(2)), ("720p", "540p", "360p", "234p")),
        (picture(160, 90), ("234p",)),
        (picture(0, 0), ("720p", "540p", "360p", "234p")),
    ],
)
def test_no_rung_is_larger_than_the_source_and_one_always_stays(track, kept):
    assert names(tracks=[track]) == kept


def test_what_was_left_out_is_said():
    notes = resolve(PROFILE, [picture(640, 360)], cores=2).notes
    assert notes == (
        "the source has no audio: none is made",
        "larger than the source (640x360), left out: 720p, 540p",
    )


@pytest.mark.parametrize(
    ("declared", "rate", "duration", "key_frames"),
    [
        (Fraction(25), Fraction(25), Fraction(48, 25), 48),
        (Fraction(50), Fraction(50), Fraction(48, 25), 96),
        (Fraction(30), Fraction(30), Fraction(8, 5), 48),
        (Fraction(2997, 100), NTSC, Fraction(1001, 500), 30),
        (Fraction(24), Fraction(24), Fraction(8, 3), 32),
        (None, Fraction(25), Fraction(48, 25), 48),
        (Fraction(1000), Fraction(25), Fraction(48, 25), 48),
    ],
)
def test_rates_decide_segments_and_key_frames(declared, rate, duration, key_frames):
    ladder = resolve(PROFILE, [picture(rate=declared), SOUND], cores=2).ladder
    assert {rung.rate for rung in ladder.video} == {rate}
    assert (ladder.duration, ladder.video[0].key_frames) == (duration, key_frames)


def test_a_rate_that_is_not_taken_literally_is_said():
    assert "frame rate 29.967 of the source is taken as 30000/1001" in (
        resolve(PROFILE, [picture(rate=Fraction(29_967, 1000)), SOUND], cores=2).notes
    )
    assert "the source does not say its frame rate: 25 is taken" in (
        resolve(PROFILE, [picture(rate=None), SOUND], cores=2).notes
    )


def test_rungs_of_half_the_rate_share_segments_and_timescale():
    profile = made(['size="1280x720"\nbitrate="3M"', 'size="640x360"\nbitrate="800k"\nfps="source/2"'])
    full, half = resolve(profile, [picture(rate=Fraction(60))], cores=2).ladder.video
    assert (full.rate, half.rate) == (60, 30)
    assert full.timescale == half.timescale == 90_000
    assert full.key_frames == 2 * half.key_frames


def test_rates_that_never_meet_are_refused():
    profile = made(['size="1280x720"\nbitrate="3M"\nfps=25', 'size="640x360"\nbitrate="800k"\nfps="29.97"'])
    with pytest.raises(ConfigError, match=r"frame rates 30000/1001, 25 meet only every 40\.04s") as caught:
        resolve(profile, [picture()], cores=2)
    assert caught.value.path == "video"


def test_a_stated_level_is_checked_at_the_real_rate():
    profile = made(['size="1280x720"\nbitrate="3M"\nlevel="3.1"'])
    assert resolve(profile, [picture()], cores=2).ladder.video[0].level == "3.1"
    with pytest.raises(
        ConfigError, match=r"level 3\.1 allows 108000 macroblocks a second, not 180000"
    ) as caught:
        resolve(profile, [picture(rate=Fraction(50))], cores=2)
    assert caught.value.path == "video[1].level"


def test_a_level_of_hevc_goes_to_the_encoder_as_a_parameter():
    profile = made(['size="1280x720"\nbitrate="2M"\ncodec="hevc"\nlevel="4.0"'])
    rung = resolve(profile, [picture()], cores=2).ladder.video[0]
    assert rung.level is None
    assert "level-idc=4.0" in rung.options["x265-params"]


def test_audio_is_kept_for_live_output_though_the_feed_has_none():
    assert names(tracks=[picture()]) == ("720p", "540p", "360p", "234p")
    assert names(tracks=[picture()], silence=True)[-1] == "audio"
    assert resolve(PROFILE, [picture()], cores=2, silence=True).notes == (
        "the source has no audio: silence is made",
    )


def test_a_feed_without_picture_gives_sound_only():
    resolved = resolve(PROFILE, [SOUND], cores=2)
    assert resolved.ladder.names == ("audio",)
    assert resolved.ladder.duration == Fraction(1984, 1000)
    assert resolved.notes == ("the source has no video: only audio is made",)


def test_live_output_has_every_rung_though_the_feed_has_no_picture():
    resolved = resolve(PROFILE, [SOUND], cores=2, silence=True)
    assert resolved.ladder.names == ("720p", "540p", "360p", "234p", "audio")
    assert {rung.rate for rung in resolved.ladder.video} == {25}
    assert resolved.notes == ("the source has no video: the slate is shown until it has",)
    assert resolve(load_profile("audio"), [SOUND], cores=2, silence=True).notes == ()


def test_a_profile_of_sound_takes_any_source():
    assert names(load_profile("audio")) == ("audio", "audio-64k")
    with pytest.raises(ConfigError, match="nothing of 'audio' is left"):
        names(load_profile("audio"), [picture()])


def test_audio_is_made_from_the_track_of_its_language():
    text = '[[audio]]\nname="en"\nlanguage="en"\n[[audio]]\nname="de"\nlanguage="de"\n[[audio]]\nname="x"'
    tracks = [replace(SOUND, index=i, language=language) for i, language in enumerate(["fr", "de"])]
    audio = resolve(parse_profile(text, "made"), tracks, cores=1).ladder.audio
    assert [(target.language, target.track) for target in audio] == [("de", 1), ("fr", 0)]


def test_the_channels_language_is_the_last_resort():
    audio = resolve(PROFILE, [SOUND], cores=1, language="en").ladder.audio
    assert [target.language for target in audio] == ["en"]


def test_a_copy_takes_size_rate_and_sound_as_they_are():
    ladder = resolve(load_profile("copy"), [picture(1918, 802, bit_rate=7_000_000), SOUND], cores=2).ladder
    video, audio = ladder.video[0], ladder.audio[0]
    assert (video.name, video.codec, video.width, video.height, video.bitrate) == (
        "source",
        "copy",
        1918,
        802,
        7_000_000,
    )
    assert (audio.codec, audio.sample_rate, audio.channels) == ("copy", 44_100, 1)


def test_a_copy_of_unknown_bitrate_is_announced_with_a_guess():
    resolved = resolve(load_profile("copy"), [picture(), SOUND], cores=2)
    assert resolved.ladder.video[0].maxrate == 4_000_000
    assert resolved.notes == ("the source does not say its bitrate: 4M is announced",)


def test_a_copy_of_turned_pictures_is_noted():
    resolved = resolve(load_profile("copy"), [replace(picture(), turn=Turn(1)), SOUND], cores=2)
    assert (
        "the source's pictures are turned by its container: a copy is shown as it is stored" in resolved.notes
    )


def rungs_of(profile, track):
    return [rung.name for rung in resolve(profile, [track], cores=2).ladder.video]


def test_a_turned_source_is_as_large_as_it_is_shown():
    """A phone held upright: 720 pixels wide and 1280 high, whatever way it is stored."""
    upright = rungs_of(load_profile("1080p"), picture(720, 1280))
    assert rungs_of(load_profile("1080p"), replace(picture(1280, 720), turn=Turn(1))) == upright
    assert rungs_of(load_profile("1080p"), replace(picture(1280, 720), turn=Turn(2))) == rungs_of(
        load_profile("1080p"), picture(1280, 720)
    )


def test_pixels_that_are_not_square_count_as_they_are_shown():
    wide = replace(picture(1440, 1080), pixel_aspect=Fraction(4, 3))
    assert rungs_of(load_profile("1080p"), wide) == rungs_of(load_profile("1080p"), picture(1920, 1080))


@pytest.mark.parametrize(
    ("fit", "kept"), [("letterbox", ["a", "b"]), ("crop", ["b"]), ("stretch", ["a", "b"])]
)
def test_what_is_cropped_must_fill_the_rung_with_less(fit, kept):
    rungs = "".join(
        f'[[video]]\nname="{name}"\nsize="{size}"\nbitrate="{rate}"\n'
        for name, size, rate in (("a", "1920x1080", "5M"), ("b", "1280x720", "2M"))
    )
    profile = parse_profile(f'fit = "{fit}"\n{rungs}', "made")
    assert rungs_of(profile, picture(1440, 1080)) == kept
    assert resolve(profile, [picture()], cores=1).ladder.fit == fit


@pytest.mark.parametrize(
    ("sizes", "cores", "threads"),
    [
        ([(1280, 720, 25), (960, 540, 25), (640, 360, 25), (416, 234, 25)], 2, [1, 1, 1, 1]),
        ([(1280, 720, 25), (640, 360, 25)], 8, [6, 2]),
        ([(1920, 1080, 25), (1280, 720, 25)], 2, [1, 1]),
        ([(1920, 1080, 30), (1280, 720, 30), (640, 360, 30)], 3, [2, 1, 1]),
        ([(1920, 1080, 30), (1280, 720, 30)], 2, [1, 1]),
        ([(256, 144, 25)], 8, [1]),
        ([(3840, 2160, 60)], 64, [16]),
    ],
)
def test_threads_follow_the_pixels_a_second(sizes, cores, threads):
    assert share_threads([Fraction(width * height * rate) for width, height, rate in sizes], cores) == threads


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [Fraction(25), NTSC, Fraction(50), 2 * NTSC, Fraction(24_000, 1001), Fraction(25, 2)]
        ),
        min_size=1,
    )
)
def test_a_frame_of_every_rung_lasts_whole_ticks(rates):
    timescale = common_timescale(rates)
    assert timescale >= 24_000
    assert all((timescale / rate).denominator == 1 for rate in rates)


@pytest.mark.parametrize("name", profile_names())
@pytest.mark.parametrize("rate", [Fraction(25), NTSC, Fraction(60), Fraction(24)])
def test_every_shipped_profile_fits_every_usual_source(name, rate):
    ladder = resolve(load_profile(name), [picture(rate=rate), SOUND], cores=4, silence=True).ladder
    assert Fraction(3, 2) <= ladder.duration <= Fraction(8, 3)
    for rung in ladder.video:
        assert (ladder.duration * rung.rate).denominator == 1
        assert (ladder.duration * rung.rate / rung.key_frames).denominator == 1
