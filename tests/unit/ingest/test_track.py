"""What a container says of its streams: how pictures are turned, what sound speaks."""

import io

import av
import numpy as np
import pytest

from abr.ingest.demux import Demuxer
from abr.ingest.track import choose, describe
from abr.model.media import UPRIGHT, Turn
from tests.fakes.footage import bar, film, grey, turned


def tracks_of(file: bytes):
    with av.open(io.BytesIO(file)) as container:
        return [describe(place, stream) for place, stream in enumerate(choose(container))]


@pytest.mark.parametrize(
    ("matrix", "turn", "shown"),
    [
        ((1, 0, 0, 1), UPRIGHT, (64, 48)),
        ((0, 1, -1, 0), Turn(1), (48, 64)),
        ((-1, 0, 0, -1), Turn(2), (64, 48)),
        ((0, -1, 1, 0), Turn(3), (48, 64)),
        ((-1, 0, 0, 1), Turn(0, mirrored=True), (64, 48)),
    ],
)
@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_a_track_header_says_how_its_pictures_are_turned(container, matrix, turn, shown):
    file = turned(film([grey(bar(8)) for _ in range(3)], container=container), matrix)
    [track] = tracks_of(file)
    assert track.turn == turn
    assert (track.width, track.height) == (64, 48)
    assert track.shown_size == shown


@pytest.mark.parametrize("container", ["mpegts", "flv", "matroska"])
def test_other_containers_leave_pictures_as_they_are(container):
    [track] = tracks_of(film([grey(bar(8)) for _ in range(12)], container=container))
    assert track.turn == UPRIGHT


def test_a_turned_file_is_read_as_before(tmp_path):
    path = tmp_path / "phone.mp4"
    path.write_bytes(turned(film([grey(bar(8)) for _ in range(3)]), (0, 1, -1, 0)))
    demuxer = Demuxer(str(path))
    assert demuxer.tracks[0].turn == Turn(1)
    assert len(list(demuxer.packets())) == 3
    demuxer.close()


def test_sound_says_its_language():
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        streams = [container.add_stream("aac", rate=48_000, layout="stereo") for _ in range(2)]
        for stream, language in zip(streams, ("deu", "eng"), strict=True):
            stream.metadata["language"] = language
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
            frame.sample_rate, frame.pts = 48_000, 0
            for packet in stream.encode(frame) + stream.encode():
                container.mux(packet)
    assert [track.language for track in tracks_of(buffer.getvalue())] == ["de", "en"]
