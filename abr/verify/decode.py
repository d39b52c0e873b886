"""The decode check: every sample of a rendition becomes one frame, without a complaint (C-17)."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import IO, cast

import av
import av.error
import av.logging

from abr.verify.finding import Finding
from abr.verify.rendition import Item, Rendition
from abr.verify.source import Source


def judge_decoding(source: Source, rendition: Rendition) -> Iterator[Finding]:
    """C-17: decode a rendition session by session (each init with all its segments), and count frames."""
    for stretch in _stretches(rendition):
        samples = sum(item.media.samples for item in stretch)
        where = f"{rendition.url}#{stretch[0].entry.sequence}"
        try:
            frames, complaint = decode(tape(source, stretch))
        except av.error.FFmpegError as error:
            yield Finding("C-17", where, f"cannot be decoded: {error}")
            continue
        if complaint:
            yield Finding("C-17", where, f"the decoder says: {complaint}")
        if frames != samples:
            yield Finding("C-17", where, f"{samples} samples, {frames} frames")


def decode(tape: IO[bytes]) -> tuple[int, str]:
    """Frames of the first track, and the first complaint of FFmpeg ('' if none). Raises av.error.FFmpegError.

    Edit lists are not applied: priming counts as frames here.
    """
    frames = 0
    options = {"ignore_editlist": "1"}
    with _complaints() as heard, av.open(tape, mode="r", format="mp4", options=options) as container:
        stream = container.streams[0]
        stream.codec_context.options = {"err_detect": "explode", "flags2": "+skip_manual"}
        for packet in container.demux(stream):
            frames += len(packet.decode())
    return frames, next((f"{name}: {text.strip()}" for _, name, text in heard), "")


@contextlib.contextmanager
def _complaints() -> Iterator[list[tuple[int, str, str]]]:
    """Collect FFmpeg's errors while it decodes; its level is put back after that."""
    before = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture(local=False) as heard:
            yield heard
    finally:
        av.logging.set_level(before)


def _stretches(rendition: Rendition) -> Iterator[list[Item]]:
    """Runs of segments that share an init and follow each other."""
    run: list[Item] = []
    for entry, item in zip(rendition.playlist.entries, rendition.loaded, strict=True):
        if run and (item is None or entry.breaks or item.init is not run[-1].init):
            yield run
            run = []
        if item is not None and not entry.encrypted:
            run.append(item)
    if run:
        yield run


def tape(source: Source, stretch: Sequence[Item]) -> IO[bytes]:
    """Init and segments as one file that is read once from its start; one object at a time is in memory."""
    return cast("IO[bytes]", _Tape(_objects(source, stretch)))


def _objects(source: Source, stretch: Sequence[Item]) -> Iterator[bytes]:
    initial = stretch[0].entry.initial
    assert initial
    yield source.read(initial.url, initial.span, immutable=True).body
    for item in stretch:
        yield source.read(item.entry.url, item.entry.span, immutable=True).body


class _Tape:
    """Objects one after the other, for a reader that cannot seek."""

    def __init__(self, objects: Iterator[bytes]) -> None:
        self._objects = objects
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        while not self._rest:
            following = next(self._objects, None)
            if following is None:
                return b""
            self._rest = memoryview(following)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return bytes(taken)
