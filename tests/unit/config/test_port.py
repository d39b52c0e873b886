"""Two inputs that listen: each can get a feed of its own, or the second is refused with the cure."""

import pytest

from abr.config.backup import read_inputs
from abr.errors import ConfigError

RTMP, RTMPS, SRT = "rtmp://0.0.0.0:1935/live", "rtmps://0.0.0.0:1935/live", "srt://0.0.0.0:9000"


def inputs(*listen):
    return read_inputs(["listen"], listen, None, None)


@pytest.mark.parametrize(
    "apart",
    [
        (f"{RTMP}/a", f"{RTMP}/b"),
        (f"{RTMP}/a", "rtmp://0.0.0.0:1935/other/a"),
        (f"{RTMP}/a", "rtmp://0.0.0.0:1936/live/a"),
        (f"{RTMP}/a", RTMP),
        ("rtmp://0.0.0.0:0/live/a", "rtmp://0.0.0.0:0/live/a"),
        ("rtmp://127.0.0.1:1935/live/a", "rtmp://127.0.0.2:1935/live/a"),
        ("rtmp://0.0.0.0:1935/live/a", "rtmp://[::1]:1935/live/b"),
        (f"{RTMP}/a", "srt://0.0.0.0:1935?streamid=a"),
        (f"{RTMP}/a", "rtmps://0.0.0.0:443/live/a"),
        (f"{SRT}?streamid=a", f"{SRT}?streamid=b"),
        (f"{SRT}?streamid=a", f"{SRT}?passphrase=0123456789"),
        (f"{SRT}?streamid=%23!::r=a,u=anna", f"{SRT}?streamid=a"),
    ],
)
def test_addresses_that_mean_different_publishers_stand_beside_each_other(apart):
    assert len(inputs(*apart)) == 2


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (f"{RTMP}/hunter2", f"{RTMP}/hunter2", "they have the same application and key; give another key"),
        (RTMP, RTMP, "they have the same application and key; give another key, or another port"),
        (f"{SRT}?streamid=hunter2", f"{SRT}?streamid=hunter2", "give another streamid or port"),
        (f"{SRT}?streamid=hunter2", f"{SRT}?streamid=%23!::r=hunter2,m=publish", "give another streamid"),
        (f"{SRT}?streamid=hunter2", f"{SRT}?streamid=%23!::r=hunter2,u=anna", "give another streamid"),
        (f"{SRT}?passphrase=0123456789", f"{SRT}?passphrase=9876543210", "give another streamid or port"),
        (f"{RTMP}/hunter2", f"{RTMPS}/other", "port 1935 speaks either rtmp or rtmps; give one of them"),
        (f"{RTMP}/hunter2", "rtmp://127.0.0.1:1935/live/b", "write the same in both, or another port"),
        ("srt://[::]:9000?streamid=a", f"{SRT}?streamid=b", "write the same in both, or another port"),
    ],
)
def test_an_address_that_could_get_no_feed_is_refused_with_the_cure_and_without_its_key(
    first, second, reason
):
    with pytest.raises(ConfigError) as caught:
        inputs("rtmp://0.0.0.0:1900/live/x", first, second)
    assert str(caught.value).startswith("listen[3]: could get no feed beside listen[2]: ")
    assert reason in str(caught.value)
    assert "hunter2" not in str(caught.value)
