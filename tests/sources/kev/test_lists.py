"""Tests for :mod:`patches.sources.kev.lists`."""

from __future__ import annotations

import io
import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.kev.lists import NO_ENTRY, parse_kev
from patches.sources.parse_context import ParseContext
from patches.vulnerability import ALL_PLATFORMS, Vulnerability
from tests.shared_data import shared


def catalogue(*entries: Any, **head: Any) -> bytes:
    """Return a catalogue with these entries."""
    return json.dumps({"title": "CISA Catalog", "count": len(entries), **head, "vulnerabilities": entries}).encode()


def entry(name: Any, date: Any = "2021-11-03") -> dict[str, Any]:
    """Return an entry."""
    return {"cveID": name, "vendorProject": "Sudo", "dateAdded": date, "shortDescription": "Écrit", "cwes": ["CWE-193"]}


class KevTests(SynchronousTestCase):
    """CISA's catalogue."""

    def parse(self, content: bytes) -> tuple[list[Vulnerability], ParseContext]:
        """Parse a catalogue."""
        context = ParseContext("kev")
        return list(parse_kev(io.BytesIO(content), context)), context

    def test_entries(self) -> None:
        """Each entry is the date of a CVE, on all platforms."""
        found, context = self.parse(catalogue(entry("CVE-2021-3156"), entry("CVE-2024-1086", "2024-05-30")))
        dates = [("CVE-2021-3156", ALL_PLATFORMS, "2021-11-03"), ("CVE-2024-1086", ALL_PLATFORMS, "2024-05-30")]
        self.assertEqual([(each.name, each.platform, each.kev) for each in found], dates)
        self.assertEqual((context.found, context.claimed, context.skipped), (2, 2, {}))

    def test_malformed_entries(self) -> None:
        """An entry without a CVE or a date is skipped, and counted."""
        odd = (entry("CVE-2021-1\n"), entry("DSA-1"), entry("CVE-2021-3156", "soon"), entry(None), 1)
        found, context = self.parse(catalogue(*odd, entry("CVE-2021-3156")))
        self.assertEqual((len(found), context.skipped, context.found), (1, {NO_ENTRY: 5}, 6))

    def test_not_the_catalogue(self) -> None:
        """Another document, and one that is cut off, are refused."""
        for content in (b"{}", b"[]", b'{"vulnerabilities":{}}', catalogue(entry("CVE-2021-3156"))[:-3], b"<html>"):
            self.assertRaises(SourceError, self.parse, content)

    def test_real(self) -> None:
        """The published catalogue is read whole."""
        found, context = self.parse(shared("data/kev/known_exploited_vulnerabilities.json").read_bytes())
        self.assertEqual((len(found), context.found, context.claimed, context.skipped), (1404, 1404, 1404, {}))
        self.assertIn(("CVE-2021-3156", "2022-04-06"), [(each.name, each.kev) for each in found])
