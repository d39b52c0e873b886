"""Display matrices: where the picture's right and bottom go says how it is turned."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.formats.displaymatrix import turn_in_header, turn_in_side_data, turn_of
from abr.model.media import UPRIGHT, Turn

ONE = 1 << 16


def matrix(a: int, b: int, c: int, d: int) -> list[int]:
    return [a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30]


@pytest.mark.parametrize(
    ("numbers", "turn"),
    [
        ((1, 0, 0, 1), UPRIGHT),
        ((0, 1, -1, 0), Turn(1)),
        ((-1, 0, 0, -1), Turn(2)),
        ((0, -1, 1, 0), Turn(3)),
        ((-1, 0, 0, 1), Turn(0, mirrored=True)),
        ((1, 0, 0, -1), Turn(2, mirrored=True)),
        ((0, 1, 1, 0), Turn(3, mirrored=True)),
        ((0, -1, -1, 0), Turn(1, mirrored=True)),
        ((0, 0, 0, 0), UPRIGHT),
        ((0, 0, 1, 1), UPRIGHT),
    ],
)
def test_a_matrix_is_a_turn(numbers, turn):
    assert turn_of(matrix(*numbers)) == turn


def test_a_slanting_matrix_counts_as_the_nearest_quarter():
    assert turn_of([60_000, 20_000, 0, -20_000, 60_000, 0, 0, 0, 1 << 30]) == UPRIGHT
    assert turn_of([20_000, 60_000, 0, -60_000, 20_000, 0, 0, 0, 1 << 30]) == Turn(1)


@pytest.mark.parametrize(("version", "before"), [(0, 40), (1, 52)])
def test_a_track_header_holds_it(version, before):
    body = bytes([version]) + bytes(before - 1) + struct.pack(">9i", *matrix(0, 1, -1, 0)) + bytes(8)
    assert turn_in_header(b"....moov....trak....tkhd" + body) == Turn(1)


def test_side_data_is_in_the_machines_order():
    assert turn_in_side_data(struct.pack("=9i", *matrix(-1, 0, 0, -1))) == Turn(2)
    assert turn_in_side_data(b"short") == UPRIGHT


@given(st.binary(max_size=120))
def test_no_header_breaks_it(data):
    for header in (data, b"tkhd" + data):
        assert turn_in_header(header).quarters in range(4)
