"""Addresses of origins."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abr.config.address import DirectoryOrigin, S3Origin, parse_origin
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


@settings(deadline=None)
@given(st.text(max_size=30), st.sampled_from(["", "s3://", "s3://bucket/", "s3://bucket?endpoint="]))
def test_any_text_is_an_origin_or_a_mistake(text, start):
    with suppress(ConfigError):
        assert parse_origin(start + text).name
