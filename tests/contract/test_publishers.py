"""What real publishers send arrives whole: PyAV and FFmpeg, over RTMP and RTMPS, in each codec that RTMP carries."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from abr.ingest.admission import REPLACED, Limits
from abr.ingest.certificate import load_context
from tests.fakes.certificate import write_certificate
from tests.fakes.rtmp_server import TIME_OUT, Decoded, Reader, Running, servers

pytestmark = pytest.mark.contract
ROOT = Path(__file__).parents[2]
FRAMES = 50
CODECS = [("libx264", "aac"), ("libx265", "ac3"), ("libsvtav1", "flac"), ("libvpx-vp9", "libopus")]
NAMES = {("libx264", "aac"): ("h264", "aac"), ("libx265", "ac3"): ("hevc", "ac3"), ("libsvtav1", "flac"): ("av1", "flac"), ("libvpx-vp9", "libopus"): ("vp9", "opus")}  # fmt: skip
OPTIONS = {
    "libx264": ["-preset", "veryfast", "-bf", "3"],
    "libx265": ["-preset", "ultrafast", "-bf", "3", "-x265-params", "log-level=none"],
    "libsvtav1": ["-preset", "12"],
    "libvpx-vp9": ["-deadline", "realtime", "-cpu-used", "8"],
}


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    with servers() as start:
        yield start


@pytest.fixture(scope="module")
def ffmpeg() -> str:
    """FFmpeg's command line from PyPI."""
    found = pytest.importorskip("imageio_ffmpeg", reason="imageio-ffmpeg is not installed")
    return str(found.get_ffmpeg_exe())


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Callable[[tuple[str, str]], Path]:
    """Two seconds in these codecs, as FLV; each is made once."""
    folder = tmp_path_factory.mktemp("clips")

    def clip(codecs: tuple[str, str]) -> Path:
        path = folder / f"{codecs[0]}.flv"
        if not path.exists():
            source = ["-f", "lavfi", "-i", "testsrc2=size=192x108:rate=25:duration=2"]
            source += ["-f", "lavfi", "-i", "sine=sample_rate=48000:duration=2"]
            coding = [
                "-c:v",
                codecs[0],
                *OPTIONS[codecs[0]],
                "-pix_fmt",
                "yuv420p",
                "-g",
                "25",
                "-c:a",
                codecs[1],
            ]
            run(ffmpeg, "-v", "error", "-nostdin", *source, *coding, "-f", "flv", str(path))
        return path

    return clip


def run(*command: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIME_OUT, check=False)
    assert result.returncode == 0, result.stderr
    return result


def python(url: str, codecs: tuple[str, str] = CODECS[0]) -> None:
    run(sys.executable, "-m", "tests.fakes.publisher", url, str(FRAMES), *codecs)


def frames_in(path: Path) -> dict[str, int]:
    """Frames of a file, as a decoder counts them."""
    counted = {"video": 0, "audio": 0}
    with av.open(str(path)) as container:
        for packet in container.demux():
            for _ in packet.decode():
                counted[packet.stream.type] += 1
    return counted


def assert_whole(server: Running, decoded: Decoded, wanted: dict[str, int], codecs: tuple[str, str]) -> None:
    server.log.wait_for("publisher gone", reason="the publisher stopped")
    assert decoded.frames == wanted
    assert wanted["video"] == FRAMES
    assert (decoded.codecs["video"], decoded.codecs["audio"]) == NAMES[codecs]


@pytest.mark.parametrize("codecs", CODECS, ids="+".join)
def test_pyav(start: Callable[..., Running], tmp_path: Path, codecs: tuple[str, str]) -> None:
    decoded = Decoded()
    server = start(decoded.read)
    python(server.url("live/key1"), codecs)
    python(str(tmp_path / "clip.flv"), codecs)
    assert_whole(server, decoded, frames_in(tmp_path / "clip.flv"), codecs)


