"""
Small cases, each a host and a list with its right answer: whole classes of hosts that were told something wrong.

Each case is played from the list's files through the wire format to the outcome of a scan.
"""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock

from patches.interfaces import ISource
from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.host.os_release import detect_platform, system_of
from patches.scanner.outcome import Outcome, Target, Verdict
from patches.scanner.output.exit_codes import exit_code
from patches.scanner.output.fail_on import FailOn
from patches.scanner.output.table import summary
from patches.scanner.scan import scan
from patches.vulnerability import Severity, Vulnerability
from patches.wire import decode_lines, encode_line
from tests.scanner.scripted_client import CannedHTTP, chunk, end, session
from tests.shared_data import shared
from tests.sources.feed_case import LocalCase

CLEAN, FINDINGS = Verdict.CLEAN, Verdict.FINDINGS


@frozen
class Answer:
    """
    The right answer of a case.

    :ivar found: the findings, as names of packages with the fix that is shown.
    :ivar unjudged: the unjudged packages, with a part of the reason.
    """

    platform: str
    found: tuple[tuple[str, str | None], ...] = ()
    unjudged: dict[str, str] = field(factory=dict)


ANSWERS = {
    "amazon-extras-a": Answer("amazon-2"),
    "amazon-extras-blind-a": Answer("amazon-2", unjudged={"kernel": "no records of kernel-5.10"}),
    "deb-backport-kernel-b": Answer("debian-10", (("linux-image-5.10.0-0.deb10.28-arm64", "5.10.216-1~deb10u1"),)),
    "deb-bpo-kernel-b": Answer("debian-12", unjudged={"libreoffice-core": "another track"}),
    "deb-field-name-a": Answer("debian-12", (("libexpat1", "2.5.0-1+deb12u2"),)),
    "deb-half-installed-b": Answer("debian-12", (("libexpat1", "2.5.0-1+deb12u2"),), {"acme-widget": "half-installed"}),
    "deb-source-field-b": Answer("debian-12", (("libexpat1", "2.5.0-1+deb12u2"),)),
    "dpkg-journal-b": Answer("debian-12"),
    "eol-exit-a": Answer("alpine-3.15"),
    "esm-only-fix-a": Answer(
        "ubuntu-16.04", (("libudev1", "229-4ubuntu21.31+esm1"), ("systemd", "229-4ubuntu21.31+esm1"))
    ),
    "kernel-headers-b": Answer("rhel-9"),
    "oracle-ksplice-b": Answer("oracle-8"),
    "oracle-uek-b": Answer("oracle-9"),
    "os-release-openeuler-b": Answer("mageia-9", (("curl", "7.79.1-3.1.mga9"),)),
    "ostree-rpmdb-a": Answer("fedora-43", (("openssl-libs", "1:3.5.2-1.fc43"),)),
    "rhel-eus-a": Answer("rhel-9"),
    "secdb-invalid-a": Answer("alpine-3.20", unjudged={"py3-setuptools": "not valid", "musl": "unknown to the list"}),
    "suse-ltss-a": Answer("sles-15.4", (("curl", "8.0.1-150400.5.62.1"),)),
    "suse-ptf-b": Answer("sles-15.6", unjudged={"openssl-3": "another track"}),
    "suse-ptf-c": Answer("sles-12.3"),
    "third-party-a": Answer("ubuntu-22.04", unjudged={"thunderbird": "from LP-PPA"}),
}


async def everything(source: ISource) -> list[Vulnerability]:
    """Read all lists that a source offers, with the packages that it follows."""
    return [each for offer in await source.offers() async for each in source.listing(offer.key)]


class CaseTests(LocalCase):
    """The cases that come with the shared data."""

    def listed(self, case: Path) -> list[Vulnerability]:
        """Read the list of a case, as its configuration says."""
        if not (case / "server.toml").exists():
            return list(decode_lines((case / "list.ndjson").read_bytes()))
        config = tomllib.loads((case / "server.toml").read_text())
        wanted = frozenset(config["platforms"])
        found = []
        for section in config["source"].values():
            paths = [section["path"]] if isinstance(section["path"], str) else section["path"]
            source = self.made(wanted, **{**section, "path": [str(case / path) for path in paths]})
            found += self.had(everything(source))
        return sorted(found, key=lambda each: each.name)

    def scan(self, case: Path, **target: Any) -> Outcome:
        """Scan the host of a case against its list."""
        body = b"".join(map(encode_line, self.listed(case)))
        http, clock = CannedHTTP(session(), chunk(body), end(body)), Clock()
        settings = ClientSettings(contact=timedelta(0), patience=timedelta(seconds=1))
        client = PatchesClient(http, "http://server", clock, settings, jitter=lambda: 0.0)
        root = case / "root"
        host = Target("case", detect_platform(root), root, system=system_of(root), **target)
        scanning = ensureDeferred(scan(client, host, wall=lambda: 1_790_000_000.0))
        clock.pump([1] * 5)
        return self.successResultOf(scanning)

    def test_each(self) -> None:
        """Each case has its right answer: findings, and packages that are named as unjudged; nothing else is fine."""
        for name, answer in ANSWERS.items():
            outcome = self.scan(shared(f"data/cases/{name}"))
            found = tuple((each.package.name, each.fixed.version) for each in outcome.findings)
            unjudged = {
                **{package.name: reason for package, reason in outcome.coverage.not_covered.items()},
                **{package.name: why[0] for package, why in outcome.coverage.not_evaluated.items()},
            }
            self.assertEqual((outcome.platform, found), (answer.platform, answer.found), name)
            self.assertEqual(unjudged.keys(), answer.unjudged.keys(), name)
            for package, reason in answer.unjudged.items():
                self.assertIn(reason, unjudged[package], name)
            self.assertEqual((outcome.verdict, outcome.unfixed), (FINDINGS if found else CLEAN, ()), name)

    def test_end_of_life(self) -> None:
        """A host without support passes, unless an option says that it fails; the verdict's line says it."""
        outcome = self.scan(shared("data/cases/eol-exit-a"))
        self.assertEqual(exit_code(outcome, FailOn(Severity.UNKNOWN)), 0)
        self.assertEqual(exit_code(outcome, FailOn(Severity.UNKNOWN), fail_on_eol=True), 6)
        self.assertIn("support ended in 2023-11", summary(outcome).splitlines()[0])

    def test_old_kernel(self) -> None:
        """The findings of an old kernel are shown and do not count, unless nothing is known to run."""
        case = shared("data/cases/kernel-old-b")
        for running, counted in (("6.18.44-fc-v657", 0), (None, 1), ("unknown", 1)):
            outcome = self.scan(case, running=running)
            self.assertEqual((len(outcome.findings), len(outcome.counted)), (1, counted), running)
            self.assertIs(outcome.verdict, FINDINGS if counted else CLEAN)
