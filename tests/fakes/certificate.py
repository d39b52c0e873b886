"""Self-signed certificates, made in plain Python (ECDSA on P-256, X.509 v3): tests need no tool and no package for them."""

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

_CURVE = bytes.fromhex("06082a8648ce3d030107")  # prime256v1
_PUBLIC = bytes.fromhex("06072a8648ce3d0201")  # ecPublicKey
_SIGNED = bytes.fromhex("06082a8648ce3d040302")  # ecdsa-with-SHA256
_COMMON_NAME = bytes.fromhex("0603550403")
_ALTERNATIVE_NAME = bytes.fromhex("0603551d11")

# NIST P-256: y² = x³ - 3x + b over the integers modulo _FIELD, and a point of _ORDER on it.
_FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_Point = tuple[int, int]


class Pair(NamedTuple):
    """PEM texts."""

    certificate: bytes
    key: bytes


@cache
def make_certificate(number: int, name: str = "localhost") -> Pair:
    """For `name` and 127.0.0.1, valid for a day. Each `number` has its own, made once."""
    secret = secrets.randbelow(_ORDER - 1) + 1
    x, y = _times(secret, _BASE)
    point = _tlv(0x03, b"\0\4" + x.to_bytes(32) + y.to_bytes(32))
    key = _sequence(_integer(1), _tlv(0x04, secret.to_bytes(32)), _tlv(0xA0, _CURVE), _tlv(0xA1, point))
    return Pair(_pem("CERTIFICATE", _certificate(name, point, secret)), _pem("EC PRIVATE KEY", key))


def write_certificate(folder: Path, number: int = 1) -> tuple[Path, Path]:
    """The pair as files; replaces those of another number."""
    pair = make_certificate(number)
    paths = folder / "cert.pem", folder / "key.pem"
    for path, data in zip(paths, pair, strict=True):
        path.write_bytes(data)
    return paths


def _certificate(name: str, point: bytes, secret: int) -> bytes:
    who = _sequence(_tlv(0x31, _sequence(_COMMON_NAME, _tlv(0x0C, name.encode()))))
    now = datetime.now(UTC)
    valid = _sequence(*(_time(now + timedelta(days=days)) for days in (-1, 1)))
    public = _sequence(_sequence(_PUBLIC, _CURVE), point)
    names = _sequence(_tlv(0x82, name.encode()), _tlv(0x87, bytes([127, 0, 0, 1])))
    extensions = _tlv(0xA3, _sequence(_sequence(_ALTERNATIVE_NAME, _tlv(0x04, names))))
    version, serial = _tlv(0xA0, _integer(2)), _integer(secrets.randbits(62))
    body = _sequence(version, serial, _sequence(_SIGNED), who, valid, who, public, extensions)
    return _sequence(body, _sequence(_SIGNED), _tlv(0x03, b"\0" + _signature(body, secret)))


def _signature(body: bytes, secret: int) -> bytes:
    once = secrets.randbelow(_ORDER - 1) + 1
    first = _times(once, _BASE)[0] % _ORDER
    digest = int.from_bytes(hashlib.sha256(body).digest())
    return _sequence(_integer(first), _integer(pow(once, -1, _ORDER) * (digest + first * secret) % _ORDER))


def _times(count: int, point: _Point) -> _Point:
    """The point added to itself; `count` is at least 1."""
    total: _Point | None = None
    while count:
        if count & 1:
            total = point if total is None else _sum(total, point)
        point, count = _sum(point, point), count >> 1
    assert total is not None
    return total


def _sum(one: _Point, other: _Point) -> _Point:
    (x1, y1), (x2, y2) = one, other
    if one == other:
        slope = 3 * (x1 * x1 - 1) * pow(2 * y1, -1, _FIELD)
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, _FIELD)
    x = (slope * slope - x1 - x2) % _FIELD
    return x, (slope * (x1 - x) - y1) % _FIELD


def _time(when: datetime) -> bytes:
    return _tlv(0x17, when.strftime("%y%m%d%H%M%SZ").encode())


def _integer(value: int) -> bytes:
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def _sequence(*parts: bytes) -> bytes:
    return _tlv(0x30, b"".join(parts))


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def _pem(what: str, data: bytes) -> bytes:
    return f"-----BEGIN {what}-----\n{base64.encodebytes(data).decode()}-----END {what}-----\n".encode()
