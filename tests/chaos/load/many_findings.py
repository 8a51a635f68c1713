"""
A host with many packages and findings, and a list of many records: the peak memory of ``patches scan`` in each format.

The promise: at most 64 MiB, and 1 KiB for each finding.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from attrs import frozen

from patches.scanner.output.formats import FORMATS
from patches.server.catalogue.chunks import Chunk, cut_chunks
from patches.vulnerability import FixedPackage, Severity, Vulnerability
from patches.wire import StreamDigest, encode_line, repr_digest, rfc3339
from tests.chaos.attack import Outcome, program
from tests.chaos.measured import run_measured
from tests.chaos.peers.scripted_server import Request, ScriptedServer, document, response
from tests.integration.daemons import PATCHES
from tests.integration.sample_host import write_host

PLATFORM = "debian-12"
BASE_MIB, FINDING_MIB = 64, 1 / 1024


def attack(
    rng: Random, folder: Path, vulnerabilities: int, packages: int, findings: int, formats: Iterable[str] = FORMATS
) -> list[Outcome]:
    """Scan the host in each format, with a reporter that takes the report."""
    root = write_host(folder / "host", "debian", "12", {f"package-{n}": "1.0-1" for n in range(packages)})
    chunks = list(cut_chunks(lines(rng, vulnerabilities, packages, findings)))
    most = BASE_MIB + findings * FINDING_MIB
    outcomes = []
    with ScriptedServer(ListServer(chunks).answer) as server:
        for form in formats:
            command = [PATCHES, "scan", "--patches-server", server.url, "--root", root.resolve(), "--format", form]
            command += ["--output", "out", "--reporter", f"{server.url}/reports", "--state-dir", "state"]
            ran = run_measured(command, folder / form, 3600)
            size = (folder / form / "out").stat().st_size / (1 << 20)
            outcomes.append(
                Outcome(
                    f"scanner: resident ≤ 64 MiB + 1 KiB a finding = {most:.0f} MiB, {form}",
                    f"{vulnerabilities:,} records, {packages:,} packages, {findings:,} findings",
                    f"{ran.peak_mib:.0f} MiB",
                    ran.peak_mib <= most and ran.code == bool(findings),
                    (
                        f"{ran.seconds:.1f} s, exit code {ran.code}, document {size:.1f} MiB",
                        *ran.output.splitlines()[:3],
                    ),
                )
            )
    return outcomes


def lines(rng: Random, vulnerabilities: int, packages: int, findings: int) -> Iterator[bytes]:
    """Yield the lines of a list that affects packages of the host so many times."""
    for number in range(vulnerabilities):
        found = number * findings // vulnerabilities != (number + 1) * findings // vulnerabilities
        name = f"package-{rng.randrange(packages)}"
        version = f"1.0-{rng.randrange(2, 100)}" if found else "0.9-1"
        yield encode_line(
            Vulnerability(
                f"CVE-2024-{number:07}",
                PLATFORM,
                (FixedPackage(name, version),),
                Severity(rng.randrange(7)),
                f"https://security-tracker.debian.org/tracker/CVE-2024-{number:07}",
                source="debian-tracker",
                cvss=f"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:{rng.choice('NLH')}/I:{rng.choice('NLH')}/A:H",
                published=f"2024-{rng.randrange(1, 13):02}-{rng.randrange(1, 28):02}T00:00:00Z",
            )
        )


@frozen
class ListServer:
    """An honest server of one list, which is also the reporter."""

    chunks: list[Chunk]

    def answer(self, request: Request) -> Iterable[bytes]:
        """Return a response."""
        if request.path == "/reports":
            return [document(200, {})]
        whole = StreamDigest()
        for each in self.chunks:
            whole.add(each.digest)
        told = {
            "revision": "r1",
            "created": "2026-01-01T00:00:00Z",
            "vulnerabilities": sum(each.vulnerabilities for each in self.chunks),
            "chunks": len(self.chunks),
            "bytes": sum(each.body_bytes for each in self.chunks),
            "digest": whole.hexdigest(),
        }
        if request.method == "POST":
            session = {"session": "s", "platform": json.loads(request.body)["platform"], "state": "active"}
            return [document(201, {**session, "snapshot": {**told, "checked": rfc3339(time.time())}})]
        number = int(request.path.rpartition("/")[2])
        if number == len(self.chunks):
            return [document(200, {**told, "finished": True})]
        return [_sent(self.chunks[number])]


def _sent(chunk: Chunk) -> bytes:
    digests = {"Repr_Digest": repr_digest(chunk.digest), "Content_Encoding": "gzip"}
    return response(200, chunk.encoded, "application/x-ndjson", **digests)


if __name__ == "__main__":
    program(__doc__, attack, vulnerabilities=1_000_000, packages=5_000, findings=125_000)
