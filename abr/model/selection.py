"""Which sound track of a feed a rendition is made from."""

from collections.abc import Sequence

from abr.model.media import Track


def select_sound(sounds: Sequence[Track], *, place: int = 0, language: str | None = None) -> int | None:
    """The place among a feed's sound tracks; None where it has none that fits.

    Without a language the track at `place`. With one the first track in it, else the first that does not say
    its language (RTMP never does), for that may be the one.
    """
    if language is None:
        return place if place < len(sounds) else None
    same = (index for index, track in enumerate(sounds) if speaks(track.language, language))
    unsaid = (index for index, track in enumerate(sounds) if track.language is None)
    return next(same, next(unsaid, None))


def speaks(language: str | None, wanted: str) -> bool:
    """Whether a language tag is the wanted one or a kind of it (RFC 4647, 3.3.1).

    >>> speaks("pt-BR", "pt"), speaks("pt", "pt-BR"), speaks(None, "pt")
    (True, False, False)
    """
    if language is None:
        return False
    said, asked = language.lower(), wanted.lower()
    return said == asked or said.startswith(f"{asked}-")
