"""Pictures that were recorded sideways or mirrored are set upright."""

import av
from av.sidedata.sidedata import SideDataContainer, Type

from abr.formats.displaymatrix import turn_in_side_data
from abr.model.media import UPRIGHT, Turn
from abr.transcode.chain import Chain

_QUARTERS: tuple[tuple[tuple[str, str | None], ...], ...] = (
    (),
    (("transpose", "clock"),),
    (("hflip", None), ("vflip", None)),
    (("transpose", "cclock"),),
)


class Turner:
    """Sets pictures upright: as each frame says itself, else as its container says."""

    def __init__(self, turn: Turn) -> None:
        self._usual = turn
        self._turn = UPRIGHT
        self._chain: Chain | None = None

    def turn_of(self, frame: av.VideoFrame) -> Turn:
        """What is to be done to this frame."""
        # `frame.side_data` would be kept by the frame and keep it: a cycle that holds its pixels until a collection.
        said = SideDataContainer(frame).get(Type.DISPLAYMATRIX)  # type: ignore[call-arg]
        return self._usual if said is None else turn_in_side_data(bytes(said))

    def upright(self, frame: av.VideoFrame, turn: Turn) -> av.VideoFrame:
        """The picture turned; `frame` itself where nothing is to be done, or where FFmpeg cannot do it."""
        if turn == UPRIGHT:
            return frame
        if turn != self._turn or self._chain is None:
            self._turn, self._chain = turn, _chain(turn)
        try:
            return self._chain.push(frame)[-1]
        except (av.FFmpegError, ValueError, IndexError):
            return frame


def _chain(turn: Turn) -> Chain:
    mirror: tuple[tuple[str, str | None], ...] = (("hflip", None),) if turn.mirrored else ()
    return Chain(*mirror, *_QUARTERS[turn.quarters])
