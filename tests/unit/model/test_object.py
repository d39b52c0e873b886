"""Objects below an origin: keys, types, lifetimes."""

from fractions import Fraction

import pytest

from abr.model import object as objects
from abr.model.media import Kind
from abr.model.object import ObjectKind

D = Fraction(48, 25)
SESSION = "20260829T181500Z-0001020304050607"
YEAR = "public, max-age=31536000, immutable"
M3U8 = "application/vnd.apple.mpegurl"


@pytest.mark.parametrize(
    ("made", "kind", "key", "content_type", "cache_control"),
    [
        (objects.init_object("tv", "720p", SESSION, Kind.VIDEO), "INIT", f"tv/720p/{SESSION}/init.mp4", "video/mp4", YEAR),
        (objects.segment_object("tv", "audio", SESSION, 9, Kind.AUDIO), "SEGMENT", f"tv/audio/{SESSION}/9.m4s", "audio/mp4", YEAR),
        (objects.playlist_object("tv", "720p", D), "PLAYLIST", "tv/720p/index.m3u8", M3U8, "public, max-age=1"),
        (objects.playlist_object("tv", "720p", Fraction(5)), "PLAYLIST", "tv/720p/index.m3u8", M3U8, "public, max-age=2"),
        (objects.manifest_object("tv", D), "MANIFEST", "tv/manifest.mpd", "application/dash+xml", "public, max-age=1"),
        (objects.entry_object("tv"), "ENTRY", "tv/index.m3u8", M3U8, "public, max-age=60"),
        (objects.state_object("tv"), "STATE", "tv/state.json", "application/json", "public, max-age=60"),
        (objects.recording_object("tv", "e", "720p/index.m3u8"), "RECORDING", "tv/recordings/e/720p/index.m3u8", M3U8, "public, max-age=60"),
        (objects.recording_object("tv", "e", "manifest.mpd"), "RECORDING", "tv/recordings/e/manifest.mpd", "application/dash+xml", "public, max-age=60"),
    ],
)  # fmt: skip
def test_each_object_has_its_key_type_and_lifetime(made, kind, key, content_type, cache_control):
    assert made == (ObjectKind[kind], key, content_type, cache_control)
