"""Texts that must not be seen."""

import pickle

import pytest

from abr.config.secret import Secret, masked_url


def test_a_secret_prints_as_stars_in_every_form():
    secret = Secret("hunter2")
    assert [str(secret), repr(secret), f"{secret}", f"{[secret]}"] == [
        "***",
        "Secret('***')",
        "***",
        "[Secret('***')]",
    ]
    assert secret.reveal() == "hunter2"


def test_a_secret_is_compared_with_what_a_peer_says():
    secret = Secret("schlüssel")
    assert secret.matches("schlüssel")
    assert not secret.matches("schlussel")
    assert not secret.matches("")
    assert not secret.matches("\udcff")


def test_secrets_are_values():
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_a_secret_is_not_written_out():
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret("hunter2"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:hunter2@host:1/a/b?token=hunter2#hunter2", "https://host:1/a/b"),
        ("https://host", "https://host"),
        ("https://host?hunter2", "https://host"),
        ("file?hunter2", "file"),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(url, shown):
    assert masked_url(url) == shown
