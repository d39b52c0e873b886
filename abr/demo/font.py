"""A bitmap font of five by seven dots, enough for a clock and a counter."""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_ROWS = {
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00110 01000 10000 11111",
    "3": "11111 00010 00100 00010 00001 10001 01110",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "5": "11111 10000 11110 00001 00001 10001 01110",
    "6": "00110 01000 10000 11110 10001 10001 01110",
    "7": "11111 00001 00010 00100 01000 01000 01000",
    "8": "01110 10001 10001 01110 10001 10001 01110",
    "9": "01110 10001 10001 01111 00001 00010 01100",
    ":": "00000 00100 00100 00000 00100 00100 00000",
    ".": "00000 00000 00000 00000 00000 01100 01100",
    "#": "01010 01010 11111 01010 11111 01010 01010",
    "a": "00000 00000 01110 00001 01111 10001 01111",
    "b": "10000 10000 11110 10001 10001 10001 11110",
    "r": "00000 00000 10110 11001 10000 10000 10000",
    "U": "10001 10001 10001 10001 10001 10001 01110",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    "C": "01110 10001 10000 10000 10000 10001 01110",
    " ": "00000 00000 00000 00000 00000 00000 00000",
}
_GLYPHS = {
    letter: np.array([[dot == "1" for dot in row] + [False] for row in rows.split()], dtype=np.bool_)
    for letter, rows in _ROWS.items()
}


def text_mask(text: str, scale: int) -> Mask:
    """Dots of a line of text, shape [7·scale, 6·scale·len(text)]. Raises KeyError for an unknown letter."""
    line = np.concatenate([_GLYPHS[letter] for letter in text], axis=1)
    return np.repeat(np.repeat(line, scale, axis=0), scale, axis=1)
