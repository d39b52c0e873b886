"""Segments of AES-128, as libcrypto itself made them."""

import io

import pytest

from abr.errors import FeedUnreadable
from abr.ingest.cipher import Decrypting

OPTIONS = {"key": "2b7e151628aed2a6abf7158809cf4f3c", "iv": "000102030405060708090a0b0c0d0e0f"}
PLAIN = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
CIPHER = bytes.fromhex("7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2")
"""NIST SP 800-38A F.2.1, the first two blocks."""


def read_all(file, size):
    pieces = []
    while piece := file.read(size):
        assert len(piece) <= size
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("size", [1, 15, 16, 17, 4096])
def test_blocks_are_decrypted_whatever_is_asked_for(size):
    # Without a padding block the last one is taken for it, and is dropped: it was cut off.
    assert read_all(Decrypting(io.BytesIO(CIPHER), OPTIONS), size) == PLAIN[:16]


def test_nothing_comes_of_nothing_and_closing_twice_is_fine():
    file = Decrypting(io.BytesIO(b""), OPTIONS)
    assert file.read(10) == file.read(10) == b""
    file.close()
    file.close()


@pytest.mark.parametrize("options", [{}, {"key": "00", "iv": "00"}, OPTIONS | {"key": "zz" * 16}])
def test_a_key_of_the_wrong_length_is_said(options):
    with pytest.raises(FeedUnreadable, match="their key is not 16 bytes long"):
        Decrypting(io.BytesIO(), options)
