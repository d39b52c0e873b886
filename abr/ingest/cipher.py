"""AES-128 of HLS segments (RFC 8216bis 4.4.4.4), by the libcrypto that Python's own ssl stands on."""

import ctypes
import ctypes.util
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from abr.errors import FeedUnreadable

_BLOCK = 16


class Readable(Protocol):
    """What gives the encrypted bytes."""

    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class Decrypting:
    """The plain bytes of a file; `options` are FFmpeg's for its crypto protocol: key and iv in hexadecimal digits.

    One thread uses it. Raises FeedUnreadable without a usable key or libcrypto.
    """

    def __init__(self, source: Readable, options: Mapping[str, str]) -> None:
        self._source = source
        self._library = _library()
        self._context: Any = None
        self._rest = b""
        key, vector = _bytes(options.get("key")), _bytes(options.get("iv"))
        self._context = self._library.EVP_CIPHER_CTX_new()
        cipher = self._library.EVP_aes_128_cbc()
        if not self._library.EVP_DecryptInit_ex(self._context, cipher, None, key, vector):
            raise FeedUnreadable("the segments' key cannot be used")

    def read(self, size: int) -> bytes:
        """At least one byte and at most `size`; b"" at the end."""
        while not self._rest and self._context is not None:
            data = self._source.read(max(size, _BLOCK))
            self._rest = self._update(data) if data else self._final()
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def close(self) -> None:
        """Let go of the source and the key."""
        self._source.close()
        self._free()

    def __del__(self) -> None:
        self._free()

    def _update(self, data: bytes) -> bytes:
        out, length = ctypes.create_string_buffer(len(data) + _BLOCK), ctypes.c_int()
        done = self._library.EVP_DecryptUpdate(self._context, out, ctypes.byref(length), data, len(data))
        return out.raw[: length.value] if done else b""

    def _final(self) -> bytes:
        """The last block without its padding; nothing of a segment that was cut off."""
        out, length = ctypes.create_string_buffer(_BLOCK), ctypes.c_int()
        done = self._library.EVP_DecryptFinal_ex(self._context, out, ctypes.byref(length))
        self._free()
        return out.raw[: length.value] if done else b""

    def _free(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            self._library.EVP_CIPHER_CTX_free(context)


def _bytes(text: str | None) -> bytes:
    try:
        value = bytes.fromhex(text or "")
    except ValueError:
        value = b""
    if len(value) != _BLOCK:
        raise FeedUnreadable("the segments are encrypted, and their key is not 16 bytes long")
    return value


@cache
def _library() -> Any:
    name = ctypes.util.find_library("crypto")
    try:
        library = ctypes.CDLL(name) if name else None
    except OSError:
        library = None
    if library is None:
        raise FeedUnreadable("the segments are encrypted, and OpenSSL's libcrypto is not installed here")
    pointer, number = ctypes.c_void_p, ctypes.c_int
    for function, result, arguments in (
        ("EVP_CIPHER_CTX_new", pointer, ()),
        ("EVP_CIPHER_CTX_free", None, (pointer,)),
        ("EVP_aes_128_cbc", pointer, ()),
        ("EVP_DecryptInit_ex", number, (pointer, pointer, pointer, ctypes.c_char_p, ctypes.c_char_p)),
        ("EVP_DecryptUpdate", number, (pointer, pointer, pointer, ctypes.c_char_p, number)),
        ("EVP_DecryptFinal_ex", number, (pointer, pointer, pointer)),
    ):
        known = getattr(library, function)
        known.restype, known.argtypes = result, arguments
    return library
