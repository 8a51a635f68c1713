"""Tests for :mod:`patches.sources.nvd.parser`."""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.nvd.parser import NO_CVE, NOT_RATED, REJECTED, parse_nvd
from patches.sources.parse_context import ParseContext
from patches.vulnerability import ALL_PLATFORMS, Severity, Vulnerability
from tests.shared_data import shared

HIGH, CRITICAL = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V4, V2 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "AV:N/AC:L/Au:N/C:C/I:C/A:C"
ANALYSTS, SOMEBODY, CISA = "nvd@nist.gov", "security@example.org", "134c704f-9b21-4f2e-91b3-4a467353bcc0"


def metric(source: str, vector: Any, score: Any, kind: str = "Secondary") -> dict[str, Any]:
    """Return a metric."""
    return {"source": source, "type": kind, "cvssData": {"vectorString": vector, "baseScore": score}}


def cve(name: Any = "CVE-2024-0001", status: str = "Analyzed", **metrics: Any) -> dict[str, Any]:
    """Return an entry; the metrics are given as ``v31=[…]``."""
    told = {f"cvssMetric{version.upper()}": found for version, found in metrics.items()}
    unused = {"descriptions": [{"value": "x"}], "references": [{"url": "y"}], "configurations": [{"nodes": []}]}
    return {"cve": {"id": name, "sourceIdentifier": SOMEBODY, "vulnStatus": status, **unused, "metrics": told}}


def document(*entries: Any, total: int | None = None) -> bytes:
    """Return a file in the form of NVD."""
    head = {"resultsPerPage": len(entries), "startIndex": 0, "totalResults": len(entries) if total is None else total}
    return json.dumps({**head, "format": "NVD_CVE", "version": "2.0", "vulnerabilities": entries}).encode()


class NvdCase(SynchronousTestCase):
    """A case that parses files."""

    def parse(self, content: bytes) -> tuple[list[Vulnerability], ParseContext]:
        """Parse a file."""
        context = ParseContext("nvd")
        return list(parse_nvd(io.BytesIO(content), context)), context

    def only(self, **metrics: Any) -> tuple[str | None, float | None, str | None, Severity]:
        """Return what is kept of the only entry of a file."""
        (((found,)), _) = self.parse(document(cve(**metrics)))
        self.assertEqual((found.name, found.platform, found.source), ("CVE-2024-0001", ALL_PLATFORMS, "nvd"))
        return found.cvss, found.score, found.severity_source, found.severity


class MetricTests(NvdCase):
    """The metric that is kept."""

    def test_analysts(self) -> None:
        """NVD's own analysts go before the CNA, in whichever order and version."""
        own, other = metric(ANALYSTS, HIGH, 7.8, "Primary"), metric(SOMEBODY, CRITICAL, 9.8)
        expected = (HIGH, 7.8, "nvd", Severity.HIGH)
        self.assertEqual(self.only(v31=[other, own]), expected)
        self.assertEqual(self.only(v31=[other], v30=[own]), expected)
        old = metric(ANALYSTS, V2, 10.0, "Primary")
        self.assertEqual(self.only(v31=[other], v2=[old]), (V2, 10.0, "nvd", Severity.HIGH))

    def test_cna(self) -> None:
        """Without them the CNA's score counts, which NVD may call primary; then that of others."""
        cna, other = metric(SOMEBODY, CRITICAL, 9.8), metric(CISA, HIGH, 7.8)
        self.assertEqual(self.only(v31=[other, cna])[2:], ("cna", Severity.CRITICAL))
        self.assertEqual(self.only(v31=[metric(SOMEBODY, CRITICAL, 9.8, "Primary")])[2:], ("cna", Severity.CRITICAL))
        self.assertEqual(self.only(v31=[other]), (HIGH, 7.8, "adp", Severity.HIGH))

    def test_versions(self) -> None:
        """Of several versions by the same rater 3.1 is kept, then 3.0, 4.0 and 2.0."""
        metrics = {
            "v31": [metric(SOMEBODY, HIGH, 7.8)],
            "v30": [metric(SOMEBODY, HIGH.replace("3.1", "3.0"), 7.8)],
            "v40": [metric(SOMEBODY, V4, 9.3)],
            "v2": [metric(SOMEBODY, V2, 10.0)],
        }
        kept = []
        while metrics:
            kept.append(self.only(**dict(reversed(metrics.items())))[0])
            del metrics[next(iter(metrics))]
        self.assertEqual(kept, [HIGH, HIGH.replace("3.1", "3.0"), V4, V2])

    def test_score(self) -> None:
        """A score that NVD does not state, or cannot be, is computed from the vector."""
        for score in (None, "7.8", 78, -1, True, {}):
            self.assertEqual(self.only(v31=[metric(ANALYSTS, HIGH, score, "Primary")])[1], 7.8)
        self.assertEqual(self.only(v31=[metric(ANALYSTS, CRITICAL, 10, "Primary")])[1], 10.0)

    def test_no_vector(self) -> None:
        """A metric without a vector of a known version is none."""
        odd = [
            metric(ANALYSTS, each, 7.8, "Primary") for each in (None, 1, "", "CVSS:9.9/AV:N", f"{HIGH}\n", "x" * 300)
        ]
        self.assertEqual(self.only(v31=[*odd, metric(SOMEBODY, HIGH, 7.8)])[2], "cna")


class FileTests(NvdCase):
    """Whole files."""

    def test_skipped(self) -> None:
        """A CVE that is rejected or not rated is skipped, as is what is not a CVE; all are counted."""
        own = [metric(ANALYSTS, HIGH, 7.8, "Primary")]
        entries = (cve(v31=own), cve(status="Rejected", v31=own), cve(), cve(name="x", v31=own), 1, {"cve": []})
        found, context = self.parse(document(*entries))
        self.assertEqual((len(found), context.found, context.claimed), (1, 6, 6))
        self.assertEqual(context.skipped, {REJECTED: 1, NOT_RATED: 1, NO_CVE: 3})

    def test_odd_metrics(self) -> None:
        """Metrics of another form are none."""
        for odd in ([], 1, None, {"cvssMetricV31": {}}, {"cvssMetricV31": [1, {"cvssData": 1}]}):
            entry = cve()
            entry["cve"]["metrics"] = odd
            self.assertEqual(self.parse(document(entry))[1].skipped, {NOT_RATED: 1})

    def test_not_nvd(self) -> None:
        """Another document, and one that is cut off, are refused."""
        whole = document(cve(v31=[metric(ANALYSTS, HIGH, 7.8)]))
        for content in (b"", b"{}", b"[]", b'{"CVE_Items":[]}', whole[:-1], whole[: len(whole) // 2]):
            self.assertRaises(SourceError, self.parse, content)

    def test_real(self) -> None:
        """A published page is read: what is not rated yet is skipped, all else has a rater."""
        found, context = self.parse(shared("data/nvd/full-page.json").read_bytes())
        self.assertEqual((context.found, context.claimed), (38, 38))
        self.assertEqual(len(found) + context.skipped.total(), 38)
        raters = Counter(each.severity_source for each in found)
        self.assertEqual((raters["nvd"], raters.keys()), (24, {"nvd", "cna"}))
        (one,) = [each for each in found if each.name == "CVE-2023-27314"]
        self.assertEqual((one.score, one.severity, one.severity_source), (7.5, Severity.HIGH, "nvd"))
