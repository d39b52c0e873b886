"""Files and feeds taken apart; what cannot be read is said in one sentence."""

import io
import os
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from abr.errors import FeedUnreadable
from abr.ingest import mp4
from abr.ingest.demux import Demuxer, public_name
from abr.ingest.language import language_tag
from abr.ingest.normalise import Normaliser
from abr.model.media import Kind
from tests.fakes.clip import Clip, make_clip


class Bytes:
    """A feed out of memory that latches its end."""

    name = "rtmp 192.0.2.1 live"
    reopen = False
    arrived = 0

    def __init__(self, data: bytes, form: str, ended: str | None = None) -> None:
        self.format = form
        self.ended: str | None = None
        self.settled: set[Kind] = set()
        self._reason = ended
        self._data = io.BytesIO(data)

    def read(self, n: int) -> bytes:
        data = self._data.read(n)
        if not data:
            self.ended = self._reason
        return data

    def settle(self, kinds: set[Kind]) -> None:
        self.settled = set(kinds)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    path.write_bytes(make_clip(Clip(b_frames=2)))
    return path


def test_a_file_has_tracks_length_and_size(clip):
    demuxer = Demuxer(str(clip))
    video, audio = demuxer.tracks
    assert (video.index, video.kind, video.codec, video.width, video.height) == (
        0,
        Kind.VIDEO,
        "h264",
        128,
        64,
    )
    assert (video.time_base, video.frame_rate) == (Fraction(1, 12800), 25)
    assert (audio.index, audio.codec, audio.sample_rate, audio.channels) == (1, "aac", 48_000, 2)
    assert audio.language is None
    assert abs(demuxer.duration - 2_000_000_000) < 10_000_000
    assert demuxer.size == clip.stat().st_size
    demuxer.close()


def test_the_turn_of_a_feeds_counter_is_left_to_the_normaliser():
    """A feed that passes 2^33 has the times that it sent, and each track's turn is counted."""
    top = Fraction(1 << 33, 90_000)
    film = make_clip(Clip(container="mpegts", seconds=Fraction(4), b_frames=2, start=top - 2))
    demuxer = Demuxer(Bytes(film, "mpegts"))
    packets = list(demuxer.packets())
    normaliser = Normaliser(demuxer.tracks)
    made = [item for packet in packets for item in normaliser.push(packet)]
    times = [packet.dts for packet in packets if packet.track == 0]
    assert times[0] > (1 << 33) - 3 * 90_000
    assert times[-1] < 3 * 90_000
    shown = [item.dts for item in made if item.track == 0]
    assert {after - before for before, after in pairwise(shown)} == {3600}
    assert {key: count for key, count in normaliser.stats().items() if count} == {"wraps": 2}


def test_packets_are_all_and_only_those_of_the_container(clip):
    demuxer = Demuxer(str(clip))
    packets = list(demuxer.packets())
    demuxer.close()
    with av.open(str(clip)) as container:
        expected = [
            (packet.stream_index, packet.pts, packet.dts, packet.duration, packet.is_keyframe, bytes(packet))
            for packet in container.demux()
            if packet.size
        ]
    assert [(p.track, p.pts, p.dts, p.duration, p.key, p.data) for p in packets] == expected
    assert demuxer.ended == "the end"


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts", "flv"])
def test_batches_are_the_same_packets_track_by_track(tmp_path, container):
    path = tmp_path / "clip"
    path.write_bytes(make_clip(Clip(b_frames=2, container=container)))
    one, many = Demuxer(str(path)), Demuxer(str(path))
    expected, batches = list(one.packets()), list(many.batches())
    assert (one.ended, many.ended) == ("the end", "the end")
    one.close()
    many.close()
    for track in (0, 1):
        read = [packet for batch in batches if batch.track == track for packet in batch]
        assert read == [packet for packet in expected if packet.track == track]


def test_a_plain_file_is_read_by_its_own_tables_and_others_are_not(tmp_path, clip):
    views = {"mp4": memoryview, "fragmented": bytes, "mpeg4": bytes, "pcm": bytes}
    made = {
        "mp4": clip.read_bytes(),
        "fragmented": fragmented(clip),
        "mpeg4": make_clip(Clip(codec="mpeg4")),
        "pcm": make_clip(Clip(container="mov", audio_codec="pcm_s16le")),
    }
    for name, data in made.items():
        path = tmp_path / name
        path.write_bytes(data)
        demuxer = Demuxer(str(path))
        assert {type(packet.data) for packet in demuxer.packets()} == {views[name]}
        demuxer.close()


def fragmented(clip: Path) -> bytes:
    buffer = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov"}
    with av.open(str(clip)) as source, av.open(buffer, "w", format="mp4", options=options) as target:
        streams = [target.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    return buffer.getvalue()


def test_a_film_that_becomes_shorter_ends_with_a_reason(tmp_path, clip, monkeypatch):
    monkeypatch.setattr(mp4, "_WINDOW_BYTES", 1000)
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip.read_bytes())
    demuxer = Demuxer(str(path))
    packets = demuxer.packets()
    assert next(packets).data
    os.truncate(path, 2000)
    assert len(list(packets)) < 20
    assert demuxer.ended == "the file has become shorter"
    demuxer.close()


