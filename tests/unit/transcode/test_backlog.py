"""An encoder that reconnects and sends again what was there: the pictures go on where they stopped."""

from fractions import Fraction

import pytest

from abr.ingest.demux import Demuxer
from abr.ingest.normalise import Normaliser
from abr.ingest.past import Past
from abr.model.media import Packet
from abr.model.time import NANO
from abr.transcode.decode import Decoder
from abr.transcode.frame import DecodedPicture
from tests.fakes.clip import Clip, make_clip, read_number


class Feeds:
    """Feeds of one clip, one after another."""

    def __init__(self, path) -> None:
        demuxer = Demuxer(str(path))
        self.tracks, self.packets = demuxer.tracks, list(demuxer.packets())
        demuxer.close()
        self.past, self.now = Past(), 0

    def read(self, packets: list[Packet], *, pace: int) -> list[int]:
        """The numbers of the pictures that a feed shows, which comes so many times as fast as it is played."""
        normaliser, decoder = (
            Normaliser(self.tracks, now=lambda: self.now, past=self.past),
            Decoder(self.tracks),
        )
        frames = []
        for packet in packets:
            self.now += NANO // 72 // pace  # 25 pictures and 47 pieces of sound a second
            for item in normaliser.push(packet):
                frames += decoder.push(item)
        frames += decoder.flush()
        return [read_number(frame.frame) for frame in frames if isinstance(frame, DecodedPicture)]


@pytest.mark.parametrize("container", ["flv", pytest.param("mpegts", marks=pytest.mark.thorough)])
def test_each_picture_is_shown_once(tmp_path, container):
    path = tmp_path / "clip"
    path.write_bytes(make_clip(Clip(container=container, b_frames=2, seconds=Fraction(8), key_frames=50)))
    feeds = Feeds(path)
    keys = [place for place, packet in enumerate(feeds.packets) if packet.key and packet.track == 0]
    until = len(feeds.packets) * 5 // 8 + 7  # in the middle of a group of pictures
    shown = feeds.read(feeds.packets[:until], pace=1)
    again = feeds.read(feeds.packets[keys[1] :], pace=8)
    assert min(len(shown), len(again)) > 70
    assert sorted(shown + again) == list(range(200))
