"""Explanations: the records, the compared versions and the rules; and the reason if nothing was compared."""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.client import PatchesClient
from patches.scanner.client.verified_stream import StreamError
from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.explanation import Explanation, explain
from patches.scanner.matching.rules import Rule
from patches.vulnerability import FixedPackage, Severity, Vulnerability
from patches.wire import encode_line
from tests.scanner.scripted_client import CannedHTTP, chunk, end, error, session

SSL = Package("libssl3", "3.0.11-1", "amd64", "openssl", "3.0.11-1")
BASH = Package("bash", "5.2-1", "amd64", "bash", "5.2-1")
HOST = Inventory("dpkg", (SSL, BASH), frozenset({"esm"}))
LIST = (
    Vulnerability("CVE-2024-1111", "debian-12", (FixedPackage("openssl", "3.0.12-1"),), Severity.HIGH, source="debian"),
    Vulnerability("DSA-1-1", "debian-12", (FixedPackage("openssl", "3.0.10-1"),), aliases=("CVE-2024-1111",)),
    Vulnerability("CVE-2024-2222", "debian-12", (FixedPackage("bash", "5.2-1"), FixedPackage("zsh", "9"))),
    Vulnerability("CVE-2024-3333", "debian-12", (FixedPackage("bash", "not valid"),)),
    Vulnerability("CVE-2024-11112", "debian-12", (FixedPackage("openssl", "9"),)),
    Vulnerability("CVE-2024-4444", "debian-12", (FixedPackage("bash", "1", track="esm"), FixedPackage("bash", None))),
)
BODY = b"".join(map(encode_line, LIST))


class ExplanationCase(SynchronousTestCase):
    """A host with two packages."""

    def explain(self, vulnerability_id: str, package: str | None = None) -> Explanation:
        """Return the explanation of a vulnerability."""
        http = CannedHTTP(session(), chunk(BODY), end(BODY))
        stream = PatchesClient(http, "http://server", Clock(), jitter=lambda: 0.0).stream("debian-12")
        return self.successResultOf(ensureDeferred(explain(stream, HOST, vulnerability_id, package)))


class ExplanationTests(ExplanationCase):
    """Questions about a host with two packages."""

    def test_affected(self) -> None:
        """Every record of the vulnerability is returned with its comparison; records of others are not."""
        told = self.explain("CVE-2024-1111")
        rules = [(step.record.name, step.package, step.version, step.rule) for step in told.steps]
        expected = [("CVE-2024-1111", SSL, "3.0.11-1", Rule.BELOW_FIX), ("DSA-1-1", SSL, "3.0.11-1", Rule.FIXED)]
        self.assertEqual((rules, told.affected, told.conclusion), (expected, True, "affected"))

    def test_by_advisory(self) -> None:
        """An advisory can be explained by its own name."""
        self.assertEqual([record.name for record in self.explain("DSA-1-1").records], ["DSA-1-1"])

    def test_not_affected(self) -> None:
        """A package that has the fix is shown with it; one that is not installed is shown as not installed."""
        told = self.explain("CVE-2024-2222")
        self.assertEqual([(step.package, step.rule) for step in told.steps], [(BASH, Rule.FIXED), (None, None)])
        self.assertEqual((told.affected, told.conclusion), (False, "not affected"))

    def test_not_evaluated(self) -> None:
        """A package that could not be judged is not called fine."""
        told = self.explain("CVE-2024-3333")
        self.assertEqual((told.affected, told.conclusion), (None, "not evaluated"))

    def test_track(self) -> None:
        """A fix that another track's fix goes before is shown with the reason why it does not decide."""
        told = self.explain("CVE-2024-4444")
        expected = [(Rule.FIXED, None), (Rule.NO_FIX, "Ubuntu Pro of this host takes precedence")]
        self.assertEqual([(step.rule, step.reason) for step in told.steps], expected)
        self.assertIs(told.affected, False)

    def test_why_not(self) -> None:
        """A missing package, and a package that no record names have different conclusions."""
        for vulnerability_id, package, expected in (
            ("CVE-2024-2222", "zsh", "no package zsh is installed"),
            ("CVE-2024-2222", "libssl3", "the records of CVE-2024-2222 do not name libssl3"),
        ):
            told = self.explain(vulnerability_id, package)
            self.assertEqual((told.affected, told.conclusion), (False, f"not affected: {expected}"))

    def test_unknown(self) -> None:
        """An id that no record has is not known to the list, which does not mean that the host is not affected."""
        told = self.explain("CVE-2020-1")
        expected = (None, "not known to this list: it has no record of CVE-2020-1")
        self.assertEqual((told.affected, told.conclusion), expected)

    def test_case(self) -> None:
        """The id of a CVE may be given in lower case, and with blanks around it."""
        for text in ("cve-2024-1111", " CVE-2024-1111 "):
            self.assertIs(self.explain(text).affected, True)

    def test_package(self) -> None:
        """An explanation can be limited to a package, by its own name or its source's."""
        for package in ("libssl3", "openssl"):
            self.assertEqual(len(self.explain("CVE-2024-1111", package).steps), 2)

    def test_incomplete(self) -> None:
        """A list that is not received whole explains nothing."""
        http = CannedHTTP(error(404, "unknown-platform"))
        stream = PatchesClient(http, "http://server", Clock(), jitter=lambda: 0.0).stream("debian-12")
        self.failureResultOf(ensureDeferred(explain(stream, HOST, "CVE-2024-1111")), StreamError)
