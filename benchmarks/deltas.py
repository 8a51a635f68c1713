"""
The cost of an update for a scanner that has the previous list: bytes, and the seconds of a scan, by number of changes.

python -m benchmarks.deltas [--records 40000] [--list FILE]

A server serves a made-up list, or a file in the wire format, and a part of its records changes again and again. A host
is scanned each time: without a cached list, with the previous one, and with the current one.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from attrs import evolve, frozen

from benchmarks.processes import ask, free_port, patches_server, peak_mib, process, wait_until_ready, write_list
from patches.wire import decode_lines, encode_line

PATCHES = str(Path(sys.executable).with_name("patches"))
#: One record in this number changes.
PARTS = (1000, 100, 10)


@frozen
class Place:
    """The paths and the port of a run."""

    folder: Path
    port: int

    @property
    def listed(self) -> Path:
        """The file that is served."""
        return self.folder / "list.ndjson"

    def change(self, each: int) -> int:
        """Change the URL of every n-th record. Return the number of changed records."""
        lines = self.listed.read_bytes().splitlines(keepends=True)
        for number in range(0, len(lines), each):
            (record,) = decode_lines(lines[number])
            lines[number] = encode_line(evolve(record, details_href=f"{record.details_href}#{each}"))
        new = self.listed.with_suffix(".new")
        new.write_bytes(b"".join(lines))
        new.replace(self.listed)
        return len(range(0, len(lines), each))

    def revision(self) -> str:
        """Return the current revision."""
        _, document = ask(self.port, "GET", "/v1/platforms")
        (platform,) = document["platforms"]  # type: ignore[attr-defined]
        return str(platform["revision"])

    def sent(self, platform: str, since: str | None) -> tuple[bool, int]:
        """Read what a scanner is sent. Return whether it is a delta, and its length in bytes."""
        _, session = ask(self.port, "POST", "/v1/sessions", {"platform": platform, "since": since})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        size = number = 0
        while True:
            path = f"/v1/sessions/{session['session']}/chunks/{number}"
            connection.request("GET", path, headers={"Accept-Encoding": "gzip", "Prefer": "wait=20"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.getheader("Content-Type") == "application/json":
                return "delta" in session, size
            size, number = size + len(body), number + 1

    def scan(self, cache: Path) -> float:
        """Scan the host. Return the seconds."""
        words = ["--patches-server", f"http://127.0.0.1:{self.port}", "--root", str(self.folder / "host"), "--quiet"]
        words += ["--cache", str(cache), "--format", "json", "--output", str(self.folder / "out.json")]
        started = time.perf_counter()
        subprocess.run([PATCHES, "scan", *words], check=False)
        seconds = time.perf_counter() - started
        verdict = json.loads((self.folder / "out.json").read_text())["verdict"]
        if verdict not in ("clean", "findings"):
            raise RuntimeError(f"the scan is {verdict}")
        return seconds


def write_host(folder: Path, platform: str) -> None:
    """Write the files of a host that has 300 packages."""
    family, _, version = platform.partition("-")
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/os-release").write_text(f'ID={family}\nVERSION_ID="{version}"\n')
    (folder / "var/lib/dpkg").mkdir(parents=True)
    entry = "Package: package-{0}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:50.6-2\n\n"
    (folder / "var/lib/dpkg/status").write_text("".join(entry.format(number) for number in range(300)))


def measure(place: Place, platform: str, each: int) -> str:
    """Change the list. Return a row of the table."""
    before, cache = place.revision(), place.folder / "cache"
    place.scan(cache)
    count = place.change(each)
    started = time.perf_counter()
    while place.revision() == before:
        time.sleep(0.05)
    published = time.perf_counter()
    while not place.sent(platform, before)[0] and time.perf_counter() < published + 20:
        time.sleep(0.05)
    made = time.perf_counter() - published
    delta, size = place.sent(platform, before)
    seconds = place.scan(cache), place.scan(cache), place.scan(place.folder / f"cache-{each}")
    _, whole = place.sent(platform, None)
    what = f"{size} ({size / whole:.1%})" if delta else "the list"
    times = " | ".join(f"{each:.2f}" for each in (published - started, made, seconds[2], seconds[0], seconds[1]))
    return f"| {count} | {whole} | {what} | {times} |"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=40_000, help="of the made-up list")
    parser.add_argument(
        "--list", type=Path, help="a file in the wire format, of one platform of dpkg's, instead of a made-up list"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="patches-deltas-") as name:
        place = Place(Path(name), free_port())
        if options.list:
            place.listed.write_bytes(options.list.read_bytes())
        else:
            write_list(place.listed, options.records)
        with place.listed.open("rb") as file:
            (first,) = decode_lines(file.readline())
        write_host(place.folder / "host", first.platform)
        command = patches_server(place.folder, place.port, place.listed, "--refresh-interval", "1s")
        print(
            "| changes | list, bytes | sent, bytes | published, s | delta, s | scan, s: anew | by delta | unchanged |"
        )
        print("|---|---|---|---|---|---|---|---|")
        with process(command, place.port) as pid:
            wait_until_ready(place.port)
            for each in PARTS:
                print(measure(place, first.platform, each), flush=True)
            print(f"\npeak of the server: {peak_mib(pid):.1f} MiB")


if __name__ == "__main__":
    main()
