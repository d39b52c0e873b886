"""The certificate that an RTMPS port shows, and what TLS says when it goes wrong."""

import ssl
from pathlib import Path

from abr.errors import ConfigError

_ALERTS = {
    "UNKNOWN_CA": "the publisher does not trust the certificate",
    "BAD_CERTIFICATE": "the publisher does not accept the certificate",
    "CERTIFICATE_UNKNOWN": "the publisher does not accept the certificate",
    "CERTIFICATE_EXPIRED": "the certificate has expired, says the publisher",
    "HTTP_REQUEST": "this is no TLS client: this looks like HTTP",
    "WRONG_VERSION_NUMBER": "this is no TLS client; publish to rtmps://, not to rtmp://",
    "UNSUPPORTED_PROTOCOL": "the publisher only speaks TLS older than 1.2",
    "NO_SHARED_CIPHER": "the publisher knows none of our ciphers",
}
"""By OpenSSL's name of the reason, without "SSLV3_ALERT_" or "TLSV1_ALERT_"."""


def load_context(certificate: Path, private_key: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer with this certificate. Raises ConfigError in one sentence."""
    for option, path in (("tls_cert", certificate), ("tls_key", private_key)):
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigError(option, f"{str(path)!r} cannot be read: {error.strerror or error}") from error
        _check_pem(option, path, data)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password of ours OpenSSL would ask the terminal for one.
        context.load_cert_chain(certificate, private_key, password=lambda: b"")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            reason = f"{str(private_key)!r} is not the key of {str(certificate)!r}"
            raise ConfigError("tls_key", reason) from error
        reason = f"{str(certificate)!r} with {str(private_key)!r} cannot be used: {tls_reason(error)}"
        raise ConfigError("tls_cert", reason) from error
    return context


def tls_reason(error: ssl.SSLError) -> str:
    """What went wrong between a publisher and us, in plain words where it is usual."""
    reason = error.reason or ""
    plain = reason
    for prefix in ("SSLV3_ALERT_", "TLSV1_ALERT_", "TLSV13_ALERT_"):
        plain = plain.removeprefix(prefix)
    return _ALERTS.get(plain) or f"TLS: {reason.replace('_', ' ').lower() or 'it failed'}"


def _check_pem(option: str, path: Path, data: bytes) -> None:
    wanted = b"CERTIFICATE-----" if option == "tls_cert" else b"PRIVATE KEY-----"
    if wanted in data:
        if option == "tls_key" and b"ENCRYPTED" in data:
            raise ConfigError(option, f"{str(path)!r} is locked with a password; give the key without one")
        return
    what = "certificate" if option == "tls_cert" else "private key"
    raise ConfigError(option, f"{str(path)!r} holds no {what} in PEM form")


def broken_by(error: OSError) -> str:
    """What broke a connection, for a person."""
    return tls_reason(error) if isinstance(error, ssl.SSLError) else error.strerror or str(error)
