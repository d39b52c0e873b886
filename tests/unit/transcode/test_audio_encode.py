"""Audio encoders: exact times, no priming, and whatever comes in."""

import av
import numpy as np
import pytest

from abr.errors import EncoderMissing, MediaError
from abr.model.ladder import AudioTarget
from abr.model.media import Kind
from abr.transcode.audio import AudioEncoder
from abr.transcode.frame import Sound

START = 1_760_000_000 * 48_000
BLOCK = 1_024


def sounds(samples, *, start=START, block=BLOCK):
    for place in range(0, samples.shape[1], block):
        yield Sound("en", start + place, samples[:, place : place + block])


def encoded(samples, *, channels=2, block=BLOCK):
    encoder = AudioEncoder(AudioTarget("en", "aac", 96_000, channels=channels))
    packets = [packet for sound in sounds(samples, block=block) for packet in encoder.push(sound, 0)]
    return encoder, packets + encoder.flush()


def decoded(encoder, packets):
    """The samples of the packets, as a player that starts at the first one gets them."""
    header = encoder.encoding.header
    decoder = av.CodecContext.create("aac", "r")
    place = header.index(b"\x05\x80\x80\x80", header.index(b"esds"))
    decoder.extradata = header[place + 5 : place + 5 + header[place + 4]]
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet.data))]
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


def silence(blocks, channels=2):
    return np.zeros((channels, blocks * BLOCK), np.float32)


@pytest.mark.parametrize("block", [BLOCK, 15 * BLOCK, 1_000, 480, 7])
def test_packets_lie_on_the_grid_from_the_first_sample_on(block):
    _, packets = encoded(silence(5), block=block)
    assert [packet.pts for packet in packets] == [START + index * BLOCK for index in range(5)]
    assert {(packet.duration, packet.key) for packet in packets} == {(BLOCK, True)}


@pytest.mark.parametrize("place", [3 * BLOCK + 100, 5 * BLOCK, 6 * BLOCK + 511])
@pytest.mark.parametrize("joined", [0, 2])
def test_an_impulse_comes_out_at_its_own_sample(place, joined):
    """Also for a player that joins two packets later."""
    samples = silence(10)
    samples[:, place] = 1
    encoder, packets = encoded(samples)
    heard = decoded(encoder, packets[joined:])
    assert abs(int(np.abs(heard[0]).argmax()) + joined * BLOCK - place) <= 1


def test_a_started_frame_is_filled_with_silence():
    _, packets = encoded(np.zeros((2, 2 * BLOCK + 1), np.float32))
    assert [packet.pts - START for packet in packets] == [0, BLOCK, 2 * BLOCK]


def test_the_encoding_says_what_it_is():
    encoding = AudioEncoder(AudioTarget("en", "aac", 96_000)).encoding
    assert (encoding.name, encoding.kind, encoding.timescale, encoding.delay) == ("en", Kind.AUDIO, 48_000, 0)
    assert encoding.header[4:8] == b"ftyp"
    assert b"mp4a" in encoding.header
    assert b"elst" not in encoding.header


def test_held_is_what_goes_in_before_the_first_packet():
    encoder = AudioEncoder(AudioTarget("en", "aac", 96_000))
    first = next(sound.pts for sound in sounds(silence(10)) if encoder.push(sound, 0))
    assert first - START == encoder.encoding.held


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_kept(channels):
    encoder, packets = encoded(silence(4, channels), channels=channels)
    assert decoded(encoder, packets).shape[0] == channels


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_what_a_broken_stream_decodes_to_does_not_stop_the_encoder(value):
    samples = silence(6)
    samples[:, 2_000:2_100] = value
    encoder, packets = encoded(samples)
    assert len(packets) == 6
    assert np.isfinite(decoded(encoder, packets)).all()


def test_the_callers_samples_are_not_written_to():
    samples = np.full((2, BLOCK), np.nan, np.float32)
    samples.setflags(write=False)
    encoded(samples)


def test_a_hole_is_refused():
    encoder = AudioEncoder(AudioTarget("en", "aac", 96_000))
    encoder.push(Sound("en", 0, silence(1)), 0)
    with pytest.raises(MediaError, match="audio en: aac got sound at sample 2048 where 1024 comes next"):
        encoder.push(Sound("en", 2 * BLOCK, silence(1)), 0)


def test_other_channels_are_refused():
    with pytest.raises(MediaError, match="got 1 channels instead of 2"):
        AudioEncoder(AudioTarget("en", "aac", 96_000)).push(Sound("en", 0, silence(1, 1)), 0)


def test_an_unknown_encoder_is_missing_and_a_wrong_frame_length_refused():
    with pytest.raises(EncoderMissing, match="audio en: this FFmpeg has no encoder 'libfdk'"):
        AudioEncoder(AudioTarget("en", "libfdk", 96_000))
    with pytest.raises(MediaError, match="has frames of 1024 samples instead of 960"):
        AudioEncoder(AudioTarget("en", "aac", 96_000, frame=960))


def test_an_encoder_that_got_nothing_gives_nothing():
    encoder = AudioEncoder(AudioTarget("en", "aac", 96_000))
    assert (encoder.flush(), encoder.tick(0), encoder.due()) == ([], [], None)