def test_closing_twice_is_fine_and_nothing_comes_afterwards(clip):
    demuxer = Demuxer(str(clip))
    packets = demuxer.packets()
    first = next(packets)
    demuxer.close()
    demuxer.close()
    assert first.data
    assert list(packets) == []
    assert demuxer.ended


def test_a_feed_is_told_what_was_found_and_says_why_it_ended():
    feed = Bytes(make_clip(Clip(container="flv")), "flv", "the publisher left")
    demuxer = Demuxer(feed)
    assert feed.settled == {Kind.VIDEO, Kind.AUDIO}
    assert len(list(demuxer.packets())) > 140
    assert demuxer.ended == "the publisher left"
    assert (demuxer.duration > 0, demuxer.size, demuxer.reopen) == (True, 0, False)
    demuxer.close()


def test_damage_ends_nothing_and_is_counted():
    data = make_clip(Clip(container="mpegts", seconds=Fraction(4)))
    cut = data[: 188 * 100] + data[188 * 120 :]
    demuxer = Demuxer(Bytes(cut, "mpegts"))
    packets = list(demuxer.packets())
    demuxer.close()
    assert demuxer.corrupt == sum(packet.corrupt for packet in packets) > 0
    assert packets[-1].track in {0, 1}


def test_one_video_track_and_every_sound_track_are_taken(tmp_path):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        source = av.open(io.BytesIO(make_clip()))
        video, audio = source.streams
        streams = [container.add_stream_from_template(stream) for stream in (video, audio, audio)]
        streams[1].metadata["language"], streams[2].metadata["language"] = "ger", "eng"
        for packet in source.demux():
            if not packet.size:
                continue
            targets = [streams[0]] if packet.stream_index == 0 else streams[1:]
            for stream in targets:
                copy = av.Packet(bytes(packet))
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.duration, copy.stream = packet.duration, stream
                container.mux(copy)
        source.close()
    demuxer = Demuxer(str(path))
    assert [(track.index, track.kind, track.language) for track in demuxer.tracks] == [
        (0, Kind.VIDEO, None),
        (1, Kind.AUDIO, "de"),
        (2, Kind.AUDIO, "en"),
    ]
    assert {packet.track for packet in demuxer.packets()} == {0, 1, 2}
    demuxer.close()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("none.mp4", None, ": there is no such file"),
        ("empty.mp4", b"", " is empty"),
        ("words.mp4", b"This is no film. " * 400, " holds no media that can be recognised"),
        ("words.txt", b"This is no film. " * 400, " has no video and no sound that can be decoded"),
    ],
)
def test_what_is_no_media_is_said_in_one_sentence(tmp_path, name, content, sentence):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FeedUnreadable) as caught:
        Demuxer(str(path))
    assert str(caught.value) == f"{path}{sentence}"


def test_a_folder_and_a_picture_are_no_film(tmp_path):
    with pytest.raises(FeedUnreadable, match="is a folder; name a file in it"):
        Demuxer(str(tmp_path))
    picture = tmp_path / "a.png"
    with av.open(str(picture), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "rgb24"
        for packet in [*stream.encode(av.VideoFrame(64, 64, "rgb24")), *stream.encode()]:
            container.mux(packet)
    with pytest.raises(FeedUnreadable, match="is a picture"):
        Demuxer(str(picture))


def test_a_feed_without_media_says_who_and_why():
    with pytest.raises(FeedUnreadable) as caught:
        Demuxer(Bytes(b"", "flv", "the publisher left"))
    assert "rtmp 192.0.2.1 live" in str(caught.value)
    assert "the publisher left" in str(caught.value)


def test_an_address_where_nobody_listens_is_said_without_its_key():
    with pytest.raises(FeedUnreadable) as caught:
        Demuxer("rtmp://user:word@127.0.0.1:9/live/secret")
    assert str(caught.value) == "rtmp://127.0.0.1:9/live: nobody listens there"


def test_a_file_may_have_a_colon_in_its_name(tmp_path, clip, monkeypatch):
    (tmp_path / "concat:12.mp4").write_bytes(clip.read_bytes())
    monkeypatch.chdir(tmp_path)
    Demuxer("concat:12.mp4").close()


def test_names_for_logs_hold_no_secret():
    assert public_name("/srv/a b.mp4") == "/srv/a b.mp4"
    assert public_name("https://u:p@example.org/a/b.m3u8?token=x") == "https://example.org/a/b.m3u8"
    assert public_name("srt://example.org:9000?passphrase=x") == "srt://example.org:9000"


def test_languages_are_written_as_players_want_them():
    given = ["eng", "fre", "und", None, "pt-BR", "x" * 20, "gsw", "a/b"]
    assert [language_tag(code) for code in given] == ["en", "fr", None, None, "pt-BR", None, "gsw", None]
