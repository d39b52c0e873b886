"""Columns are sequences of the records that they were made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.model.columns import MISSING, Packets, Samples
from abr.model.media import EncodedPacket, Packet

TIMES = st.integers(-(1 << 62), 1 << 62)
PACKETS = st.lists(
    st.builds(
        Packet,
        track=st.just(1),
        pts=st.none() | TIMES,
        dts=st.none() | TIMES,
        duration=st.integers(0, 1 << 40),
        key=st.booleans(),
        corrupt=st.just(False),
        hidden=st.just(False),
        data=st.binary(max_size=3),
    ),
    min_size=1,
    max_size=6,
)
ENCODED = st.lists(st.builds(EncodedPacket, TIMES, st.integers(0, 9), st.booleans(), st.binary(max_size=3)))


@given(PACKETS, st.slices(6))
def test_packets_come_back_as_they_were(packets, part):
    columns = Packets.of(packets)
    assert columns == packets
    assert list(columns[part]) == packets[part]
    assert (columns.track, len(columns), columns[-1]) == (1, len(packets), packets[-1])
    assert Packets.of(columns) is columns


@given(PACKETS)
def test_whole_packets_are_those_that_hold_something(packets):
    assert Packets.of(packets).whole() == [packet for packet in packets if packet.data]


def test_a_time_that_is_missing_has_its_own_number():
    columns = Packets.of([Packet(0, None, 5, 0, key=True, corrupt=False, data=b"x")])
    assert (columns.pts.tolist(), columns.dts.tolist()) == ([MISSING], [5])


@given(ENCODED, st.slices(4))
def test_samples_come_back_as_they_were(packets, part):
    columns = Samples.of(packets)
    assert columns == packets
    assert columns[part] == packets[part]
    assert Samples.of(columns) is columns


@given(st.lists(ENCODED, max_size=4))
def test_joined_samples_follow_each_other(parts):
    assert Samples.joined([Samples.of(part) for part in parts]) == [item for part in parts for item in part]


def test_records_are_plain_python():
    packet = Samples.of([EncodedPacket(1, 2, key=True, data=b"x")])[0]
    assert [type(field) for field in packet] == [int, int, bool, bytes]


def test_columns_equal_no_other_things():
    samples = Samples(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_), ())
    assert samples == []
    assert samples != 5
    with pytest.raises(TypeError):
        hash(samples)
