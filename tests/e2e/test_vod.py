"""`abr vod` on real files: what is read back from the packaged film is the source, frame by frame."""

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.e2e.playback import Rendition, Shown, lip_sync, renditions
from tests.e2e.processes import run_abr
from tests.e2e.verdict import findings
from tests.fakes.clip import Clip, make_clip, read_number

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

SIZE = (416, 234)
PATIENCE = 60.0
FRAME = Fraction(1024, 48_000)
"""An AAC frame, seconds."""
LIP_SYNC = Fraction(5, 1000)
NTSC = Fraction(30_000, 1001)

HALF = """
[[video]]
name = "full"
size = "416x234"
bitrate = "365k"
fps = "source"

[[video]]
name = "half"
size = "256x144"
bitrate = "145k"
fps = "source/2"

[[audio]]
name = "audio"
bitrate = "96k"
"""

ONE = """
[[video]]
name = "only"
size = "256x144"
bitrate = "145k"
"""

DYING = """
import sys
from abr.__main__ import main
from abr.errors import MediaError
from abr.transcode.film import Film

def push(self, item, now):
    raise MediaError("the test is over")

Film.push = push
sys.exit(main())
"""


def look(frame: av.VideoFrame) -> tuple[int, float]:
    """The clip's number, and the brightness of the half that flashes."""
    luma = frame.to_ndarray(format="gray8")
    return read_number(frame), float(luma[luma.shape[0] // 2 :].mean())


def package(folder: Path, clip: Clip, name: str, profile: str = "test") -> dict[str, Rendition]:
    """The clip as a file called `name`, packaged; the recording's renditions."""
    (folder / name).write_bytes(make_clip(clip))
    done = run_abr(
        folder,
        "vod",
        name,
        "--profile",
        profile,
        "--to",
        "origin",
        "--channel",
        "film",
        "--json",
        seconds=PATIENCE,
    )
    assert done.code == 0, done.err
    made = json.loads(done.out)
    entry = folder / "origin" / made["hls"]
    assert (folder / "origin" / made["dash"]).is_file()
    found = renditions(entry)
    assert set(found) == set(made["renditions"])
    assert all(len(item.segments) == made["segments"] for item in found.values())
    return found


def judged(folder: Path) -> list[str]:
    """What `abr verify --decode` finds in the recording."""
    (recording,) = (folder / "origin" / "film" / "recordings").iterdir()
    return findings(recording, folder, "--decode")


def times(shown: Sequence[Shown]) -> list[Fraction]:
    """From the first picture on."""
    return [item.time - shown[0].time for item in shown]


def numbers(shown: Sequence[Shown]) -> list[int]:
    return [item.number for item in shown]


def check_sound(rungs: Sequence[list[Shown]], audio: Rendition, length: Fraction) -> None:
    """As long as the picture, to a frame of AAC, and in sync with it in every rung."""
    heard = audio.sound()
    assert abs(heard.start - rungs[0][0].time) < FRAME
    assert abs(heard.length - length) <= FRAME
    for shown in rungs:
        late = lip_sync(shown, heard)
        assert late is not None
        assert abs(late) <= LIP_SYNC, float(late)


def test_each_rung_shows_each_frame_at_its_time(tmp_path: Path) -> None:
    """B-frames in the source, two rungs, sound in step, and no rule broken."""
    clip = Clip(size=SIZE, seconds=Fraction(6), b_frames=2)
    film = package(tmp_path, clip, "talk.mp4")
    rungs = [film[name].pictures(look) for name in ("234p", "144p")]
    for shown in rungs:
        assert numbers(shown) == list(range(150))
        assert times(shown) == [Fraction(place, 25) for place in range(150)]
    assert rungs[0][0].time == rungs[1][0].time
    check_sound(rungs, film["audio"], Fraction(6))
    assert judged(tmp_path) == []


def test_a_player_that_reads_the_multivariant_playlist_gets_every_frame(tmp_path: Path) -> None:
    """FFmpeg's own HLS reader counts them."""
    package(tmp_path, Clip(size=SIZE, seconds=Fraction(4)), "talk.mp4")
    (entry,) = (tmp_path / "origin/film/recordings").glob("*/index.m3u8")
    with av.open(str(entry), format="hls") as container:
        assert len(container.streams.video) == 2
        assert sum(1 for _ in container.decode(video=0)) == 100


def test_copy_keeps_the_source_as_it_is(tmp_path: Path) -> None:
    """Packets are the file's own: the same frames, the same bytes."""
    clip = Clip(size=SIZE, seconds=Fraction(6), b_frames=2)
    film = package(tmp_path, clip, "talk.mp4", "copy")
    shown = film["source"].pictures(look)
    assert numbers(shown) == list(range(150))
    assert times(shown) == [Fraction(place, 25) for place in range(150)]
    check_sound([shown], film["audio"], Fraction(6))
    with av.open(str(tmp_path / "talk.mp4")) as source:
        sizes = [packet.size for packet in source.demux(video=0) if packet.size]
    assert packet_sizes(film["source"]) == sizes
    assert judged(tmp_path) == []


def packet_sizes(rendition: Rendition) -> list[int]:
    """Of all its packets, in decode order."""
    import io

    with av.open(io.BytesIO(rendition.media), format="mp4") as container:
        return [packet.size for packet in container.demux(video=0) if packet.size]


def test_a_rung_of_half_the_rate_shows_every_second_frame(tmp_path: Path) -> None:
    """At the same times as the full rung shows them; segments begin together."""
    (tmp_path / "half.toml").write_text(HALF)
    film = package(tmp_path, Clip(fps=Fraction(50), size=SIZE, seconds=Fraction(5)), "talk.mp4", "half.toml")
    full, half = film["full"].pictures(look), film["half"].pictures(look)
    assert numbers(full) == list(range(250))
    assert numbers(half) == list(range(0, 250, 2))
    assert [item.time for item in half] == [item.time for item in full[::2]]
    check_sound([full, half], film["audio"], Fraction(5))
    assert judged(tmp_path) == []


def test_a_variable_rate_stays_variable(tmp_path: Path) -> None:
    """Each frame keeps the time that it has in the file."""
    stamps, now = [], 0
    for place in range(140):
        stamps.append(now)
        now += (40, 20, 60, 40, 120)[place % 5]
    film = package(tmp_path, Clip(size=SIZE, seconds=Fraction(now, 1000), times=tuple(stamps)), "phone.mp4")
    for name in ("234p", "144p"):
        shown = film[name].pictures(look)
        assert numbers(shown) == list(range(140))
        assert times(shown) == [Fraction(stamp, 1000) for stamp in stamps]
    # FRAME-RATE is the largest rate (RFC 8216bis 4.4.6.2), H-54 measures the mean.
    assert [found for found in judged(tmp_path) if not found.startswith("H-54")] == []


def test_broken_rates_are_exact(tmp_path: Path) -> None:
    """29.97: times are multiples of 1001/30000, not of a rounded frame."""
    film = package(tmp_path, Clip(fps=NTSC, size=SIZE, seconds=Fraction(5)), "camera.mp4")
    count = int(5 * NTSC)
    rungs = [film[name].pictures(look) for name in ("234p", "144p")]
    for shown in rungs:
        assert numbers(shown) == list(range(count))
        assert times(shown) == [place / NTSC for place in range(count)]
    check_sound(rungs, film["audio"], count / NTSC)
    assert judged(tmp_path) == []


def test_a_film_without_sound(tmp_path: Path) -> None:
    film = package(tmp_path, Clip(size=SIZE, seconds=Fraction(4), sound=False), "silent.mp4")
    assert set(film) == {"234p", "144p"}
    assert numbers(film["144p"].pictures(look)) == list(range(100))
    assert judged(tmp_path) == []


def test_sound_alone(tmp_path: Path) -> None:
    film = package(tmp_path, Clip(seconds=Fraction(5), video=False), "radio.m4a", "audio")
    assert set(film) == {"audio", "audio-64k"}
    for item in film.values():
        assert abs(item.sound().length - 5) <= 2 * FRAME  # the source's last frame, and its priming
    assert judged(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "container", "start"),
    [
        pytest.param("talk.mkv", "matroska", Fraction(0), id="mkv"),
        pytest.param("talk.ts", "mpegts", Fraction(3), id="ts"),
    ],
)
def test_other_containers(tmp_path: Path, name: str, container: str, start: Fraction) -> None:
    """Matroska, and a transport stream whose times begin somewhere."""
    clip = Clip(size=SIZE, seconds=Fraction(5), container=container, start=start, b_frames=2)
    film = package(tmp_path, clip, name)
    rungs = [film[rung].pictures(look) for rung in ("234p", "144p")]
    for shown in rungs:
        assert numbers(shown) == list(range(125))
        assert times(shown) == [Fraction(place, 25) for place in range(125)]
    check_sound(rungs, film["audio"], Fraction(5))
    assert judged(tmp_path) == []


def test_a_stage_that_dies_ends_the_command(tmp_path: Path) -> None:
    """At once and with its reason, though decoders have work in their threads at that moment."""
    (tmp_path / "talk.mp4").write_bytes(make_clip(Clip(size=SIZE, seconds=Fraction(6), b_frames=2)))
    (tmp_path / "one.toml").write_text(ONE)
    for turn in range(5):
        options = ("vod", "talk.mp4", "--profile", "one.toml", "--to", f"origin{turn}")
        done = run_abr(tmp_path, *options, seconds=20, run=("-c", DYING))
        assert done.code == 1
        assert "the test is over" in done.err
