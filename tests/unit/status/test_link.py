"""How an SRT connection's readings reach an operator."""

import json

from abr.metrics import Metrics
from abr.model.state import FeedState, LinkState, Phase, State
from abr.status.view import metrics_text, state_json

LINK = LinkState(latency=400, rtt=41.5, rate=2_500_000, packets=1000, lost=30, dropped=2, undecryptable=1)
FEED = FeedState("srt from h:1", "h264", "aac", 1000, 0, link=LINK)


def test_metrics_have_the_readings_in_base_units():
    lines = metrics_text(State("news", Phase.LIVE, feed=FEED), Metrics()).decode().splitlines()
    assert [line for line in lines if line.startswith("abr_srt_")] == [
        'abr_srt_rtt_seconds{channel="news"} 0.0415',
        'abr_srt_latency_seconds{channel="news"} 0.4',
        'abr_srt_receive_bitrate{channel="news"} 2.5e+06',
        'abr_srt_packets_total{channel="news"} 1000.0',
        'abr_srt_packets_lost_total{channel="news"} 30.0',
        'abr_srt_packets_dropped_total{channel="news"} 2.0',
        'abr_srt_packets_undecryptable_total{channel="news"} 1.0',
    ]


def test_the_state_has_them_as_they_are():
    assert json.loads(state_json(State("news", Phase.LIVE, feed=FEED)))["feed"]["link"] == {
        "latency": 400, "rtt": 41.5, "rate": 2_500_000, "packets": 1000, "lost": 30, "dropped": 2, "undecryptable": 1,
    }  # fmt: skip


def test_other_feeds_have_none():
    state = State("news", Phase.LIVE, feed=FeedState("rtmp", "h264", "aac", 1, 0))
    assert b"abr_srt_" not in metrics_text(state, Metrics())
