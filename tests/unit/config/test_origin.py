"""Addresses of origins."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abr.config.address import DirectoryOrigin, S3Origin, parse_origin
from abr.config.origin import OriginTable, read_origin
from abr.config.schema import keys, parse_table
from abr.config.secret import Secret
from abr.errors import ConfigError


def test_a_path_is_a_folder():
    assert parse_origin("/srv/out") == DirectoryOrigin(Path("/srv/out"))
    assert parse_origin("file:///srv/out").name == "/srv/out"
    assert parse_origin("out", Path("/srv")).name == "/srv/out"
    assert parse_origin("out") == DirectoryOrigin(Path.cwd() / "out")


def test_a_bucket_has_prefix_endpoint_and_region():
    origin = parse_origin("s3://media/tv/one?endpoint=https://s3.example:9000/&region=eu-1&addressing=path")
    assert origin == S3Origin(
        bucket="media", prefix="tv/one", endpoint="https://s3.example:9000", region="eu-1", addressing="path"
    )
    assert origin.name == "s3://media/tv/one?endpoint=https://s3.example:9000"


def test_certificates_and_aws_profile_may_be_named():
    origin = parse_origin("s3://media?ca=tls/ca.pem&profile=tv", Path("/etc/abr"))
    assert isinstance(origin, S3Origin)
    assert (origin.ca, origin.profile, origin.prefix, origin.name) == (
        Path("/etc/abr/tls/ca.pem"), "tv", "", "s3://media",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("", "to", "is empty"),
        ("gs://bucket", "to", "gs:// is no origin"),
        ("s3://", "to", "'' is no bucket's name"),
        ("s3://a", "to", "is no bucket's name"),
        ("s3://key:hunter2@bucket/x", "to", "takes no credentials"),
        ("s3://bucket?endpiont=https://h", "to.endpiont", "unknown key; did you mean 'endpoint'?"),
        ("s3://bucket?secret=hunter2", "to.secret", "unknown key"),
        ("s3://bucket?region=", "to.region", "is empty"),
        ("s3://bucket?region=a&region=b", "to.region", "is given twice"),
        ("s3://bucket?region=a%20b", "to.region", "is no region"),
        ("s3://bucket?addressing=host", "to.addressing", "write auto, path or virtual"),
        ("s3://bucket?endpoint=h:9000", "to.endpoint", "write https://host"),
        ("s3://bucket?endpoint=https://u:hunter2@h", "to.endpoint", "takes only scheme"),
        ("s3://bucket?endpoint=https://h:x", "to.endpoint", "is not a URL"),
        ("s3://bucket/a/../b", "to", "is no part of a key"),
        ("s3://bucket/a b", "to", "is no part of a key"),
        ("s3://bucket/a//b", "to", "is no part of a key"),
    ],
)
def test_a_wrong_origin_is_told_with_the_key_and_without_secrets(text, path, words):
    with pytest.raises(ConfigError) as caught:
        parse_origin(text)
    assert caught.value.path == path
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_place_in_a_list_is_part_of_the_path():
    with pytest.raises(ConfigError, match=r"^to\[2\]\.regoin: "):
        parse_origin("s3://bucket?regoin=x", key="to[2]")


SECRET = "hunter2-hunter2"


def test_all_options_of_a_bucket_stand_in_its_address():
    origin = parse_origin(
        "s3://media?endpoint=https://s3.example&signature_version=s3&acl=public-read&storage_class=STANDARD_IA"
        "&sse=aws:kms&sse_kms_key=arn:aws:kms:eu-1:1:key/a-b&requester_pays=true&connections=16"
        f"&header.X-Gateway-Key={SECRET}&header.surrogate-key=live%20tv"
    )
    assert origin == S3Origin(
        bucket="media",
        endpoint="https://s3.example",
        signature_version="s3",
        acl="public-read",
        storage_class="STANDARD_IA",
        sse="aws:kms",
        sse_kms_key="arn:aws:kms:eu-1:1:key/a-b",
        headers=(("x-gateway-key", Secret(SECRET)), ("surrogate-key", Secret("live tv"))),
        requester_pays=True,
        connections=16,
    )
    assert SECRET not in repr(origin) + str(origin)


def table(**raw):
    return read_origin(parse_table(OriginTable, raw), Path("/etc/abr"))


def test_a_table_holds_the_same_options_and_the_secrets():
    origin = table(
        url="s3://media/tv?endpoint=https://s3.example",
        ca="ca.pem",
        access_key="AKID",
        secret_key=SECRET,
        session_token=f"token/{SECRET}==",
        headers={"X-Gateway-Key": SECRET},
        requester_pays=False,
        connections=2,
    )
    assert isinstance(origin, S3Origin)
    assert (origin.prefix, origin.ca, origin.requester_pays, origin.connections) == (
        "tv", Path("/etc/abr/ca.pem"), False, 2,
    )  # fmt: skip
    keys = (origin.access_key, origin.secret_key, origin.session_token)
    assert [key.reveal() for key in keys] == ["AKID", SECRET, f"token/{SECRET}=="]
    assert origin.headers == (("x-gateway-key", Secret(SECRET)),)
    assert SECRET not in repr(origin) + str(origin)


def test_a_table_shows_no_secret():
    raw = {"url": "s3://media", "secret_key": SECRET, "headers": {"X-Key": SECRET}}
    assert SECRET not in repr(parse_table(OriginTable, raw))


def test_a_table_of_a_folder_is_its_path():
    assert table(url="/srv/out") == DirectoryOrigin(Path("/srv/out"))


@pytest.mark.parametrize("word", [field for field in keys(OriginTable) if field not in {"url", "headers"}])
def test_every_option_of_a_table_is_one_of_a_bucket(word):
    with pytest.raises(ConfigError, match=f"^to.{word}: is for a bucket"):
        parse_origin("/srv/out", options={word: "x"})
    with pytest.raises(ConfigError, match=f"^to.{word}: is empty"):
        parse_origin("s3://media", options={word: ""})
    assert hasattr(parse_origin("s3://media"), word)


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        ({"url": "/srv", "region": "x"}, "to.region", "is for a bucket"),
        ({"url": "s3://media?region=a", "region": "b"}, "to.region", "is given twice"),
        ({"url": "s3://media", "region": ""}, "to.region", "is empty"),
        ({"url": "s3://media", "access_key": "A"}, "to.secret_key", "is missing beside access_key"),
        ({"url": "s3://media", "session_token": SECRET}, "to.access_key", "is missing beside session_token"),
        (
            {"url": "s3://media", "access_key": "A", "secret_key": SECRET, "profile": "p"},
            "to.profile",
            "stands beside keys",
        ),
        (
            {"url": "s3://media", "access_key": "A", "secret_key": f"{SECRET} "},
            "to.secret_key",
            "holds a letter that no key has",
        ),
        ({"url": "s3://media", "secret_key": [SECRET]}, "secret_key", "is not text"),
        ({"url": "s3://media", "headers": {"X-Key": [SECRET]}}, "headers", "is not text"),
        ({"url": f"s3://media?secret_key={SECRET}"}, "to.secret_key", "stands in process lists"),
        ({"url": f"s3://media?session_token={SECRET}"}, "to.session_token", "stands in process lists"),
        ({"url": "s3://media", "acl": "public-read-write"}, "to.acl", "is not known; write private"),
        ({"url": "s3://media", "signature_version": "v2"}, "to.signature_version", "write s3v4 or s3"),
        ({"url": "s3://media", "storage_class": "standard"}, "to.storage_class", "is no class"),
        ({"url": "s3://media", "storage_class": "GLACIER"}, "to.storage_class", "cannot be read"),
        ({"url": "s3://media", "sse": "aes"}, "to.sse", "write AES256, aws:kms or aws:kms:dsse"),
        ({"url": "s3://media", "sse": "AES256", "sse_kms_key": "k"}, "to.sse_kms_key", "needs sse=aws:kms"),
        ({"url": "s3://media?requester_pays=yes"}, "to.requester_pays", "write true or false"),
        ({"url": "s3://media", "connections": 65}, "to.connections", "write 1 to 64"),
        ({"url": "s3://media?connections=0"}, "to.connections", "write 1 to 64"),
        ({"url": "s3://media", "headers": {"Host": SECRET}}, "to.header.Host", "is written by abr itself"),
        (
            {"url": "s3://media", "headers": {"If-Match": SECRET}},
            "to.header.If-Match",
            "written by abr itself",
        ),
        ({"url": "s3://media", "headers": {"a b": SECRET}}, "to", "names a header that cannot be"),
        (
            {"url": "s3://media", "headers": {"X-A": f"{SECRET}\r\nX-B: 1"}},
            "to.header.X-A",
            "no header takes",
        ),
        ({"url": "s3://media", "headers": {"X-A": SECRET, "x-a": "1"}}, "to.header.x-a", "is given twice"),
    ],
)
def test_a_wrong_option_is_one_sentence_without_secrets(raw, path, words):
    with pytest.raises(ConfigError) as caught:
        table(**raw)
    assert caught.value.path == path
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(st.text(max_size=30), st.sampled_from(["", "s3://", "s3://bucket/", "s3://bucket?endpoint="]))
def test_any_text_is_an_origin_or_a_mistake(text, start):
    with suppress(ConfigError):
        assert parse_origin(start + text).name
