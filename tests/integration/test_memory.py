"""The server stays below its memory limit, whatever the size of the list and the behaviour of its clients."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.daemons import Daemon, wait_for
from tests.integration.readers import NeverReads, Reader, read_all
from tests.integration.sample_lists import write_list

LIMIT_MIB = 160


def serve_a_crowd(folder: Path, vulnerabilities: int, window: str = "128KiB") -> float:
    """
    Serve 600 sessions, 250 of which never read. Return the server's peak memory in MiB.

    :param window: what a window may hold. Where it is smaller than either list, both are served in the same way, so
        their peaks can be compared.
    """
    path = write_list(folder / "list.ndjson", vulnerabilities)
    server = Daemon(
        "patches-server",
        folder / "server",
        *("--list", str(path), "--memory-limit", f"{LIMIT_MIB}MiB"),
        *("--window-bytes", window, "--chunk-timeout", "8", "--session-timeout", "4"),
    ).start()
    try:
        server.wait_until_ready()
        silent = [NeverReads(server.port, "debian-12") for _ in range(200)]
        silent += [NeverReads(server.port, "debian-12", pipelined=50) for _ in range(50)]
        readers = [Reader(server.port, "debian-12") for _ in range(350)]
        read_all(readers, 90)
        for reader in readers:
            assert reader.end is not None
            assert reader.end["vulnerabilities"] == vulnerabilities
            assert reader.end["digest"] == reader.stream.hexdigest()
            assert reader.end["chunks"] == reader.number
        wait_for(lambda: server.metric('patches_sessions{platform="debian-12",state="active"}') == 0, 30)
        for client in silent:
            client.socket.close()
        return server.peak_mib()
    finally:
        assert server.stop() == 0


@pytest.fixture(scope="module")
def peaks(tmp_path_factory: pytest.TempPathFactory) -> dict[int, float]:
    """Peak memory by the size of the list."""
    return {size: serve_a_crowd(tmp_path_factory.mktemp(f"list-{size}"), size) for size in (30_000, 120_000)}


def test_peak_below_the_limit(peaks: dict[int, float]) -> None:
    """With 120,000 vulnerabilities and 250 clients that never read, the peak stays below the limit."""
    print(f"peak resident memory: {peaks[120_000]:.1f} MiB of {LIMIT_MIB} MiB")
    assert peaks[120_000] <= LIMIT_MIB


def test_peak_independent_of_the_list(peaks: dict[int, float]) -> None:
    """Four times the vulnerabilities take the same memory, within 10 %."""
    print(f"peak resident memory: 30,000: {peaks[30_000]:.1f} MiB; 120,000: {peaks[120_000]:.1f} MiB")
    assert peaks[120_000] <= 1.1 * peaks[30_000]
    assert peaks[30_000] <= 1.1 * peaks[120_000]


def test_whole_list(tmp_path: Path) -> None:
    """A window that holds the whole list stays below the limit, too; clients that never read delay nobody."""
    peak = serve_a_crowd(tmp_path, 100_000, "32MiB")
    print(f"peak resident memory, with the whole list in the window: {peak:.1f} MiB of {LIMIT_MIB} MiB")
    assert peak <= LIMIT_MIB
