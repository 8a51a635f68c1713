"""
Parsing: the speed at which the files of feeds are read, and the memory needed, which must not grow with them.

Each file is generated, in the given size and in a quarter of it, and is read by a process of its own like a source of
its kind, including the regrouping on disk.

.venv/bin/python -m benchmarks.feeds [MEBIBYTES]
"""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import zstandard

from patches.sources.csaf.store import DocumentStore

READ = """
import sys, time
from pathlib import Path
from patches.sources.parse_job import FeedPart, ParseJob
from patches.sources.parsing import parse_job

kind, path, platform = sys.argv[1:]
part = FeedPart("x", (path,), platform)
job = ParseJob(kind, "benchmark", part, (Path(path),), Path(path).parent / "benchmark.regroup")
records = parse_job(job, job.context())
started, found, packages = time.perf_counter(), 0, 0
for vulnerability in records:
    found += 1
    packages += len(vulnerability.fixed_in)
peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
print(found, packages, time.perf_counter() - started, peak)
"""
ARCHES = ("x86_64", "aarch64", "i686", "src")
MIB = 1024 * 1024


def updateinfo() -> Iterator[bytes]:
    """Yield advisories of ten packages for four architectures each, about 5 KiB apiece."""
    package = (
        '<package arch="{}" epoch="1" name="p-{}" release="3.amzn2023" version="2.{}"><filename>f</filename></package>'
    )
    yield b'<?xml version="1.0"?>\n<updates>'
    for number in count():
        packages = "".join(package.format(arch, number % 5000 + p, number) for p in range(10) for arch in ARCHES)
        yield (
            f'<update author="a" from="a" status="final" type="security" version="1"><id>ALAS2023-2023-{number}</id>'
            f'<title>t</title><issued date="2023-02-17 00:50"/><severity>important</severity><description>{"d" * 800}'
            f'</description><references><reference href="https://x.test/{number}" id="CVE-2023-{number + 1000}" '
            f'type="cve"/></references><pkglist><collection short="a">{packages}</collection></pkglist></update>\n'
        ).encode()


def clair_export() -> Iterator[bytes]:
    """Yield entries of five packages for each vulnerability, about 1 KiB apiece."""
    for number in count():
        vulnerability = {
            "name": f"CVE-2023-{number // 5 + 1000}",
            "description": "d" * 300,
            "issued": "2024-01-02T00:00:00Z",
            "links": "https://x.test/a https://x.test/b",
            "normalized_severity": "Medium",
            "package": {"name": f"p-{number % 7919}", "kind": "source"},
            "distribution": {"did": "debian", "version_id": str(10 + number % 4), "pretty_name": "Debian"},
            "fixed_in_version": f"1.{number}-1",
        }
        common = {"Updater": "debian/updater", "Fingerprint": "f" * 64, "Ref": "0-0", "Kind": "vulnerability"}
        yield json.dumps({**common, "Vuln": vulnerability}).encode() + b"\n"


def documents() -> Iterator[tuple[str, bytes]]:
    """Yield VEX documents of 200 packages for two architectures, about 140 KiB apiece."""
    for number in count():
        cve = f"CVE-2023-{number + 1000}"
        keys = [
            (f"p-{p}.{arch}", f"pkg:rpm/redhat/p-{p}@1-{number}.el9?arch={arch}")
            for p in range(200)
            for arch in ARCHES[:2]
        ]
        ids = [f"BaseOS:{key}" for key, _ in keys]
        packages = [
            {"product": {"product_id": key, "product_identification_helper": {"purl": purl}}} for key, purl in keys
        ]
        release = {"product_id": "BaseOS", "product_identification_helper": {"cpe": "cpe:/o:redhat:enterprise_linux:9"}}
        parts = [
            {
                "category": "default_component_of",
                "full_product_name": {"name": f"{key} as a component of BaseOS", "product_id": f"BaseOS:{key}"},
                "product_reference": key,
                "relates_to_product_reference": "BaseOS",
            }
            for key, _ in keys
        ]
        document = {
            "document": {"category": "csaf_vex", "tracking": {"id": cve, "status": "final"}},
            "product_tree": {"branches": [{"product": release}, *packages], "relationships": parts},
            "vulnerabilities": [{"cve": cve, "product_status": {"fixed": ids}}],
        }
        yield f"2023/{cve.lower()}.json", json.dumps(document).encode()


def write_pieces(path: Path, pieces: Iterator[bytes], size: int, end: bytes = b"") -> Path:
    """Write pieces to a compressed file until their total length is reached."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        written = 0
        while written < size:
            written += file.write(next(pieces))
        file.write(end)
    return path


def write_archive(path: Path, size: int) -> Path:
    """Write documents to an archive until their total length is reached."""
    packer = zstandard.ZstdCompressor(level=1)
    with (
        path.open("wb") as raw,
        packer.stream_writer(raw) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        written = 0
        for name, content in documents():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
            written += len(content)
            if written >= size:
                break
    files = path.with_suffix(".documents")
    DocumentStore(path, "made up").keep(files)
    return files


def main() -> None:
    """Measure each kind of feed."""
    mebibytes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    feeds: dict[str, Callable[[Path, int], Path]] = {
        "updateinfo": lambda path, size: write_pieces(path, updateinfo(), size, b"</updates>"),
        "clair-export": lambda path, size: write_pieces(path, clair_export(), size),
        "csaf-vex": write_archive,
    }
    print("kind            MiB  vulnerabilities  packages  seconds  MiB/s  a second  peak MiB")
    with tempfile.TemporaryDirectory() as folder:
        for kind, write in feeds.items():
            for size in (mebibytes // 4, mebibytes):
                path = write(Path(folder, f"{kind}-{size}.packed"), size * MIB)
                command = [sys.executable, "-c", READ, kind, str(path), "amazon-2023"]
                told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
                found, packages, seconds, peak = int(told[0]), int(told[1]), float(told[2]), float(told[3])
                rates = f"{size / seconds:7.1f}{found / seconds:10.0f}"
                print(f"{kind:13}{size:6}{found:17}{packages:10}{seconds:9.1f}{rates}{peak:10.0f}")


if __name__ == "__main__":
    main()
