"""Keys and certificates of a channel, checked against its inputs."""

from pathlib import Path

import pytest

from abr.config.access import Access, make_access
from abr.config.address import parse_listen
from abr.config.settings import load_live
from abr.errors import ConfigError

RTMP, OPEN, RTMPS = (
    parse_listen(text) for text in ("rtmp://h/live/hunter2", "rtmp://h/live", "rtmps://h/live/hunter2")
)
PEM = Path("cert.pem")


def test_a_key_in_the_address_is_enough() -> None:
    assert make_access([RTMP], Access()) == Access()
    assert make_access([None], Access()) == Access()


def test_a_file_of_keys_serves_an_address_without_one(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("studio hunter2")
    assert make_access([OPEN], Access(keys)) == Access(keys)
    assert make_access([RTMP], Access(keys)) == Access(keys)


def test_a_private_key_is_sought_in_the_certificates_file() -> None:
    assert make_access([RTMP, RTMPS], Access(None, PEM)) == Access(None, PEM, PEM)
    assert make_access([RTMPS], Access(None, PEM, Path("key.pem"))).private_key == Path("key.pem")


def test_a_channel_file_names_its_files_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_text("studio hunter2")
    channel = tmp_path / "channel.toml"
    channel.write_text(
        'listen = "rtmps://h:8443/live"\nkeys = "keys.txt"\ntls_cert = "cert.pem"\ntls_key = "key.pem"\nto = ["out"]\n'
    )
    access = load_live(channel, {}, {"HOME": str(tmp_path)}).access
    assert access == Access(*(tmp_path / name for name in ("keys.txt", "cert.pem", "key.pem")))


def test_a_mistake_names_the_file_that_it_stands_in(tmp_path: Path) -> None:
    channel = tmp_path / "channel.toml"
    channel.write_text('listen = "rtmp://h/live"\nkeys = "none"\nto = ["out"]\n')
    with pytest.raises(ConfigError, match=r"^keys: .*none' cannot be read: .* \(in channel.toml\)$"):
        load_live(channel, {}, {"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("inputs", "access", "sentence"),
    [
        ([OPEN], Access(), "listen: has no stream key after the application"),
        ([RTMP, OPEN], Access(), "listen: has no stream key"),
        ([None], Access(Path("keys")), "keys: is of use with rtmp:// and rtmps:// only"),
        ([OPEN], Access(Path("/nowhere/keys")), "keys: '/nowhere/keys' cannot be read"),
        ([RTMPS], Access(), "tls_cert: is missing; rtmps:// needs a certificate"),
        ([RTMPS], Access(None, None, PEM), "tls_cert: is missing"),
        ([RTMP], Access(None, PEM), "tls_cert: is of use with rtmps:// only"),
        ([RTMP], Access(None, None, PEM), "tls_key: is of use with rtmps:// only"),
    ],
)
def test_what_does_not_fit_is_told_with_the_cure(inputs: list[object], access: Access, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_access(inputs, access)
    assert str(caught.value).startswith(sentence)
