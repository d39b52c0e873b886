"""Who may publish over RTMP, and the certificate that RTMPS shows: files, read again when they change."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from abr.config.address import ListenAddress
from abr.config.keyring import read_keys
from abr.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Access:
    """The files beside the addresses to listen on."""

    keys: Path | None = None
    certificate: Path | None = None
    """PEM: the server's certificate and those between it and the root. Set where rtmps is listened on."""
    private_key: Path | None = None
    """PEM; may be the same file. Set whenever `certificate` is."""


def make_access(inputs: Sequence[object], access: Access) -> Access:
    """Check the files against the channel's inputs. Raises ConfigError.

    The certificate itself is read by who listens.
    """
    doors = [one for one in inputs if isinstance(one, ListenAddress)]
    _check_keys(doors, access.keys)
    secure = any(door.scheme == "rtmps" for door in doors)
    if secure and access.certificate is None:
        raise ConfigError("tls_cert", "is missing; rtmps:// needs a certificate (PEM) and its key (tls_key)")
    for option, path in (("tls_cert", access.certificate), ("tls_key", access.private_key)):
        if path is not None and not secure:
            raise ConfigError(option, "is of use with rtmps:// only; listen there, or leave it out")
    return Access(access.keys, access.certificate, access.private_key or access.certificate)


def _check_keys(doors: Sequence[ListenAddress], keys: Path | None) -> None:
    if keys is not None and not doors:
        raise ConfigError("keys", "is of use with rtmp:// and rtmps:// only; listen there, or leave it out")
    if keys is not None:
        read_keys(keys)
    elif any(door.key is None for door in doors):
        raise ConfigError(
            "listen",
            "has no stream key after the application; end the address with /KEY, or name a file of keys (keys)",
        )
