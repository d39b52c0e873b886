"""Several inputs behind one port: the key says which."""

from abr.config.address import parse_listen
from abr.ingest.rtmp import Permit, Service
from abr.worker.door import _ports, joined


def service(app, key):
    def authorise(asked, shown):
        return Permit(key, asked) if (asked, shown) == (app, key) else None

    return Service(applications=frozenset({app}), authorise=authorise, on_feed=[].append)


def test_each_key_leads_to_its_own_input():
    main, spare = service("live", "main"), service("live", "spare")
    both = joined([main, spare])
    assert both.applications == {"live"}
    for place, own in enumerate((main, spare)):
        permit = both.authorise("live", ("main", "spare")[place])
        assert permit.on_feed is own.on_feed
        assert permit.place == (place, "live")
    assert both.authorise("live", "other") is None


def test_a_key_of_one_application_is_none_of_another():
    both = joined([service("one", "key1"), service("two", "key2")])
    assert both.applications == {"one", "two"}
    assert both.authorise("two", "key1") is None


def test_inputs_of_one_port_are_opened_together():
    texts = (
        "rtmp://0.0.0.0:1935/live/a", "rtmp://0.0.0.0:1936/live/b", "rtmp://0.0.0.0/live/c",
        "srt://0.0.0.0:1935?streamid=d", "rtmp://0.0.0.0:0/live/e", "rtmp://0.0.0.0:0/live/f",
    )  # fmt: skip
    groups = _ports(list(enumerate(map(parse_listen, texts))))
    assert sorted([place for place, _ in group] for group in groups) == [[0, 2], [1], [3], [4], [5]]
