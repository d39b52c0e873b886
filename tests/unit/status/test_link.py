"""How an SRT connection's readings reach an operator."""

import json

from abr.metrics import Metrics
from abr.model.state import FeedState, InputState, LinkState, Phase, State
from abr.status.view import metrics_text, state_json

LINK = LinkState(latency=400, rtt=41.5, rate=2_500_000, packets=1000, lost=30, dropped=2, undecryptable=1)
FEED = FeedState("srt from h:1", "h264", "aac", 1000, 0, link=LINK)


def test_metrics_have_the_readings_in_base_units():
    lines = metrics_text(State("news", Phase.LIVE, feed=FEED), Metrics()).decode().splitlines()
    assert [line for line in lines if line.startswith("abr_srt_")] == [
        'abr_srt_rtt_seconds{channel="news",input="1"} 0.0415',
        'abr_srt_latency_seconds{channel="news",input="1"} 0.4',
        'abr_srt_receive_bitrate{channel="news",input="1"} 2.5e+06',
        'abr_srt_packets_total{channel="news",input="1"} 1000.0',
        'abr_srt_packets_lost_total{channel="news",input="1"} 30.0',
        'abr_srt_packets_dropped_total{channel="news",input="1"} 2.0',
        'abr_srt_packets_undecryptable_total{channel="news",input="1"} 1.0',
    ]


def test_of_several_inputs_each_has_its_own():
    """One that loses packets is seen before it is needed."""
    inputs = (
        InputState("rtmp", "", "good", on_air=True, chosen=False),
        InputState("srt", "", "good", on_air=False, chosen=False, link=LINK),
    )
    state = State("news", Phase.LIVE, feed=FeedState("rtmp", "h264", "aac", 1, 0), inputs=inputs)
    lines = metrics_text(state, Metrics()).decode().splitlines()
    assert 'abr_srt_packets_dropped_total{channel="news",input="2"} 2.0' in lines
    assert len([line for line in lines if line.startswith("abr_srt_")]) == 7
    assert json.loads(state_json(state))["inputs"][1]["link"]["rtt"] == 41.5


def test_the_state_has_them_as_they_are():
    assert json.loads(state_json(State("news", Phase.LIVE, feed=FEED)))["feed"]["link"] == {
        "latency": 400, "rtt": 41.5, "rate": 2_500_000, "packets": 1000, "lost": 30, "dropped": 2, "undecryptable": 1,
    }  # fmt: skip


def test_other_feeds_have_none():
    state = State("news", Phase.LIVE, feed=FeedState("rtmp", "h264", "aac", 1, 0))
    assert b"abr_srt_" not in metrics_text(state, Metrics())
