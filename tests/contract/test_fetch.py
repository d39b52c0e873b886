"""HTTP answers for what is pulled, from a real server on this machine."""

import socket
import threading

import pytest

from abr.errors import FeedLost, FeedRefused, FeedUnreadable
from abr.ingest.fetch import Fetcher, check_url, joined
from abr.ingest.guard import Guard, Zone
from tests.fakes.webserver import Page, serving

BODY = bytes(range(256)) * 40


def read_all(answer, size=3000):
    pieces = []
    while piece := answer.read(size):
        pieces.append(piece)
    answer.close()
    return b"".join(pieces)


def fetcher(url):
    return Fetcher(url, Guard())


def test_a_body_comes_whole_or_from_a_byte_on():
    with serving(film=BODY) as site:
        url = site.url("/film?token=x")
        whole = fetcher(url).get(url)
        assert (whole.size, whole.ranges, whole.start) == (len(BODY), True, 0)
        assert read_all(whole) == BODY
        part = fetcher(url).get(url, 1000, whole.validator)
        assert (part.size, part.start) == (len(BODY), 1000)
        assert read_all(part) == BODY[1000:]
        assert site.paths() == ["/film?token=x"] * 2
        assert site.asked[1][1]["Range"] == "bytes=1000-"
        assert site.asked[1][1]["If-Range"] == '"1"'


def test_a_server_without_ranges_gives_all_of_it():
    with serving(film=Page(BODY, ranges=False)) as site:
        url = site.url("/film")
        answer = fetcher(url).get(url, 1000)
        assert (answer.start, answer.ranges) == (0, False)
        assert read_all(answer) == BODY


def test_a_connection_that_ends_early_is_no_end():
    with serving(film=Page(BODY, cut=5000)) as site:
        url = site.url("/film")
        answer = fetcher(url).get(url)
        with pytest.raises(FeedLost, match="/film broke off: the connection was closed"):
            read_all(answer)
        answer.close()


def test_user_and_password_go_to_their_own_server_alone():
    with serving(film=BODY) as site, serving(other=BODY) as other:
        site.pages["/away"] = Page(status=302, headers={"Location": other.url("/other")})
        url = site.url("/away", "me:hunter%202")
        read_all(fetcher(url).get(url))
        assert site.asked[0][1]["Authorization"] == "Basic bWU6aHVudGVyIDI="
        assert "Authorization" not in other.asked[0][1]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("file:///etc/passwd", "leads to file: where only http and https may be followed"),
        ("gopher://h/x", "leads to gopher:"),
        ("http://[", "what is no URL"),
    ],
)
def test_a_redirect_to_anything_but_http_is_refused(target, words):
    with serving(away=Page(status=302, headers={"Location": target})) as site:
        url = site.url("/away?hunter2")
        with pytest.raises(FeedRefused, match=words) as caught:
            fetcher(url).get(url)
        assert "hunter2" not in str(caught.value)


def test_a_redirect_from_a_public_address_inwards_is_refused():
    with serving(film=BODY) as site:
        site.pages["/away"] = Page(status=307, headers={"Location": site.url("/film")})
        guard = Guard()
        fetch = Fetcher(site.url("/away"), guard)
        fetch._ask(site.url("/away"), 0, "").close()
        guard._home = Zone.PUBLIC  # as if the first connection had gone there
        with pytest.raises(
            FeedRefused, match=r"from a public address leads to 127.0.0.1, a loopback address"
        ):
            fetch.get(site.url("/film"))
        assert site.paths() == ["/away"]


def test_redirects_in_a_circle_end():
    with serving() as site:
        site.pages["/a"] = Page(status=301, headers={"Location": "/a"})
        with pytest.raises(FeedUnreadable, match="redirects again and again"):
            fetcher(site.url("/a")).get(site.url("/a"))
        assert len(site.asked) == 6


@pytest.mark.parametrize(
    ("status", "kind"), [(404, FeedUnreadable), (403, FeedUnreadable), (503, FeedLost), (429, FeedLost)]
)
def test_what_a_server_answers_instead(status, kind):
    with serving(film=Page(status=status)) as site:
        with pytest.raises(kind, match=f"/film answered {status}") as caught:
            fetcher(site.url("/film")).get(site.url("/film?hunter2"))
        assert "hunter2" not in str(caught.value)


def test_who_speaks_no_http_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"

        def speak():
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(b"SSH-2.0-x\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(FeedLost, match="did not answer: it is no HTTP"):
            fetcher(url).get(url)
        thread.join()


def test_abort_wakes_who_waits_and_lets_nobody_in():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        fetch = fetcher(url)
        timer = threading.Timer(0.05, fetch.abort, ("the worker is stopping",))
        timer.start()
        with pytest.raises(FeedLost, match="the worker is stopping"):
            fetch.get(url)
        with pytest.raises(FeedLost, match="the worker is stopping"):
            fetch.get(url)
        timer.join()


def test_only_http_urls_with_a_host_pass():
    check_url("https://host:8443/a?b#c")
    assert joined("http://h/a/b", "../c") == "http://h/c"
    for url in ("file:///x", "http:///x", "http://h:99999/", "http://h/\r\nX: y", "x", ""):
        with pytest.raises(FeedRefused):
            check_url(url)
