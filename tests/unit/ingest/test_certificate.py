"""Certificates that can be used, and sentences about those that cannot."""

import ssl
from pathlib import Path

import pytest

from abr.errors import ConfigError
from abr.ingest.certificate import broken_by, load_context, tls_reason
from tests.fakes.certificate import make_certificate, write_certificate

LOCKED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"


def test_a_pair_in_two_files_or_in_one(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    assert load_context(certificate, key).minimum_version is ssl.TLSVersion.TLSv1_2
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    assert load_context(both, both).verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize(
    ("certificate", "key", "sentence"),
    [
        (None, b"", "tls_cert: 'C' cannot be read: No such file or directory"),
        (b"hello", b"", "tls_cert: 'C' holds no certificate in PEM form"),
        (make_certificate(1).certificate, None, "tls_key: 'K' cannot be read: No such file or directory"),
        (make_certificate(1).certificate, b"hello", "tls_key: 'K' holds no private key in PEM form"),
        (make_certificate(1).certificate, LOCKED, "tls_key: 'K' is locked with a password; give the key without one"),
        (make_certificate(1).certificate, make_certificate(2).key, "tls_key: 'K' is not the key of 'C'"),
        (b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", make_certificate(1).key, "tls_cert: 'C' with 'K' cannot be used: TLS: "),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_sentence(
    tmp_path: Path, certificate: bytes | None, key: bytes | None, sentence: str
) -> None:
    paths = tmp_path / "C", tmp_path / "K"
    for path, data in zip(paths, (certificate, key), strict=True):
        if data is not None:
            path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_context(*paths)
    assert str(caught.value).replace(f"{tmp_path}/", "").startswith(sentence)


def test_what_tls_says_is_told_in_plain_words() -> None:
    error = ssl.SSLError()
    error.reason = "TLSV1_ALERT_UNKNOWN_CA"
    assert tls_reason(error) == broken_by(error) == "the publisher does not trust the certificate"
    error.reason = "DIGEST_CHECK_FAILED"
    assert tls_reason(error) == "TLS: digest check failed"
    assert broken_by(ConnectionResetError(104, "Connection reset by peer")) == "Connection reset by peer"
