"""The options that a rung's encoder is opened with: its profile's, and those that the rung itself sets."""

import difflib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from abr.errors import ConfigError
from abr.model.ladder import VideoTarget

_LONG = 10
"""The encoder's own key interval, in ours: it never comes to place a key frame of its own."""


def video_options(target: VideoTarget, known: AbstractSet[str]) -> dict[str, str]:
    """All options of a rung, as FFmpeg names them; `known` are the encoder's private ones.

    The profile's options come as they are; those that the rung itself sets are laid over them.
    """
    options = {**target.options, **_rate(target, known)}
    options |= {"g": str(target.key_frames * _LONG), "keyint_min": "1"}
    for key, value in (("preset", target.preset), ("profile", target.profile), ("level", target.level)):
        if value and key in known and key not in target.options:
            options[key] = value
    return options | _params(target, options)


def refuse_unknown(target: VideoTarget, left: Mapping[str, str], known: AbstractSet[str]) -> None:
    """Refuse options that the encoder left untouched when it was opened. Raises ConfigError."""
    for key in left:
        near = difflib.get_close_matches(key, known, 1)
        raise ConfigError(
            f"video.{target.name}.options.{key}",
            f"{target.codec} has no such option",
            hint=f"did you mean {near[0]!r}?" if near else "remove it",
        )


def _rate(target: VideoTarget, known: AbstractSet[str]) -> dict[str, str]:
    """Rate control. SVT-AV1 takes a maximum with crf only and refuses to open otherwise."""
    bounds = {"maxrate": str(target.maxrate), "bufsize": str(target.bufsize)}
    if target.crf is None:
        return {"bufsize": bounds["bufsize"]} if target.codec == "libsvtav1" else bounds
    if "crf" not in known:
        raise ConfigError(f"video.{target.name}.crf", f"{target.codec} has no crf", hint="set bitrate alone")
    return {"crf": f"{float(target.crf):g}", **bounds}


def _params(target: VideoTarget, options: Mapping[str, str]) -> dict[str, str]:
    """libx264's own list with length prefixes and an avcC asked for: nothing is left to convert."""
    if target.codec != "libx264":
        return {}
    return {"x264-params": ":".join(filter(None, (options.get("x264-params"), "annexb=0")))}
