"""The store of an origin's address."""

from abr.config.origin import DirectoryOrigin, Origin
from abr.storage.directory import DirectoryStore
from abr.storage.store import Store


def open_store(origin: Origin, *, durable: bool = True) -> Store:
    """The store of this origin; nothing is read or connected before its first call (`check` is a good one).

    `durable=False` leaves a folder's fsyncs out.
    """
    if isinstance(origin, DirectoryOrigin):
        return DirectoryStore(origin.path, name=origin.name, durable=durable)
    from abr.storage.s3 import S3Store  # noqa: PLC0415 - a folder needs none of it

    return S3Store(origin)
