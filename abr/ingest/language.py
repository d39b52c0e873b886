"""Languages as containers write them (ISO 639-2) and as players want them (BCP 47)."""

_SHORT = {
    "ara": "ar", "ben": "bn", "bul": "bg", "cat": "ca", "ces": "cs", "cze": "cs", "cmn": "zh", "chi": "zh",
    "zho": "zh", "dan": "da", "deu": "de", "ger": "de", "ell": "el", "gre": "el", "eng": "en", "est": "et",
    "eus": "eu", "baq": "eu", "fas": "fa", "per": "fa", "fin": "fi", "fra": "fr", "fre": "fr", "gle": "ga",
    "glg": "gl", "heb": "he", "hin": "hi", "hrv": "hr", "hun": "hu", "hye": "hy", "arm": "hy", "ind": "id",
    "isl": "is", "ice": "is", "ita": "it", "jpn": "ja", "kat": "ka", "geo": "ka", "kor": "ko", "lat": "la",
    "lav": "lv", "lit": "lt", "mkd": "mk", "mac": "mk", "msa": "ms", "may": "ms", "nld": "nl", "dut": "nl",
    "nob": "nb", "nor": "no", "nno": "nn", "pol": "pl", "por": "pt", "ron": "ro", "rum": "ro", "rus": "ru",
    "slk": "sk", "slo": "sk", "slv": "sl", "spa": "es", "sqi": "sq", "alb": "sq", "srp": "sr", "swa": "sw",
    "swe": "sv", "tam": "ta", "tel": "te", "tha": "th", "tgl": "tl", "tur": "tr", "ukr": "uk", "urd": "ur",
    "vie": "vi", "cym": "cy", "wel": "cy",
}  # fmt: skip
"""BCP 47 wants the shortest code (RFC 5646, 2.2.1); both forms of ISO 639-2 are here."""

_UNSAID = frozenset(("", "und", "mis", "mul", "zxx"))


def language_tag(code: str | None) -> str | None:
    """The BCP 47 tag of a container's language code; None where it says nothing.

    >>> language_tag("ger"), language_tag("en-GB"), language_tag("und")
    ('de', 'en-GB', None)
    """
    if code is None or code.lower() in _UNSAID:
        return None
    if not all(part.isalnum() and part.isascii() and len(part) <= 8 for part in code.split("-")):
        return None
    return _SHORT.get(code.lower(), code)
