"""The encoders that a rung may name: their presets, their options, and which options belong to the timeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_X26 = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
)  # fmt: skip
_QSV = ("veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_NVENC = tuple(f"p{number}" for number in range(1, 8))
_SVT = tuple(str(number) for number in range(14))

_GENERAL = frozenset({
    "g", "keyint_min", "flags", "b", "maxrate", "minrate", "bufsize", "crf", "qp", "cq", "global_quality",
    "preset", "profile", "level", "threads", "r", "s", "pix_fmt", "time_base",
})  # fmt: skip
"""Options of every encoder that a rung's own keys or the timeline set."""

_X26_PARAMS = frozenset({
    "keyint", "min-keyint", "scenecut", "open-gop", "intra-refresh", "fps", "bitrate", "crf", "qp",
    "vbv-maxrate", "vbv-bufsize", "preset", "profile", "threads", "annexb", "repeat-headers",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Encoder:
    """What is known of one encoder before it is opened."""

    name: str
    """FFmpeg's name."""
    family: str
    """"h264", "hevc" or "av1"."""
    presets: tuple[str, ...]
    """From the fastest to the slowest as the encoder counts them; empty for an encoder without presets."""
    preset: str
    """The default."""
    profiles: tuple[str, ...]
    """What `profile` may be; the first is the default. Empty: the encoder decides."""
    longest_crf: int = 0
    """The largest `crf`; 0 for an encoder that has none."""
    needs_crf: bool = False
    """Whether the encoder holds a maximum rate only with `crf`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options that are always set."""
    params_key: str = ""
    """The option that holds a list of parameters, `a=1:b=2`; empty where there is none."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Parameters that are set in that list."""
    threads_param: str = ""
    """The parameter that bounds the encoder's own threads, where FFmpeg's `threads` does not."""
    level_param: str = ""
    """The parameter that states the level, where FFmpeg's `level` does not."""
    fixed: frozenset[str] = _GENERAL
    """Options that a profile may not set."""
    fixed_params: frozenset[str] = frozenset()
    """Parameters that a profile may not set."""


def _x264() -> Encoder:
    # Key frames come where the grid says and nowhere else: forced I frames are IDR, scene cuts make none.
    return Encoder(
        "libx264", "h264", _X26, "veryfast", ("high", "main", "baseline"), 51,
        options={"forced-idr": "1", "sc_threshold": "0"},
        params_key="x264-params",
        fixed=_GENERAL | {"forced-idr", "sc_threshold", "intra-refresh", "x264opts"},
        fixed_params=_X26_PARAMS,
    )  # fmt: skip


def _x265() -> Encoder:
    # forced-idr alone still gives CRA pictures with leading ones; only with open-gop=0 they are IDR.
    # repeat-headers and info put parameter sets and a 2 KB message into the stream.
    return Encoder(
        "libx265", "hevc", _X26, "veryfast", ("main",), 51,
        options={"forced-idr": "1"},
        params_key="x265-params",
        params={"open-gop": "0", "scenecut": "0", "repeat-headers": "0", "info": "0", "log-level": "none"},
        threads_param="pools",
        level_param="level-idc",
        fixed=_GENERAL | {"forced-idr"},
        fixed_params=_X26_PARAMS | {"info", "pools", "frame-threads", "level-idc"},
    )  # fmt: skip


def _svt() -> Encoder:
    # Without look-ahead and with four layers it holds back 17 frames, by default 60 to 70.
    return Encoder(
        "libsvtav1", "av1", _SVT, "10", (), 63, needs_crf=True,
        params_key="svtav1-params",
        params={"lookahead": "0", "hierarchical-levels": "3", "scd": "0"},
        threads_param="lp",
        fixed_params=frozenset({
            "keyint", "irefresh-type", "scd", "rc", "tbr", "mbr", "crf", "qp", "preset", "lp", "fps", "fps-num",
            "fps-denom", "width", "height",
        }),
    )  # fmt: skip


def _nvenc(family: str) -> Encoder:
    options = {"forced-idr": "1", "no-scenecut": "1", "strict_gop": "1", "rc": "vbr"}
    return Encoder(
        f"{family}_nvenc",
        family,
        _NVENC,
        "p4",
        _PROFILES[family],
        options=options,
        fixed=_GENERAL | options.keys(),
    )


def _qsv(family: str) -> Encoder:
    options = {"forced_idr": "1", "adaptive_i": "0"}
    fixed = _GENERAL | options.keys() | {"idr_interval", "int_ref_type"}
    return Encoder(f"{family}_qsv", family, _QSV, "veryfast", _PROFILES[family], options=options, fixed=fixed)


def _videotoolbox(family: str) -> Encoder:
    return Encoder(f"{family}_videotoolbox", family, (), "", _PROFILES[family])


_PROFILES = {"h264": ("high", "main", "baseline"), "hevc": ("main",), "av1": ()}

ENCODERS: Mapping[str, Encoder] = MappingProxyType({
    encoder.name: encoder
    for encoder in (
        _x264(), _x265(), _svt(),
        _nvenc("h264"), _nvenc("hevc"), _nvenc("av1"),
        _qsv("h264"), _qsv("hevc"), _qsv("av1"),
        _videotoolbox("h264"), _videotoolbox("hevc"),
    )
})  # fmt: skip
"""All encoders that a rung may name."""

ALIASES: Mapping[str, str] = MappingProxyType({"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1"})
"""A codec's name stands for the encoder that runs on every machine."""

COPY = "copy"
"""The codec of a rendition that is packaged as it came in."""
