"""A text that must not be seen: stream keys, and addresses that hold a password."""

import hmac
import re


class Secret:
    """A text that prints as `***` and is compared in constant time."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; for the one call that needs it."""
        return self._text

    def matches(self, candidate: str) -> bool:
        """Whether a peer said the same text; takes as long for a near miss as for a far one."""
        return hmac.compare_digest(self._bytes(), candidate.encode("utf-8", "surrogatepass"))

    def _bytes(self) -> bytes:
        return self._text.encode("utf-8", "surrogatepass")

    def __eq__(self, other: object) -> bool:
        return (
            hmac.compare_digest(self._bytes(), other._bytes())
            if isinstance(other, Secret)
            else NotImplemented
        )

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


def masked_url(text: str) -> str:
    """A URL without user, password, query and fragment."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text.partition("?")[0]
    place, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"
