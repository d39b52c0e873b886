"""Encoder options: the defaults, the profile's own, and what may not be touched."""

import av
import pytest

from abr.config.encoder import ALIASES, ENCODERS
from abr.config.option import check_options, encoder_options, option_texts
from abr.errors import ConfigError

X264, X265, SVT = (ENCODERS[name] for name in ("libx264", "libx265", "libsvtav1"))
PATH = "video[1].options"


def test_the_encoders_that_a_rung_may_name():
    names = {"libx264", "libx265", "libsvtav1"}
    names |= {f"{family}_{kind}" for family in ("h264", "hevc", "av1") for kind in ("nvenc", "qsv")}
    names |= {"h264_videotoolbox", "hevc_videotoolbox"}
    assert set(ENCODERS) == names
    assert dict(ALIASES) == {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1"}


@pytest.mark.parametrize("name", sorted(set(ALIASES.values())))
def test_the_codecs_encoders_are_in_every_ffmpeg_we_ship_with(name):
    assert name in av.codecs_available


def test_key_frames_come_only_where_the_grid_says():
    assert encoder_options(X264, {}, threads=2, level=None) == {"forced-idr": "1", "sc_threshold": "0"}
    assert encoder_options(X265, {}, threads=2, level="4.0") == {
        "forced-idr": "1",
        "x265-params": "open-gop=0:scenecut=0:repeat-headers=0:info=0:log-level=none:pools=2:level-idc=4.0",
    }
    assert encoder_options(SVT, {}, threads=3, level=None) == {
        "svtav1-params": "lookahead=0:hierarchical-levels=3:scd=0:lp=3"
    }


def test_the_profiles_options_are_laid_over_the_defaults():
    own = option_texts({"tune": "film", "bf": 0, "aq-strength": 0.8, "mbtree": False}, PATH)
    check_options(X264, own, PATH)
    options = encoder_options(X264, own, threads=1, level=None)
    assert options == {
        "forced-idr": "1", "sc_threshold": "0", "tune": "film", "bf": "0", "aq-strength": "0.8", "mbtree": "0",
    }  # fmt: skip


def test_lists_of_parameters_are_merged():
    own = {"x265-params": "aq-mode=3:no-sao:log-level=warning"}
    check_options(X265, own, PATH)
    assert encoder_options(X265, own, threads=1, level=None)["x265-params"] == (
        "open-gop=0:scenecut=0:repeat-headers=0:info=0:log-level=warning:aq-mode=3:no-sao:pools=1"
    )


@pytest.mark.parametrize(
    ("encoder", "options", "path"),
    [
        (X264, {"sc_threshold": "40"}, "sc_threshold"),
        (X264, {"forced-idr": "0"}, "forced-idr"),
        (X264, {"g": "12"}, "g"),
        (X264, {"flags": "-cgop"}, "flags"),
        (X264, {"threads": "4"}, "threads"),
        (X264, {"x264opts": "keyint=5"}, "x264opts"),
        (X264, {"x264-params": "me=hex:keyint=5"}, "x264-params"),
        (X264, {"x264-params": "min_keyint=5"}, "x264-params"),
        (X265, {"x265-params": "open-gop=1"}, "x265-params"),
        (X265, {"x265-params": "no-scenecut"}, "x265-params"),
        (SVT, {"svtav1-params": "keyint=5"}, "svtav1-params"),
        (ENCODERS["h264_nvenc"], {"no-scenecut": "0"}, "no-scenecut"),
        (ENCODERS["hevc_qsv"], {"idr_interval": "3"}, "idr_interval"),
    ],
)
def test_what_the_timeline_depends_on_is_refused(encoder, options, path):
    with pytest.raises(ConfigError, match="cannot be set") as caught:
        check_options(encoder, options, PATH)
    assert caught.value.path == f"{PATH}.{path}"


@pytest.mark.parametrize("value", [[1], {"a": 1}, None])
def test_an_option_is_text_or_a_number(value):
    with pytest.raises(ConfigError, match="an encoder option is text"):
        option_texts({"tune": value}, PATH)


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=lambda encoder: encoder.name)
def test_every_default_is_one_of_the_choices(encoder):
    assert encoder.preset in encoder.presets or not encoder.presets
    assert encoder.options.keys() <= encoder.fixed
    assert encoder.needs_crf <= bool(encoder.longest_crf)
