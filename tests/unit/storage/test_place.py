"""An origin's address becomes its store."""

from pathlib import Path

from abr.config.bucket import S3Origin
from abr.config.origin import DirectoryOrigin
from abr.storage.directory import DirectoryStore
from abr.storage.place import open_store
from abr.storage.s3 import S3Store


def test_a_folder_is_a_directory_store_that_is_not_touched_yet(tmp_path: Path) -> None:
    origin = DirectoryOrigin(tmp_path / "site")
    store = open_store(origin)
    assert isinstance(store, DirectoryStore)
    assert store.name == origin.name
    assert not origin.path.exists()


def test_a_bucket_is_an_s3_store() -> None:
    origin = S3Origin(bucket="live", prefix="tv", endpoint="https://s3.example", connections=3)
    store = open_store(origin)
    assert isinstance(store, S3Store)
    assert (store.name, store.connections) == (origin.name, 3)
