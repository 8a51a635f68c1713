"""CycloneDX documents as files of decisions: which analyses are decisions, about which packages, and why."""

from __future__ import annotations

from datetime import date
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.matching.vex.cyclonedx import JUSTIFIED, VERSIONS, parse_cyclonedx
from patches.scanner.matching.vex.statements import JUSTIFICATIONS, BadVex
from patches.scanner.output.formats import WRITERS
from tests.scanner.matching.vex.samples import BASH_FLAW, SSL_FLAW, SSL_PURL, analysed, bom
from tests.scanner.sample_outcomes import FINDINGS, outcome

TODAY = date(2026, 2, 28)
COMPONENT = {"type": "library", "bom-ref": "ssl", "name": "libssl3", "purl": SSL_PURL}
SERIAL = "3e671687-395b-41f5-a30f-a58921a69b79"


class CycloneDxTests(SynchronousTestCase):
    """The decisions of documents."""

    def ignored(self, *vulnerabilities: Any, of: Finding = SSL_FLAW, **changes: Any) -> Ignored | None:
        """Return the decision of a document about a finding."""
        return parse_cyclonedx(bom(*vulnerabilities, **({"components": [COMPONENT]} | changes))).of(of, TODAY)

    def test_states(self) -> None:
        """Analyses that say "not affected" or "resolved" are decisions; others, and no analysis, are not."""
        for state, expected in {
            "not_affected": "not_affected",
            "false_positive": "not_affected",
            "resolved": "fixed",
            "resolved_with_pedigree": "fixed",
            "exploitable": None,
            "in_triage": None,
        }.items():
            found = self.ignored(analysed("ssl", state=state))
            self.assertEqual((state, found and found.status), (state, expected))
            self.assertIsNone(self.ignored(analysed("ssl", state=state), of=BASH_FLAW))
        self.assertIsNone(self.ignored({"id": "CVE-2025-9230", "affects": [{"ref": "ssl"}]}))
        self.assertIsNone(self.ignored({"id": "CVE-2025-9230", "analysis": {}, "affects": [{"ref": "ssl"}]}))

    def test_references(self) -> None:
        """A component is named by its reference, a link to it in this document, or a purl here or in a link."""
        nested = {"type": "device", "bom-ref": "host", "name": "h", "components": [COMPONENT]}
        quoted = SSL_PURL.replace("?", "%3F")
        for ref in ("ssl", f"urn:cdx:{SERIAL}/1#ssl", SSL_PURL, f"urn:cdx:other/1#{quoted}"):
            self.assertIsNotNone(self.ignored(analysed(ref)), ref)
            self.assertIsNotNone(self.ignored(analysed(ref), components=[nested]), ref)
            self.assertIsNotNone(self.ignored(analysed(ref), components=[], metadata={"component": nested}), ref)
        for ref in ("absent", "urn:cdx:other/1#ssl", "pkg:npm/openssl", "pkg:deb/ubuntu/openssl"):
            self.assertIsNone(self.ignored(analysed(ref)), ref)

    def test_version_of_component(self) -> None:
        """The version of a component holds where its purl has none."""
        bare = {**COMPONENT, "purl": "pkg:deb/debian/libssl3"}
        for version, holds in ((None, True), ("3.0.16-1~deb12u1", True), ("3.0.15-1", False)):
            given = {**bare, "version": version} if version else bare
            self.assertIs(self.ignored(analysed("ssl"), components=[given]) is not None, holds, version)

    def test_versions(self) -> None:
        """An analysis of versions is about them alone; not about unknown ones, and no range is evaluated."""
        purl, this = "pkg:deb/debian/libssl3", "3.0.16-1~deb12u1"
        for versions, holds in (
            ([], True),
            ([{"version": this}], True),
            ([{"version": "1"}, {"version": this, "status": "unaffected"}], True),
            ([{"version": "1"}], False),
            ([{"version": this, "status": "unknown"}], False),
            ([{"range": "vers:deb/>=1|<9"}], False),
        ):
            target = {"ref": purl, "versions": versions}
            self.assertIs(self.ignored(analysed(target)) is not None, holds, versions)
        self.assertIsNotNone(self.ignored(analysed({"ref": "ssl", "versions": [{"version": this}]})))
        self.assertIsNone(self.ignored(analysed({"ref": "ssl", "versions": [{"version": "1", "status": "unknown"}]})))

    def test_justifications(self) -> None:
        """Each keyword is one of OpenVEX's; the reason is the detail, else the keyword, the response, the status."""
        for word, vex in JUSTIFIED.items():
            self.assertIn(vex, JUSTIFICATIONS)
            found = self.ignored(analysed("ssl", analysis={"justification": word, "detail": "Not loaded."}))
            self.assertEqual(found, Ignored("Not loaded.", None, "not_affected", vex))
        for analysis, reason in (
            ({"justification": "code_not_reachable", "response": ["update"]}, "code not reachable"),
            ({"response": ["will_not_fix", "update"]}, "will not fix, update"),
            ({}, "not affected, by VEX"),
        ):
            found = self.ignored(analysed("ssl", analysis=analysis))
            self.assertEqual(found and found.reason, reason)

    def test_later(self) -> None:
        """A later analysis replaces an earlier one; of two with the same time, the one that is open counts."""
        bad = analysed("ssl", state="exploitable")
        self.assertIsNone(self.ignored(analysed("ssl"), bad))
        self.assertIsNone(self.ignored(bad, analysed("ssl")))
        new = {"lastUpdated": "2026-01-02T00:00:00Z", "firstIssued": "2020-01-01T00:00:00Z"}
        self.assertIsNotNone(self.ignored(analysed("ssl", analysis=new), bad))
        told = {"timestamp": "2026-02-01T00:00:00Z"}
        self.assertIsNone(self.ignored(analysed("ssl", analysis=new), bad, metadata=told))

    def test_names(self) -> None:
        """Other ids of a vulnerability are its aliases."""
        named = analysed("ssl", id="GHSA-1", references=[{"id": "CVE-2025-9230", "source": {"name": "NVD"}}])
        self.assertIsNotNone(self.ignored(named))

    def test_unidentified(self) -> None:
        """Decisions about no package that can be identified are counted."""
        told = [analysed("absent"), analysed(), analysed("ssl"), analysed("absent", state="in_triage")]
        found = parse_cyclonedx(bom(*told, components=[COMPONENT]))
        self.assertEqual((len(found.decisions), found.unidentified), (1, 2))

    def test_round_trip(self) -> None:
        """The CycloneDX output of a scan can be the input of the next one: only settled findings are ignored."""
        told = parse_cyclonedx("".join(WRITERS["cyclonedx"](outcome())).encode())
        states = [found and found.status for found in (told.of(each, TODAY) for each in FINDINGS)]
        self.assertEqual(states, [None, None, None, "not_affected"])

    def test_refused(self) -> None:
        """A document of another version, or with an invalid part, is refused in one line that names the part."""
        twice = [COMPONENT, {**COMPONENT, "purl": "pkg:deb/debian/bash"}]
        for content, said in {
            bom(specVersion="1.3"): "CycloneDX 1.3 is not known: only CycloneDX 1.4",
            bom(bomFormat="SPDX"): "SPDX 1.6 is not known",
            bom(analysed("ssl", state="fine")): "vulnerability 1: analysis.state must be one of not_affected",
            bom(analysed("ssl", analysis={"justification": "no"})): "vulnerability 1: analysis.justification",
            bom(analysed("ssl", id="")): "vulnerability 1: id is missing",
            bom(analysed("ssl", analysis={"lastUpdated": "now"})): "vulnerability 1: not a time: 'now'",
            bom(analysed("pkg:")): "vulnerability 1: not a purl: pkg:",
            bom(analysed({"ref": "ssl", "versions": [{"version": "1", "status": "x"}]})): "the status of a version",
            bom(components=twice): "bom-ref 'ssl' is given twice",
            bom(7): "Expected `object`, got `int` - at `$.vulnerabilities[0]`",
        }.items():
            text = str(self.assertRaises(BadVex, parse_cyclonedx, content))
            self.assertIn(said, text)
            self.assertNotIn("\n", text)
        for version in VERSIONS:
            parse_cyclonedx(bom(analysed("ssl"), specVersion=version))
