"""
The cost of a refresh: the seconds and the memory of a server that reads one feed, for feeds of different lengths.

python -m benchmarks.refresh [--osv FOLDER] [--records 24000]

Reads a made-up OSV archive of so many records, one of ten times as many, and the archives ``NAME/all.zip`` of a folder,
if one is given.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
import zipfile
from pathlib import Path

from attrs import frozen

from benchmarks.processes import TWISTD, ask, family_mib, free_port, peak_mib, process

GOAL_MIB = 200
RELEASES = ("16.04:LTS", "18.04:LTS", "20.04:LTS", "22.04:LTS", "24.04:LTS")


@frozen
class Refreshed:
    """The cost of a refresh: the seconds until every list is published; the peak of server and workers, in MiB."""

    name: str
    megabytes: float
    vulnerabilities: int
    seconds: float
    peak_mib: float


def write_archive(path: Path, records: int) -> None:
    """Write a made-up archive in the form of OSV's for Ubuntu: records of the usual length, for five releases."""
    chance = random.Random(1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(records):
            name = f"UBUNTU-CVE-2024-{number:07d}"
            archive.writestr(f"{name}.json", json.dumps(_record(name, number, chance)))


def _record(name: str, number: int, chance: random.Random) -> dict[str, object]:
    return {
        "id": name,
        "upstream": [name.removeprefix("UBUNTU-")],
        "modified": "2024-02-16T00:00:00Z",
        "published": "2024-02-01T00:00:00Z",
        "details": " ".join(f"{chance.getrandbits(40):x}" for _ in range(60)),
        "severity": [{"type": "Ubuntu", "score": "medium"}],
        "affected": [
            {
                "package": {"ecosystem": f"Ubuntu:{release}", "name": f"package-{number * 7919 % 3000}"},
                "ranges": [
                    {
                        "type": "ECOSYSTEM",
                        "events": [{"introduced": "0"}, {"fixed": f"1:{number % 97}.{place}-{number % 5}ubuntu1"}],
                    }
                ],
            }
            for place, release in enumerate(RELEASES)
        ],
    }


def refresh(name: str, path: Path) -> Refreshed:
    """Start a server on an empty folder with an archive as its source, and wait until it serves the whole archive."""
    with tempfile.TemporaryDirectory(prefix="patches-refresh-") as folder:
        config = Path(folder) / "server.toml"
        config.write_text(f'[source.feed]\nkind = "osv"\npath = "{path.resolve()}"\n')
        port = free_port()
        command = [
            *(TWISTD, "--nodaemon", "--pidfile=", f"--logfile={folder}/log", "patches-server", "--no-public-sources"),
            *("--listen", f"tcp:{port}:interface=127.0.0.1", "--state-dir", folder, "--config", str(config)),
        ]
        started = time.perf_counter()
        with process(command, port) as pid:
            counts, family = _wait(port, pid)
            seconds = time.perf_counter() - started
            return Refreshed(name, path.stat().st_size / 1e6, sum(counts), seconds, max(family, peak_mib(pid)))


def _wait(port: int, pid: int) -> tuple[list[int], float]:
    """
    Return the number of vulnerabilities of each platform, once every platform is published.

    :param pid: the server, whose memory is watched with that of its workers; the most is returned, in MiB.
    """
    family = 0.0
    for _ in range(36_000):
        family = max(family, family_mib(pid))
        status, document = ask(port, "GET", "/v1/platforms")
        platforms = document["platforms"] if status == 200 else []
        if isinstance(platforms, list) and platforms and all(each["vulnerabilities"] for each in platforms):
            return [int(each["vulnerabilities"]) for each in platforms], family
        time.sleep(0.1)
    raise RuntimeError("the feed was not read within an hour")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--osv", type=Path, help="a folder with archives NAME/all.zip")
    parser.add_argument("--records", type=int, default=24_000, help="of the made-up archive")
    options = parser.parse_args()
    print("| feed | MB | vulnerabilities | s | peak MiB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="patches-feeds-") as folder:
        made_up = []
        for times in (1, 10):
            path = Path(folder) / f"{times}.zip"
            write_archive(path, times * options.records)
            made_up.append(_print(refresh(f"made up, {times * options.records} records", path)))
        for path in sorted(options.osv.glob("*/all.zip")) if options.osv else ():
            _print(refresh(path.parent.name, path))
    more = made_up[1].peak_mib / made_up[0].peak_mib - 1
    print(f"\nten times the records: {more:+.1%} memory (goal: 10 %); goal of the peak: {GOAL_MIB} MiB")


def _print(result: Refreshed) -> Refreshed:
    print(
        f"| {result.name} | {result.megabytes:.1f} | {result.vulnerabilities} | {result.seconds:.1f} "
        f"| {result.peak_mib:.1f} |",
        flush=True,
    )
    return result


if __name__ == "__main__":
    main()
