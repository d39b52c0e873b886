"""`abr live --pull` of what comes over a network: paced, lost, found again, and ended."""

import json
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from tests.e2e.processes import Program, abr, fetch, free_port
from tests.fakes.clip import Clip, make_clip
from tests.fakes.rtmp_source import playing
from tests.fakes.webserver import Page, WebServer, serving
from tests.fakes.window import Window

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(100)]

SECONDS = 14


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    path.write_bytes(make_clip(Clip(size=(416, 234), seconds=SECONDS)))
    return path


def remuxed(clip: Path, target: Path, form: str, **options: str) -> None:
    with av.open(str(clip)) as source, av.open(str(target), "w", format=form, options=options) as container:
        streams = {stream: container.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                container.mux(packet)


def window(clip: Path, folder: Path, site: WebServer, *, ends: bool) -> Window:
    """The clip as a live playlist at /live.m3u8."""
    remuxed(clip, folder / "own.m3u8", "hls", hls_time="1", hls_list_size="0")
    names = sorted((path.name for path in folder.glob("*.ts")), key=lambda name: int(name[3:-3]))
    for name in names:
        site.pages[f"/{name}"] = Page((folder / name).read_bytes())
    moving = Window(names, 1.0, ends=ends)
    moving.serve(site, "/live.m3u8")
    return moving


def options(pull: str, *more: str) -> tuple[str, ...]:
    return ("live", "--pull", pull, "--profile", "test", "--to", "a", "--channel", "tv", "--log-json", *more)


def ended(program: Program) -> dict[str, int]:
    (line,) = program.log("event ended")
    return line


def status(port: int) -> dict[str, str]:
    return json.loads(fetch(f"http://127.0.0.1:{port}/api/state") or b"{}")


def test_a_film_over_http_is_shown_at_its_own_pace(tmp_path: Path, clip: Path) -> None:
    """Although its connection breaks in the middle."""
    with serving(**{"film.mp4": Page(clip.read_bytes(), cut=clip.stat().st_size // 2)}) as site:
        began = time.monotonic()
        with abr(tmp_path, *options(site.url("/film.mp4", "me:hunter2") + "?token=hunter2")) as worker:
            done = worker.wait(60)
    assert done.code == 0, done.err
    assert time.monotonic() - began > SECONDS - 2
    assert len(worker.log("source lost")) == 1
    assert ended(worker)["segments"] >= SECONDS // 2 - 1
    assert "hunter2" not in done.out + done.err


def test_a_live_playlist_is_an_event_until_its_end(tmp_path: Path, clip: Path) -> None:
    with serving() as site:
        window(clip, tmp_path, site, ends=True)
        with abr(tmp_path, *options(site.url("/live.m3u8"))) as worker:
            done = worker.wait(60)
    assert done.code == 0, done.err
    assert worker.log("source lost") == []
    assert len(worker.log("feed connected")) == 1
    assert ended(worker)["segments"] >= 4


def test_a_lost_live_source_is_reconnected_to_within_its_event(tmp_path: Path) -> None:
    """Status says when and why; the event goes on without a discontinuity; Ctrl-C ends it at once."""
    port = free_port()
    with playing(5 * 25) as server:
        more = ("--grace", "20s", "--http", str(port))
        with abr(tmp_path, *options(server.url, *more)) as worker:
            worker.until(
                "reconnecting", lambda: str(status(port).get("pull", "")).startswith("reconnecting in"), 30
            )
            worker.until("the feed again", lambda: len(worker.log("feed connected")) == 2, 30)
            worker.until("its loss", lambda: len(worker.log("source lost")) >= 2, 30)
            began = time.monotonic()
            done = worker.interrupt(20)
    assert done.code == 0, done.err
    assert time.monotonic() - began < 10
    lost = worker.log("source lost")
    assert lost[0]["reason"] == "the server ended it, or the connection broke"
    assert lost[0]["attempt"] == 1
    assert "hunter2" not in done.err
    assert len(worker.log("event began")) == 1
    assert "#EXT-X-DISCONTINUITY\n" not in (tmp_path / "a/tv/144p/index.m3u8").read_text()


def listed(folder: Path) -> int:
    """How many segments the playlist of a rung names."""
    playlist = folder / "a/tv/144p/index.m3u8"
    return playlist.read_text().count("#EXTINF") if playlist.exists() else 0


def test_sound_that_begins_late_is_heard_in_the_same_event(tmp_path: Path) -> None:
    with (
        playing(60 * 25, quiet=6000, programme=True) as server,
        abr(tmp_path, *options(server.url)) as worker,
    ):
        worker.until("the sound", lambda: len(worker.log("feed connected")) == 2, 30)
        before = listed(tmp_path)
        worker.until("a segment with it", lambda: listed(tmp_path) > before, 15)
        done = worker.interrupt(15)
    assert done.code == 0, done.err
    assert [line["audio"] for line in worker.log("feed connected")] == ["", "aac 48 kHz"]
    assert worker.log("source lost") == []
    assert len(worker.log("event began")) == 1


def test_ctrl_c_ends_a_source_that_goes_on(tmp_path: Path) -> None:
    with playing(60 * 25) as server, abr(tmp_path, *options(server.url)) as worker:
        worker.until("a segment", lambda: listed(tmp_path), 30)
        done = worker.interrupt(15)
    assert done.code == 0, done.err
    assert ended(worker)["segments"] >= 1


def test_a_source_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    with abr(tmp_path, *options(f"rtmp://127.0.0.1:{free_port()}/live/hunter2")) as worker:
        worker.until("two attempts", lambda: len(worker.log("source lost")) == 2, 20)
        done = worker.interrupt(5)
    assert done.code == 0, done.err
    first, second = worker.log("source lost")
    assert first["reason"].endswith("/live: nobody listens there")
    assert 1 <= first["seconds"] <= 1.5
    assert 2 <= second["seconds"] <= 3


def test_a_playlist_that_leads_to_a_file_ends_the_worker_with_one_sentence(tmp_path: Path) -> None:
    text = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n"
    with serving(**{"live.m3u8": text}) as site, abr(tmp_path, *options(site.url("/live.m3u8"))) as worker:
        done = worker.wait(20)
        assert site.paths() == ["/live.m3u8"]
    assert done.code == 1
    assert (
        done.err.strip().splitlines()[-1].endswith("leads to file: where only http and https may be followed")
    )


@contextmanager
def datagrams(ts: bytes, port: int, seconds: float):
    """The bytes of an MPEG-TS on their way to a port, evenly, while the block runs."""
    stop = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            began = time.monotonic()
            for at in range(0, len(ts), 1316):
                if stop.wait(max(0.0, began + seconds * at / len(ts) - time.monotonic())):
                    return
                sender.sendto(ts[at : at + 1316], ("127.0.0.1", port))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_datagrams_are_an_event_from_the_first_one_to_their_silence(tmp_path: Path, clip: Path) -> None:
    ts, port = tmp_path / "clip.ts", free_port()
    remuxed(clip, ts, "mpegts", muxrate="1500000")
    more = ("--grace", "2s", "--once")
    with abr(tmp_path, *options(f"udp://127.0.0.1:{port}", *more)) as worker:
        worker.until("pulling", lambda: worker.log("pulling"), 20)
        worker.until("the port", lambda: f":{port:04X} " in Path("/proc/net/udp").read_text(), 20)
        with datagrams(ts.read_bytes(), port, SECONDS):
            done = worker.wait(60)
    assert done.code == 0, done.err
    assert worker.log("source lost")[0]["reason"] == "nothing came for 5 s"
    assert ended(worker)["segments"] >= 4


def test_a_list_of_segments_is_a_film(tmp_path: Path, clip: Path) -> None:
    """`abr vod` of an HLS URL."""
    with serving() as site:
        window(clip, tmp_path, site, ends=True)
        names = sorted(
            (name for name in site.pages if name.endswith(".ts")), key=lambda name: int(name[4:-3])
        )
        lines = "".join(f"#EXTINF:1.000,\n{name[1:]}\n" for name in names)
        site.pages["/film.m3u8"] = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n{lines}#EXT-X-ENDLIST\n".encode()
        url = site.url("/film.m3u8")
        with abr(tmp_path, "vod", url, "--profile", "test", "--to", "a", "--json") as worker:
            done = worker.wait(60)
        assert done.code == 0, done.err
        assert json.loads(done.out)["segments"] >= SECONDS // 2
        own = tmp_path / "a"
        for path in own.rglob("*.*"):
            site.pages[f"/{path.relative_to(own)}"] = Page(path.read_bytes())
        (entry,) = own.glob("film/recordings/*/index.m3u8")
        again = (site.url(f"/{entry.relative_to(own)}"), "--channel", "again")  # fMP4, its sound apart
        with abr(tmp_path, "vod", *again, "--profile", "test", "--to", "b", "--json") as worker:
            copied = worker.wait(60)
        assert copied.code == 0, copied.err
        assert json.loads(copied.out)["segments"] == json.loads(done.out)["segments"]
        with abr(tmp_path, "vod", site.url("/live.m3u8"), "--profile", "test", "--to", "a") as worker:
            refused = worker.wait(30)
        assert refused.code == 1
        assert "is live: it has no end yet" in refused.err
