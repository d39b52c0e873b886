"""The sound of a ladder: which of a source's tracks each `[[audio]]` table becomes."""

from collections.abc import Sequence

from abr.config.audio import AudioRung
from abr.config.encoder import COPY
from abr.config.profile import Profile
from abr.errors import MediaError
from abr.model.ladder import AudioTarget
from abr.model.media import Track
from abr.model.selection import select_sound
from abr.model.time import AAC_FRAME

SAMPLE_RATE = 48_000
"""Samples a second of all encoded sound."""

_COPIED = "aac"


def audio_targets(
    profile: Profile, sounds: Sequence[Track], notes: list[str], *, silence: bool
) -> tuple[AudioTarget, ...]:
    """The audio renditions. What the source lacks is silent with `silence`, else left out, and noted.

    Raises MediaError for sound that a profile of copies cannot copy.
    """
    if profile.copy and sounds:
        return _copied(profile, sounds, notes)
    if not sounds and (profile.copy or not silence):
        if profile.audio:
            notes.append("the source has no audio: none is made")
        return ()
    if not sounds and profile.audio:
        notes.append("the source has no audio: silence is made")
    places = [(rung, _place(rung, sounds)) for rung in profile.audio]
    if sounds:
        notes += [note for rung, place in places if (note := _note(rung, place, sounds, silence=silence))]
    return tuple(_target(rung, place, sounds) for rung, place in places if place is not None or silence)


def _place(rung: AudioRung, sounds: Sequence[Track]) -> int | None:
    return select_sound(sounds, place=rung.track or 0, language=_asked(rung))


def _asked(rung: AudioRung) -> str | None:
    """The language that chooses the track; a number is the stronger choice."""
    return rung.language if rung.track is None else None


def _note(rung: AudioRung, place: int | None, sounds: Sequence[Track], *, silence: bool) -> str:
    """What is worth saying about the choice."""
    asked = _asked(rung)
    if place is None:
        wanted = f"sound in {asked}" if asked else f"audio track {(rung.track or 0) + 1}"
        has = ", ".join(track.language or "unsaid" for track in sounds)
        made = "it is silent" if silence else "left out"
        return f"audio {rung.name!r}: the source has no {wanted} (its tracks: {has}): {made}"
    if asked and len(sounds) > 1 and sounds[place].language is None:
        return f"audio {rung.name!r}: no track says that it is {asked}: track {place + 1} is taken"
    return ""


def _target(rung: AudioRung, place: int | None, sounds: Sequence[Track]) -> AudioTarget:
    found = sounds[place].language if sounds and place is not None else None
    return AudioTarget(
        name=rung.name,
        codec=rung.codec,
        bitrate=rung.bitrate,
        sample_rate=SAMPLE_RATE,
        channels=rung.channels,
        frame=AAC_FRAME,
        language=rung.language or found,
        label=rung.label,
        track=(rung.track or 0) if place is None else place,
        asked=_asked(rung),
        loudness=rung.loudness,
    )


def _copied(profile: Profile, sounds: Sequence[Track], notes: list[str]) -> tuple[AudioTarget, ...]:
    """Each table's track as it is: the one it names, or the first that can be copied."""
    able = [place for place, track in enumerate(sounds) if track.codec == _COPIED]
    targets: dict[int, AudioTarget] = {}
    for rung in profile.audio or (AudioRung(name="audio"),):
        if rung.track is None:
            chosen = select_sound([sounds[place] for place in able], language=rung.language)
            place = None if chosen is None else able[chosen]
        else:
            place = rung.track if rung.track < len(sounds) else None
        if place is None and able:
            notes.append(_note(rung, place, sounds, silence=False))
        elif place is None or place not in able:
            raise MediaError(
                f"the source's {sounds[place or 0].codec} sound cannot be copied into CMAF, only AAC can",
                hint="use a profile that encodes",
            )
        elif place not in targets:
            targets[place] = _copy(rung, place, sounds[place])
        else:
            notes.append(
                f"audio {rung.name!r}: track {place + 1} is copied as {targets[place].name!r}: left out"
            )
    return tuple(targets.values())


def _copy(rung: AudioRung, place: int, sound: Track) -> AudioTarget:
    return AudioTarget(
        name=rung.name,
        codec=COPY,
        bitrate=sound.bit_rate or rung.bitrate,
        sample_rate=sound.sample_rate or SAMPLE_RATE,
        channels=sound.channels or rung.channels,
        language=rung.language or sound.language,
        label=rung.label,
        track=place,
    )
