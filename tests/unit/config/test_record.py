"""Where feeds are recorded, and how much is kept."""

from pathlib import Path

import pytest

from abr.config import units
from abr.config.record import Record, make_record
from abr.config.settings import load_live
from abr.errors import ConfigError

HOME = {"HOME": "/home/tv"}
LISTEN = {"listen": "rtmp://0.0.0.0:1935/live/hunter2", "to": ("/srv/out",)}


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("50G", 50_000_000_000),
        ("1.5 TB", 1_500_000_000_000),
        ("500MB", 500_000_000),
        ("64k", 64_000),
        (1000, 1000),
        ("12b", 12),
    ],
)
def test_a_volume_is_bytes(written: object, size: int) -> None:
    assert units.volume(written) == size


@pytest.mark.parametrize("written", ["much", "-1G", "1GiB", None, True, "", "5 bytes"])
def test_what_is_no_volume_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is not a size; write 500M, 50G or bytes"):
        units.volume(written)


@pytest.mark.parametrize(
    ("size", "text"), [(50_000_000_000, "50G"), (1_550_000_000_000, "1.6T"), (2_500, "2.5k"), (999, "999")]
)
def test_a_volume_as_text(size: int, text: str) -> None:
    assert units.volume_text(size) == text


def test_nothing_is_recorded_unless_asked_for() -> None:
    assert load_live(None, LISTEN, HOME).record is None


def test_a_folder_in_a_channel_file_starts_from_the_files(tmp_path: Path) -> None:
    file = tmp_path / "tv.toml"
    file.write_text('record_feed = "feeds"\nrecord_quota = "200G"\n')
    assert load_live(file, LISTEN, HOME).record == Record(tmp_path / "feeds", 200_000_000_000)
    environ = {**HOME, "ABR_RECORD_FEED": "/mnt/feeds"}
    assert load_live(None, LISTEN, environ).record == Record(Path("/mnt/feeds"), 50_000_000_000)


def test_a_quota_that_holds_next_to_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_live(None, {**LISTEN, "record_feed": str(tmp_path), "record_quota": "5"}, HOME)
    assert str(caught.value) == "record_quota: 5 is out of range; 10M to 1000T"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "feeds").touch()
    with pytest.raises(ConfigError, match=r"record_feed: .* is not a folder"):
        make_record(tmp_path / "feeds", 50_000_000)
