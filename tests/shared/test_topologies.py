"""What a URL leads to, on real servers: a cluster, a master that sentinels know, one behind TLS."""

from __future__ import annotations

import datetime
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from redis_proxy import Proxy, Weather
from steps import Member, Members

from wats_accel.shared.clients import client_of
from wats_accel.shared.server import Kept, Missing, Server

PATIENCE = 60.0
SENTINEL = """
sentinel monitor wats 127.0.0.1 {master} 1
sentinel down-after-milliseconds wats 300
sentinel failover-timeout wats 2000
"""
Start = Callable[..., int]


@pytest.fixture
def start(missing: Callable[[str], NoReturn], tmp_path: Path) -> Iterator[Start]:
    """Starts a server with these options; gives its port."""
    if shutil.which("redis-server") is None:
        missing("redis-server")
    started: list[subprocess.Popen[bytes]] = []

    def one(*options: str, plain: bool = True) -> int:
        port = free_port()
        folder = tmp_path / str(port)
        folder.mkdir()
        given = [known.format(port=port, folder=folder) for known in options]
        ports = ["--port", str(port)] if plain else []
        command = ["redis-server", *given, *ports, "--dir", str(folder)]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        until(lambda: listens(port))
        return port

    yield one
    for process in started:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port that also leaves room for the one that a cluster uses besides: 10,000 above."""
    while True:
        with socket.socket() as asked:
            asked.bind(("127.0.0.1", 0))
            port: int = asked.getsockname()[1]
        if port < 55_000:
            return port


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)


def works(url: str) -> None:
    """Everything that is asked of a server is done there."""
    server = Server(client_of(url, timeout_seconds=5.0), prefix="w", tag_seconds=600.0)
    server.warm_up()
    assert server.beat("m", lost_ms=5_000, forgotten_ms=60_000, last=0).names == ("m",)
    names: dict[str, Any] = {"answer": "{w}:a:x", "lease": "{w}:a:x:lease", "tags": ["{w}:t:1"]}
    asked = {**names, "holder": "h", "lease_ms": 1_000, "most_age_ms": 0}
    missing = server.find(**asked)
    assert isinstance(missing, Missing)
    assert missing.is_ours
    kept = {**names, "tables": ["{w}:t:2"], "holder": "h", "missing": missing}
    assert server.keep(**kept, value=b"v", milliseconds=10_000)
    assert isinstance(server.find(**asked), Kept)
    assert server.announce(["{w}:t:2"], b"told", sender="m", nonce="n") == 1
    assert [told.message for told in server.read(0)] == [b"told"]
    assert [told.message for told in server.listen(0, wait_ms=1)[0]] == [b"told"]
    assert isinstance(server.find(**asked), Missing)
    server.leave("m")
    server.close()


def test_a_server(start: Start) -> None:
    works(f"redis://127.0.0.1:{start()}/0")


def test_a_server_with_a_password(start: Start) -> None:
    works(f"redis://:pass%20word@127.0.0.1:{start('--requirepass', 'pass word')}/3")


def test_a_cluster(start: Start) -> None:
    port = start("--cluster-enabled", "yes", "--cluster-config-file", "{folder}/nodes")
    ask("-p", port, "cluster", "addslotsrange", 0, 16_383)
    until(lambda: "cluster_state:ok" in ask("-p", port, "cluster", "info"))
    works(f"redis+cluster://127.0.0.1:{port}")


def test_the_master_that_a_sentinel_knows(start: Start, tmp_path: Path) -> None:
    master = start()
    config = tmp_path / "sentinel.conf"
    config.write_text(f"sentinel monitor wats 127.0.0.1 {master} 1\n")
    sentinel = start(str(config), "--sentinel")
    works(f"redis+sentinel://127.0.0.1:{sentinel}/wats/0")


@pytest.mark.parametrize("lacks", [False, True], ids=["that has all", "that lacks a message"])
def test_a_replica_takes_over(
    start: Start, tmp_path: Path, request: pytest.FixtureRequest, *, lacks: bool
) -> None:
    master = start()
    proxy = Proxy(master)
    replica = start("--replicaof", f"127.0.0.1 {proxy.port}", "--repl-diskless-sync-delay", "0")
    until(lambda: "master_link_status:up" in ask("-p", replica, "info", "replication"))
    config = tmp_path / "sentinel.conf"
    config.write_text(SENTINEL.format(master=master))
    sentinel = start(str(config), "--sentinel")
    until(lambda: "num-slaves\n1\n" in ask("-p", sentinel, "sentinel", "master", "wats"))
    url = f"redis+sentinel://127.0.0.1:{sentinel}/wats/0"
    members = Members(SimpleNamespace(url=url, resume=lambda: None))
    request.addfinalizer(members.close)
    one, other = members.join(), members.join()
    one.step()
    one.drops("users:*")
    other.step()
    assert other.heard.drops == ["users:*"]
    if lacks:
        proxy.be(Weather.SWALLOWED)
    one.drops("groups:*")
    other.step()
    if not lacks:
        until(lambda: ask("-p", replica, "xlen", "{t}:messages") == "2\n")
    ask("-p", master, "shutdown", "nosave", "force", "now")
    proxy.close()
    for member in (one, other):
        until(lambda member=member: connects(member))
    until(lambda: connects(one))
    assert ("everything" in other.heard.drops) is lacks
    one.drops("connections:*")
    other.step()
    assert other.heard.drops[-1] == "connections:*"


def connects(member: Member) -> bool:
    """Whether it is connected after one more step, which may fail, as in its thread."""
    try:
        member.step()
    except Exception as error:
        member.backplane.trouble(type(error).__name__)
        return False
    return member.is_connected


def test_a_server_behind_tls(start: Start, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    files = ("--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file")
    options = ("--port", "0", "--tls-port", "{port}", *files, str(certificate), "--tls-auth-clients", "no")
    port = start(*options, plain=False)
    works(f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}")
    with pytest.raises(Exception, match="certificate verify failed"):
        works(f"rediss://localhost:{port}/0")


def ask(*words: object) -> str:
    return subprocess.run(["redis-cli", *map(str, words)], capture_output=True, text=True, check=True).stdout


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private.write_bytes(key.private_bytes(*pem))
    return certificate, private
