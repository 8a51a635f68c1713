"""Two servers with one PostgreSQL: if one is killed, its sessions end on the other, which then refreshes the lists."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from unittest import SkipTest
from urllib.request import urlopen

import pytest

from patches.wire import StreamDigest, digest
from tests.integration.daemons import Daemon, wait_for
from tests.integration.loopback import LOOPBACK, URL_HOST
from tests.integration.sample_lists import write_list
from tests.postgresql import PostgreSQL, programs

RECORDS = 12_000
SESSIONS = 8


class Stream:
    """One session as a scanner reads it, with the chunks so far, whichever server sent them."""

    def __init__(self, server: Daemon) -> None:
        status, document = server.ask("/v1/sessions", "POST", {"platform": "debian-12"})
        assert status == 201, document
        self.token, snapshot = document["session"], document["snapshot"]
        self.chunks, self.digest = snapshot["chunks"], snapshot["digest"]
        self.number = 0
        self.read = StreamDigest()

    def resume(self, server: Daemon) -> None:
        """Continue with another server."""
        status, document = server.ask("/v1/sessions", "POST", {"resume": self.token, "chunk": self.number})
        assert status in (200, 201), document
        assert (document["session"], document["snapshot"]["digest"]) == (self.token, self.digest)

    def read_one(self, server: Daemon) -> bool:
        """Read a chunk. Return whether more chunks follow."""
        connection = http.client.HTTPConnection(LOOPBACK, server.port, timeout=60)
        path = f"/v1/sessions/{self.token}/chunks/{self.number}"
        connection.request("GET", path, headers={"Accept-Encoding": "gzip", "Prefer": "wait=20"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status == 202:
            return True
        assert answer.status == 200, body
        if answer.headers["Content-Type"] == "application/json":
            assert json.loads(body)["digest"] == self.digest
            return False
        self.read.add(digest(gzip.decompress(body)))
        self.number += 1
        return True


@pytest.fixture
def cluster() -> Iterator[PostgreSQL]:
    """Start a PostgreSQL that a test can stop and start."""
    try:
        cluster = PostgreSQL(programs())
    except SkipTest as reason:
        pytest.skip(str(reason))
    try:
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def servers(cluster: PostgreSQL, tmp_path: Path) -> Iterator[list[Daemon]]:
    """Start two servers with the same key; the first one is the leader."""
    (tmp_path / "key").write_bytes(b"k" * 32)
    url = cluster.create().render_as_string(hide_password=False)
    options = ["--database", url, "--session-key-file", str(tmp_path / "key"), "--refresh-interval", "2s"]
    options += ["--list", str(write_list(tmp_path / "list", RECORDS))]
    found = [Daemon("patches-server", tmp_path / name, *options) for name in ("first", "second")]
    try:
        for server in found:
            server.start().wait_until_ready()
        yield found
    finally:
        for server in found:
            if server.process is not None:
                server.stop()


def test_one_is_killed(servers: list[Daemon], tmp_path: Path) -> None:
    """The sessions of a killed server end on the other one, which becomes the leader and reads new lists."""
    first, second = servers
    assert [server.metric("patches_refresh_leader") for server in servers] == [1, 0]
    wait_for(lambda: second.ask("/v1/sessions", "POST", {"platform": "amiga-3"})[0] == 404, 30)
    streams = [Stream(first) for _ in range(SESSIONS)]
    assert streams[0].chunks > 4
    for _ in range(streams[0].chunks // 2):
        for stream in streams:
            stream.read_one(first)
    first.kill()
    for stream in streams:
        assert 0 < stream.number < stream.chunks
        stream.resume(second)
    going = streams
    while going:
        going = [stream for stream in going if stream.read_one(second)]
    for stream in streams:
        assert (stream.number, stream.read.hexdigest()) == (stream.chunks, stream.digest)
    wait_for(lambda: second.metric("patches_refresh_leader") == 1, 30)
    write_list(tmp_path / "new", RECORDS + 1).replace(tmp_path / "list")
    wait_for(lambda: vulnerabilities(second) == RECORDS + 1, 60)
    first.start()
    wait_for(lambda: vulnerabilities(first) == RECORDS + 1, 60)
    assert [server.metric("patches_refresh_leader") for server in servers] == [0, 1]
    text = first.text() + second.text()
    assert "Traceback" not in text, text[text.index("Traceback") - 300 :][:6000]


def test_database_restarts(servers: list[Daemon], cluster: PostgreSQL) -> None:
    """
    While PostgreSQL is away what is not in memory is asked for later; afterwards one server leads and all serve.
    """
    first, second = servers
    streams = [Stream(server) for server in servers]
    cluster.stop()
    wanted = {"resume": streams[0].token, "chunk": 0}
    status, document = second.ask("/v1/sessions", "POST", wanted)
    assert status == 201 or (status, document["error"]["code"]) == (503, "catalogue")
    for server in servers:
        wait_for(lambda server=server: server.ask("/ready")[0] == 503, 10)  # type: ignore[misc]
    status, document = second.ask("/v1/vulnerabilities/CVE-1")
    assert (status, document["error"]["code"]) == (503, "catalogue")
    wait_for(lambda: first.metric("patches_refresh_leader") == 0, 30)
    cluster.start()
    for server in servers:
        server.wait_until_ready(10)
    streams[0].resume(second)
    for stream in streams:
        while stream.read_one(second):
            pass
        assert stream.read.hexdigest() == stream.digest
    wait_for(lambda: sum(server.metric("patches_refresh_leader") for server in servers) == 1, 30)
    text = first.text() + second.text()
    assert "Traceback" not in text, text[text.index("Traceback") - 300 :][:6000]


def vulnerabilities(server: Daemon) -> int:
    """Return the number of vulnerabilities that a server serves."""
    with urlopen(f"http://{URL_HOST}:{server.port}/v1/platforms") as answer:
        return sum(each["vulnerabilities"] or 0 for each in json.load(answer)["platforms"])
