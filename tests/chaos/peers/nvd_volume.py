"""
A server that reads a whole NVD of made-up years beside a list of Debian, and is killed in the middle.

The promise: Debian is served within seconds, the memory of the server stays below its limit and that of the worker
below 64 MiB, however large the years are; a year that was read is not read again after the restart, and in the end the
list of Debian was made with the scores of all years.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.attack import Outcome, program
from tests.chaos.watch import Watch, family_mib
from tests.integration.daemons import Daemon, wait_for
from tests.integration.sample_lists import write_list

FIRST_YEAR = 2002
_READING = re.compile(r"Reading the list (nvdcve-2\.0-\d{4})")
_MOST_WORKER_MIB = 64
_VECTOR = "CVSS:3.1/AV:{}/AC:{}/PR:{}/UI:N/S:U/C:{}/I:{}/A:{}"
_LEVELS = "HLN"


def entry(rng: Random, name: str, padding: list[str]) -> dict[str, Any]:
    """Return a CVE in NVD's form, nearly all of it what is not read."""
    levels = (rng.choice("NAL"), rng.choice("LH"), *(rng.choice(_LEVELS) for _ in range(4)))
    data = {"version": "3.1", "vectorString": _VECTOR.format(*levels), "baseScore": rng.randrange(0, 101) / 10}
    kind, source = ("Primary", "nvd@nist.gov") if rng.random() < 0.8 else ("Secondary", "cna@example.org")
    start = rng.randrange(len(padding))
    matches = [{"vulnerable": True, "criteria": text} for text in padding[start : start + rng.randrange(40, 90)]]
    return {
        "cve": {
            "id": name,
            "sourceIdentifier": "cna@example.org",
            "vulnStatus": "Analyzed",
            "descriptions": [{"lang": lang, "value": padding[start] * 8} for lang in ("en", "es")],
            "metrics": {"cvssMetricV31": [{"source": source, "type": kind, "cvssData": data}]},
            "configurations": [{"nodes": [{"operator": "OR", "negate": False, "cpeMatch": matches}]}],
            "references": [{"url": f"https://example.org/{text}"} for text in padding[start : start + 5]],
        }
    }


def write_year(rng: Random, folder: Path, year: int, size: int) -> tuple[int, int]:
    """Write the file of a year and its ``.meta``. Return the number of its CVEs, and the size of its text in bytes."""
    padding = [f"cpe:2.3:a:vendor{rng.randrange(10**6)}:product:{n}.0:*:*:*:*:*:*:*" for n in range(200)]
    some = [json.dumps(entry(rng, "CVE-0000-0000", padding)) for _ in range(200)]
    count = max(1, size // (sum(map(len, some)) // len(some)))
    digest, written = hashlib.sha256(), 0
    name = f"nvdcve-2.0-{year}"
    with gzip.open(folder / f"{name}.json.gz", "wb", compresslevel=1) as file:
        for text in _texts(some, year, count):
            data = text.encode()
            digest.update(data)
            written += len(data)
            file.write(data)
    (folder / f"{name}.meta").write_text(f"size:{written}\r\nsha256:{digest.hexdigest().upper()}\r\n")
    return count, written


def _texts(some: list[str], year: int, count: int) -> Iterator[str]:
    """Yield the text of a year in pieces."""
    head = {"resultsPerPage": count, "startIndex": 0, "totalResults": count, "format": "NVD_CVE"}
    yield json.dumps(head)[:-1] + ', "vulnerabilities": ['
    for number in range(count):
        each = some[number % len(some)].replace("CVE-0000-0000", f"CVE-{year}-{number:06}")
        yield f",{each}" if number else each
    yield "]}"


def _is_worker(pid: int) -> bool:
    """Return whether a child runs the worker's program; between fork and exec it shares the memory of its parent."""
    try:
        return b"patches.sources.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


class Workers:
    """Samples the memory of the largest child of a process while the block runs."""

    def __init__(self, pid: int) -> None:
        self._pid, self._done = pid, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.peak_mib = 0.0

    def _sample(self) -> None:
        while not self._done.wait(0.05):
            with suppress(OSError):
                tasks = list(Path(f"/proc/{self._pid}/task").iterdir())
                children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
                self.peak_mib = max([self.peak_mib, *map(family_mib, filter(_is_worker, children))])

    def __enter__(self) -> Workers:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._done.set()
        self._thread.join()


def attack(rng: Random, folder: Path, mib: int, years: int, limit: int) -> Outcome:
    """
    Read the years, with a SIGKILL after half of them.

    :param mib: the size of all years together, uncompressed, in MiB.
    :param limit: the memory limit of the server, in MiB.
    """
    folder = folder.absolute()
    (folder / "nvd").mkdir(parents=True)
    sizes = [write_year(rng, folder / "nvd", FIRST_YEAR + n, (mib << 20) // years) for n in range(years)]
    good = write_list(folder / "good.ndjson", 20_000)
    sections = [f'[source.good]\nkind = "ndjson"\npath = "{good}"\n']
    sections.append(f'[source.nvd]\nkind = "nvd"\npath = "{folder / "nvd"}"\n')
    (folder / "server.toml").write_text("\n".join(sections))
    options = ("--config", str(folder / "server.toml"), "--memory-limit", f"{limit}MiB")
    server = Daemon("patches-server", folder / "state", *options)
    peaks, workers, began = [], [], time.monotonic()
    served = 0.0
    try:
        for is_last in (False, True):
            server.start()
            assert server.process is not None
            with Watch(server) as watch, Workers(server.process.pid) as children:
                wait_for(lambda: server.ask("/ready?platform=debian-12")[0] == 200, 60)
                served = served or time.monotonic() - began
                wait_for(lambda: _is_done(server, is_last, years), 3600)  # noqa: B023
            peaks.append(watch.peak_mib)
            workers.append(children.peak_mib)
            if not is_last:
                server.kill()
    finally:
        server.stop()
    seconds = time.monotonic() - began
    times = Counter(_READING.findall(server.text()))
    again = sum(times.values()) - years
    count, size = (sum(each[n] for each in sizes) for n in range(2))
    return Outcome(
        f"server: an NVD of any size within {limit} MiB, its worker within {_MOST_WORKER_MIB}; a year is read once",
        f"{years} years, {count:,} CVEs, {size / 2**30:.2f} GiB of text; SIGKILL after half of them",
        f"{max(peaks):.0f} MiB with the worker, the worker {max(workers):.0f}; {again} year read again",
        max(peaks) <= limit and max(workers) <= _MOST_WORKER_MIB and again <= 1 and served < 20,
        (f"Debian served after {served:.1f} s; all in {seconds:.0f} s, {count / seconds:.0f} CVEs a second",),
    )


def _is_done(server: Daemon, is_last: bool, years: int) -> bool:
    """Return whether half of the years were begun; the last time, whether Debian's list has the scores of all."""
    begun = len(set(_READING.findall(server.text())))
    if not is_last or begun < years:
        return not is_last and begun > years // 2
    (found,) = [each for each in server.ask("/v1/platforms")[1]["platforms"] if each["platform"] == "debian-12"]
    return found.get("enrichments") == ["cvss"]


if __name__ == "__main__":
    program(__doc__, attack, mib=3072, years=25, limit=256)
