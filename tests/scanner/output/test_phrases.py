"""The values that the formats share: scores and links."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.cvss import base_score
from patches.scanner.output.phrases import fix_text, links_of, page_of, score_of_finding
from patches.vulnerability import Facts, FixedPackage, Severity
from tests.scanner.sample_outcomes import FINDINGS, record


class PartTests(SynchronousTestCase):
    """The values that the formats share."""

    def test_scores(self) -> None:
        """Scores are those of FIRST's calculators; an invalid vector has no score."""
        for vector, score in {
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H": 9.8,
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H": 10.0,
            "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H": 9.9,
            "CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H": 7.8,
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N": 6.1,
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N": 0.0,
            "AV:N/AC:M/Au:N/C:P/I:P/A:P": 6.8,
            "AV:N/AC:L/Au:N/C:C/I:C/A:C": 10.0,
            "AV:N/AC:L/Au:N/C:N/I:N/A:N": 0.0,
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": 9.3,
            "CVSS:3.1/AV:N": None,
            "CVSS:3.1/": None,
            "high": None,
        }.items():
            self.assertEqual((vector, base_score(vector)), (vector, score))

    @given(st.text())
    def test_any_vector(self, text: str) -> None:
        """Whatever vector a list has, the score is from 0 to 10, or missing."""
        for vector in (text, f"CVSS:3.1/{text}", f"AV:{text}"):
            score = base_score(vector)
            self.assertTrue(score is None or 0 <= score <= 10)

    def test_score_of_finding(self) -> None:
        """A finding has the highest score that its records have for its id: the list's, or else that of a vector."""
        (first, *_), name = FINDINGS[0].records, FINDINGS[0].vulnerability_id
        of_another = evolve(first, facts=(("CVE-1999-0001", Facts(score=9.9)), (name, Facts(score=4.0))))
        for records, score in (
            ([evolve(first, cvss=None, score=None)], None),
            ([evolve(first, cvss=None, score=7.5)], 7.5),
            ([evolve(first, cvss="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", score=None)], 9.8),
            ([of_another], 4.0),
            ([of_another, evolve(first, cvss=None, score=7.5)], 7.5),
        ):
            self.assertEqual(score_of_finding(evolve(FINDINGS[0], records=tuple(records))), score)

    def test_links(self) -> None:
        """Only a web address is a link."""
        good = ["https://example.org/CVE-1?a=b&c=%20#d", "http://[::1]:80/"]
        bad = [
            "",
            "ftp://example.org",
            "javascript:alert(1)",
            "https://exa mple.org",
            "https://e.org/%zz",
            "https://e/[a]",
        ]
        found = [
            evolve(
                FINDINGS[0],
                records=tuple(record(f"CVE-{n}", Severity.LOW, details_href=href) for n, href in enumerate(bad + good)),
            )
        ]
        self.assertEqual(links_of(found), good)

    def test_page(self) -> None:
        """A finding's page is one for people, or else that of its CVE; an id of another kind may have no page."""
        api = [
            "https://api.osv.dev/v1/vulns/CVE-2025-9230",
            "https://access.redhat.com/hydra/rest/securitydata/cve/CVE-2025-9230.json",
            "https://host/api/cves/1",
        ]
        records = tuple(record(f"R-{n}", Severity.LOW, details_href=href) for n, href in enumerate(api))
        only_api = evolve(FINDINGS[0], records=records)
        self.assertEqual(page_of(only_api), "https://nvd.nist.gov/vuln/detail/CVE-2025-9230")
        page = record("R-9", Severity.LOW, details_href="https://ubuntu.com/security/CVE-2025-9230")
        self.assertEqual(page_of(evolve(only_api, records=(*records, page))), page.details_href)
        self.assertEqual(page_of(evolve(only_api, vulnerability_id="XSA-1")), "")

    def test_fix(self) -> None:
        """The text of a fix is its version, or why there is none; a track that is not the main line is named."""
        for fixed, track, text in (
            (FixedPackage("a", "0:1-2"), None, "1-2"),
            (FixedPackage("a", "1-2"), "esm", "1-2 for Ubuntu Pro"),
            (FixedPackage("a", None, last_affected="1"), None, "after 1"),
            (FixedPackage("a", None), None, "no fix yet"),
            (FixedPackage("a", None, status="will_not_fix"), None, "will not fix"),
        ):
            self.assertEqual(fix_text(fixed, track), text)
