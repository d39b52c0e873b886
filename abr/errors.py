"""The whole tree of errors. Each is one sentence that names the key or the peer, the value and the cure.

* AbrError                     exit 1
  + UsageError                 exit 2: options, addresses, files that the user named
    - ConfigError              a key of a profile or channel file; carries its path
    - AddressInUse             a port that somebody else listens on
    - ChannelBusy              another worker holds this channel's state folder
    - StateUnusable            the folder for journal and spool cannot be written
  + FeedError                  what comes in
    - FeedRefused              wrong key, wrong application, no free place
    - FeedUnreadable           no media in it, or none that can be decoded
    - FeedLost                 it ended without saying so           (retry)
  + ProtocolError              bytes that break a format
    - RemoteProtocolError      the peer did wrong
    - LocalProtocolError       we did wrong
  + MediaError                 an encoder, decoder or packager that cannot go on
    - EncoderMissing           exit 2: this FFmpeg or this machine has no such encoder
  + JournalError
    - JournalNewer             written by a newer abr
    - JournalCorrupt
  + SpoolError                 the local disk
    - SpoolFull                                                     (retry)
  + StoreError                 a place for objects; names the store and the key
    - StoreMissing             no such object
    - StoreConflict            other bytes are there already
    - StoreUnavailable         time-outs, 5xx, throttling           (retry)
    - StoreDenied              exit 2: wrong credentials or no permission
    - StoreMisconfigured       exit 2: no such bucket, folder, region
  + StageFailed                a thread of the worker died; carries the reason
"""


class AbrError(Exception):
    """A failure that has a sentence for the user.

    `retry` says whether the same call may succeed later; `exit_code` is what the command line ends with;
    `hint` is the cure where the message does not hold it already.
    """

    retry: bool = False
    exit_code: int = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(AbrError):
    """The user asked for something that cannot be done as asked."""

    exit_code = 2


class ConfigError(UsageError):
    """A key with a value that cannot be used. `path` is as the user would write it: `video[2].bitrate`."""

    def __init__(self, path: str, message: str, *, hint: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message, hint=hint)
        self.path = path


class AddressInUse(UsageError):
    """Somebody else listens on this port."""


class ChannelBusy(UsageError):
    """Another worker holds the channel's state folder."""


class StateUnusable(UsageError):
    """The folder for journal and spool cannot be written."""


class FeedError(AbrError):
    """A feed that cannot be used, or no longer."""


class FeedRefused(FeedError):
    """A publisher that was turned away before any of its media was read."""


class FeedUnreadable(FeedError):
    """No media in the feed, or none that can be decoded."""


class FeedLost(FeedError):
    """The feed ended without a word."""

    retry = True


class ProtocolError(AbrError):
    """Bytes that break a format."""


class RemoteProtocolError(ProtocolError):
    """The peer sent what the protocol does not allow."""


class LocalProtocolError(ProtocolError):
    """We were about to send what the protocol does not allow."""


class MediaError(AbrError):
    """An encoder, a decoder or the packager cannot go on."""


class EncoderMissing(MediaError):
    """The encoder's name is known, but not to this FFmpeg, or the hardware is missing."""

    exit_code = 2


class JournalError(AbrError):
    """The record of what exists cannot be read or written."""


class JournalNewer(JournalError):
    """A newer abr wrote this journal."""


class JournalCorrupt(JournalError):
    """The file is not a journal, or no longer a whole one."""


class SpoolError(AbrError):
    """The local disk refused a segment file."""


class SpoolFull(SpoolError):
    """No space is left where segments wait."""

    retry = True


class StoreError(AbrError):
    """A store said no, or nothing at all."""


class StoreMissing(StoreError):
    """There is no such object."""


class StoreConflict(StoreError):
    """Other bytes lie under a key that is written once."""


class StoreUnavailable(StoreError):
    """The store does not answer, or asks for patience.

    `after` is the pause that it asked for, in seconds; `slow` that it wants fewer requests; `lost` that only the answer
    may be missing: what was asked may have been done.
    """

    retry = True

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        after: float | None = None,
        slow: bool = False,
        lost: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.after = after
        self.slow = slow
        self.lost = lost


class StoreDenied(StoreError):
    """The credentials are wrong or do not allow it."""

    exit_code = 2


class StoreMisconfigured(StoreError):
    """There is no such bucket, folder or region."""

    exit_code = 2


class StageFailed(AbrError):
    """A thread of the worker died. `__cause__` is why."""