@pytest.mark.parametrize("codecs", CODECS, ids="+".join)
def test_ffmpeg(
    start: Callable[..., Running],
    clips: Callable[[tuple[str, str]], Path],
    ffmpeg: str,
    codecs: tuple[str, str],
) -> None:
    decoded, clip = Decoded(), clips(codecs)
    server = start(decoded.read)
    run(
        ffmpeg, "-v", "error", "-nostdin", "-i", str(clip), "-c", "copy", "-f", "flv", server.url("live/key1")
    )
    assert_whole(server, decoded, frames_in(clip), codecs)


def test_ffmpeg_over_tls_trusts_our_certificate(
    start: Callable[..., Running], clips: Callable[[tuple[str, str]], Path], ffmpeg: str, tmp_path: Path
) -> None:
    decoded, clip = Decoded(), clips(CODECS[0])
    certificate, key = write_certificate(tmp_path)
    context = load_context(certificate, key)
    server = start(decoded.read, tls=lambda: context)
    trust = ["-tls_verify", "1", "-ca_file", str(certificate)]
    url = server.url("live/key1").replace("127.0.0.1", "localhost")
    run(ffmpeg, "-v", "error", "-nostdin", "-i", str(clip), "-c", "copy", "-f", "flv", *trust, url)
    assert_whole(server, decoded, frames_in(clip), CODECS[0])
    assert decoded.name.startswith("studio (rtmps live from ")


def test_pyav_over_tls(start: Callable[..., Running], tmp_path: Path) -> None:
    decoded, context = Decoded(), load_context(*write_certificate(tmp_path))
    server = start(decoded.read, tls=lambda: context)
    python(server.url("live/key1"))
    assert_whole(server, decoded, {"video": FRAMES, "audio": 95}, CODECS[0])


@pytest.mark.parametrize("sink", ["rtmp2sink", "rtmpsink"])
def test_gstreamer(start: Callable[..., Running], sink: str) -> None:
    """Debian's gstreamer1.0-tools with plugins-good, -bad and -ugly; the older sink is librtmp, as OBS has it."""
    if shutil.which("gst-launch-1.0") is None:
        pytest.skip("gst-launch-1.0 is not installed")
    decoded = Decoded()
    server = start(decoded.read)
    line = (
        f"videotestsrc num-buffers={FRAMES} ! video/x-raw,width=192,height=108,framerate=25/1 ! x264enc "
        "speed-preset=ultrafast ! h264parse ! flvmux name=mux streamable=true ! "
        f"{sink} location={server.url('live/key1')} "
        "audiotestsrc num-buffers=94 samplesperbuffer=1024 ! audio/x-raw,rate=48000 ! voaacenc ! aacparse ! mux."
    )
    run("gst-launch-1.0", "-q", *line.split())
    server.log.wait_for("publisher gone")
    assert decoded.frames["video"] == FRAMES
    assert decoded.frames["audio"] >= 93  # flvmux drops what lies behind the last picture


def test_a_publisher_that_is_frozen_is_replaced_at_once_by_itself(start: Callable[..., Running]) -> None:
    """SIGSTOP: nothing is closed, nothing comes; without a takeover the place were free after an hour only."""
    reader = Reader()
    server = start(reader.read, limits=Limits(idle_ms=3_600_000))
    push = [sys.executable, "-m", "tests.fakes.publisher", server.url("live/key1"), "1000000"]
    with subprocess.Popen(push, cwd=ROOT, stderr=subprocess.DEVNULL) as first:
        try:
            assert reader.begun.acquire(timeout=TIME_OUT)
            os.kill(first.pid, signal.SIGSTOP)
            python(server.url("live/key1"))
            server.log.wait_for("publisher gone", reason="the publisher stopped", publisher="studio")
        finally:
            first.kill()
    assert [feed.ended for feed in reader.feeds] == [REPLACED, "the publisher stopped"]
