"""Orders over HTTP: who may choose the input, and what is no order."""

import json
import socket
import urllib.error
import urllib.request
from http import HTTPStatus

import pytest

from abr.clock import SystemClock
from abr.config.secret import Secret
from abr.metrics import Metrics
from abr.model.state import Phase, State
from abr.status.control import Control
from abr.status.http import Site, StatusServer
from abr.worker.stage import Threads

JSON = {"Content-Type": "application/json; charset=utf-8", "Host": "127.0.0.1:8080"}


def order(body, *, peer="127.0.0.1", token=None, **headers):
    chosen = []
    control = Control(2, chosen.append, Secret(token) if token else None)
    status, text = control.order(peer, {**JSON, **headers}, body)
    assert text.endswith("\n")
    assert not token or token not in text
    return int(status), chosen


@pytest.mark.parametrize(("wanted", "place"), [(1, 0), (2, 1), ("auto", None)])
def test_an_input_is_chosen(wanted, place):
    assert order(json.dumps({"input": wanted}).encode()) == (200, [place])


@pytest.mark.parametrize(
    "body",
    [b"", b"2", b"[1]", b"{}", b'{"input": 0}', b'{"input": 3}', b'{"input": -1}', b'{"input": true}',
     b'{"input": "1"}', b'{"input": 1.5}', b"\xff", b"[" * 900],
)  # fmt: skip
def test_what_is_no_order_changes_nothing(body):
    assert order(body) == (HTTPStatus.BAD_REQUEST, [])


def test_another_machine_may_not_without_a_token():
    assert order(b'{"input": 1}', peer="192.0.2.1") == (HTTPStatus.FORBIDDEN, [])


@pytest.mark.parametrize("host", ["evil.example:8080", "", "127.0.0.1.evil.example"])
def test_a_page_under_a_foreign_name_may_not(host):
    assert order(b'{"input": 1}', Host=host) == (HTTPStatus.FORBIDDEN, [])


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_of_another_site_may_not(kind):
    assert order(b'{"input": 1}', **{"Content-Type": kind}) == (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, [])


@pytest.mark.parametrize(
    ("shown", "status"),
    [("Bearer hunter22", 200), ("bearer hunter22", 200), ("Bearer x", 403), ("hunter22", 403)],
)
def test_with_a_token_whoever_shows_it_may(shown, status):
    assert order(b'{"input": 1}', peer="192.0.2.1", token="hunter22", Authorization=shown)[0] == status
    assert order(b'{"input": 1}', token="hunter22")[0] == HTTPStatus.FORBIDDEN


@pytest.fixture
def server():
    chosen = []
    site = Site(
        "tv", lambda: State("tv", Phase.LIVE), Metrics(), SystemClock(), None, Control(2, chosen.append)
    )
    made = StatusServer("127.0.0.1", 0, site)
    made.start(Threads().spawn)
    yield made, chosen
    made.close()


def post(server, path, body, **headers):
    request = urllib.request.Request(server.url + path, body, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code


def test_orders_come_by_post_and_nowhere_else(server):
    made, chosen = server
    assert post(made, "/api/input", b'{"input": 2}') == 200
    assert post(made, "/api/state", b'{"input": 2}') == 404
    assert post(made, "/api/input", b'{"input": 2}' + b" " * 2000) == 400
    assert chosen == [1]


def test_an_order_that_says_no_length_is_refused_and_the_connection_closed(server):
    made, chosen = server
    with socket.create_connection((made.host, made.port), timeout=5) as client:
        client.sendall(b"POST /api/input HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400")
    assert chosen == []


def test_a_worker_with_one_input_takes_no_order():
    site = Site("tv", lambda: State("tv", Phase.LIVE), Metrics(), SystemClock())
    made = StatusServer("127.0.0.1", 0, site)
    made.start(Threads().spawn)
    try:
        assert post(made, "/api/input", b'{"input": 1}') == 404
    finally:
        made.close()
