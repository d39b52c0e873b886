"""An origin's address becomes its store."""

from pathlib import Path

from abr.config.origin import DirectoryOrigin, S3Origin
from abr.storage.directory import DirectoryStore
from abr.storage.place import open_store
from abr.storage.s3 import S3Store


def test_a_folder_is_a_directory_store_that_is_not_touched_yet(tmp_path: Path) -> None:
    origin = DirectoryOrigin(tmp_path / "site")
    store = open_store(origin)
    assert isinstance(store, DirectoryStore)
    assert store.name == origin.name
    assert not origin.path.exists()


def test_a_bucket_keeps_every_word_of_its_address(tmp_path: Path) -> None:
    origin = S3Origin(
        bucket="live",
        prefix="tv",
        endpoint="https://s3.example",
        region="eu-1",
        addressing="virtual",
        ca=tmp_path / "ca.pem",
        profile="media",
    )
    store = open_store(origin, connections=3)
    assert isinstance(store, S3Store)
    assert store.name == origin.name
    place = store._place
    words = ("bucket", "prefix", "endpoint", "region", "addressing", "ca", "profile")
    assert [getattr(place, word) for word in words] == [getattr(origin, word) for word in words]
    assert place.connections == 3
