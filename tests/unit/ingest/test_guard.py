"""A playlist from a public address cannot reach the networks behind it."""

import socket
from contextlib import contextmanager

import pytest

from abr.errors import FeedLost, FeedRefused
from abr.ingest.guard import Guard, Zone, zone_of


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("8.8.8.8", Zone.PUBLIC),
        ("2001:4860:4860::8888", Zone.PUBLIC),
        ("10.1.2.3", Zone.PRIVATE),
        ("172.16.0.1", Zone.PRIVATE),
        ("192.168.1.1", Zone.PRIVATE),
        ("100.64.0.1", Zone.PRIVATE),
        ("fd00::1", Zone.PRIVATE),
        ("169.254.169.254", Zone.LINK_LOCAL),
        ("fe80::1%eth0", Zone.LINK_LOCAL),
        ("127.0.0.1", Zone.LOOPBACK),
        ("127.9.9.9", Zone.LOOPBACK),
        ("0.0.0.0", Zone.LOOPBACK),
        ("::", Zone.LOOPBACK),
        ("::1", Zone.LOOPBACK),
        ("224.0.0.1", Zone.SPECIAL),
        ("ff02::1", Zone.SPECIAL),
        ("240.0.0.1", Zone.SPECIAL),
        ("255.255.255.255", Zone.SPECIAL),
        ("::ffff:127.0.0.1", Zone.LOOPBACK),
        ("::ffff:8.8.8.8", Zone.PUBLIC),
        ("::127.0.0.1", Zone.LOOPBACK),
        ("64:ff9b::a9fe:a9fe", Zone.LINK_LOCAL),
        ("2002:7f00:1::", Zone.LOOPBACK),
    ],
)
def test_each_address_has_a_zone_however_it_is_written(address, zone):
    assert zone_of(address) is zone


@contextmanager
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


class Names:
    """A resolver whose answers a test writes down."""

    def __init__(self, **names):
        self.names = names
        self.asked = []

    def __call__(self, host, port):
        self.asked.append(host)
        return self.names[host]


def after_public(names, *, private=False):
    """A guard whose first connection went to a public address."""
    guard = Guard(private=private, resolve=names)
    guard._home = Zone.PUBLIC
    return guard


def test_where_the_user_pointed_is_always_connected_to_and_gives_the_zone():
    names = Names(mine=["127.0.0.1"], other=["127.0.0.1"], lan=["10.0.0.1"], cloud=["169.254.169.254"])
    guard = Guard(resolve=names)
    with listening() as port:
        guard.connect("mine", port, 2).close()
        guard.connect("other", port, 2).close()
        for host, zone in (("lan", "private"), ("cloud", "link-local")):
            with pytest.raises(
                FeedRefused, match=f"from a loopback address leads to {host}, a {zone} address"
            ):
                guard.connect(host, port, 2)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "0.0.0.0"]
)
def test_nothing_leads_from_a_public_address_inwards(address):
    with pytest.raises(FeedRefused, match="pull_private = true allows it"):
        after_public(Names(evil=[address])).connect("evil", 80, 1)


def test_of_a_names_addresses_only_the_allowed_are_tried():
    names = Names(mixed=["10.0.0.1", "127.0.0.1"])
    guard = after_public(names)
    guard._home = Zone.LOOPBACK
    with listening() as port:
        guard.connect("mixed", port, 1).close()


def test_the_option_lets_everything_through():
    with listening() as port:
        after_public(Names(inside=["127.0.0.1"]), private=True).connect("inside", port, 1).close()


def test_a_name_is_resolved_once_a_connection_so_that_it_cannot_change_in_between():
    names = Names(once=["127.0.0.1"])
    with listening() as port:
        Guard(resolve=names).connect("once", port, 1).close()
    assert names.asked == ["once"]


def test_nobody_there_and_no_such_name_may_be_tried_again():
    with listening() as port:
        pass
    with pytest.raises(FeedLost, match=f"here:{port} cannot be reached: Connection refused"):
        Guard(resolve=Names(here=["127.0.0.1"])).connect("here", port, 1)
    with pytest.raises(FeedLost, match="the name is not known"):
        Guard().connect("a..b", 80, 1)
    with pytest.raises(FeedLost, match="it has no address"):
        Guard(resolve=Names(void=[])).connect("void", 80, 1)
