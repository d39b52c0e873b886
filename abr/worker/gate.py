"""What a channel's RTMP port lets in: its application, its keys, its certificate."""

import ssl
from collections.abc import Callable
from functools import partial

from abr.config.access import Access
from abr.config.address import ListenAddress
from abr.config.keyring import Keyring, keyring_of, read_keys
from abr.ingest.certificate import load_context
from abr.ingest.rtmp import Permit, Service
from abr.ingest.rtmpfeed import RtmpFeed
from abr.ingest.watched import Watched
from abr.log import Logger


def rtmp_service(
    listen: ListenAddress, access: Access, on_feed: Callable[[RtmpFeed], None], log: Logger
) -> Service:
    """The service behind an address. Raises ConfigError for keys or a certificate that cannot be used."""
    rings = _rings(listen, access, log)

    def authorise(app: str, key: str) -> Permit | None:
        if app != listen.app:
            return None
        names = [ring().name_of(key) for ring in rings]  # all of them: it takes equally long for each
        name = next((name for name in names if name is not None), None)
        return None if name is None else Permit(name, app)

    applications = frozenset({listen.app})
    return Service(
        applications=applications, authorise=authorise, on_feed=on_feed, tls=_tls(listen, access, log)
    )


def _rings(listen: ListenAddress, access: Access, log: Logger) -> list[Callable[[], Keyring]]:
    rings: list[Callable[[], Keyring]] = []
    if listen.key is not None:
        own = keyring_of(listen.key)
        rings.append(lambda: own)
    if access.keys is not None:
        watched = Watched("keys file", (access.keys,), partial(_read, access, log), log)
        rings.append(watched.get)
    return rings


def _read(access: Access, log: Logger) -> Keyring:
    assert access.keys is not None
    ring = read_keys(access.keys)
    if ring.written_out:
        hint = "write sha256: and the key's SHA-256 instead"
        log.warning("keys stand in the keys file", publishers=", ".join(ring.written_out), hint=hint)
    return ring


def _tls(listen: ListenAddress, access: Access, log: Logger) -> Callable[[], ssl.SSLContext] | None:
    if listen.scheme != "rtmps":
        return None
    certificate, private_key = access.certificate, access.private_key
    assert certificate is not None  # settings have checked it
    assert private_key is not None
    load = partial(load_context, certificate, private_key)
    return Watched("certificate", (certificate, private_key), load, log).get
