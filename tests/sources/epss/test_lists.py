"""Tests for :mod:`patches.sources.epss.lists`."""

from __future__ import annotations

import io

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.epss.lists import NO_ROW, band_of, parse_epss
from patches.sources.parse_context import ParseContext
from patches.vulnerability import ALL_PLATFORMS, Vulnerability
from tests.shared_data import shared

HEAD = b"#model_version:v2025.03.14,score_date:2026-11-25T00:00:00+0000\ncve,epss,percentile\n"


class EpssTests(SynchronousTestCase):
    """Files of scores."""

    def parse(self, content: bytes) -> tuple[list[Vulnerability], ParseContext]:
        """Parse a file."""
        context = ParseContext("epss")
        return list(parse_epss(io.BytesIO(content), context)), context

    def test_bands(self) -> None:
        """A percentile is kept as its tenth, which it reaches."""
        bands = {"0.73075": 0.7, "0.9": 0.9, "0.89999": 0.8, "0.99999": 0.9, "1": 0.9, "1.00000": 0.9, "0": 0.0}
        odd = {
            "9e-05": 0.0,
            "1.1": None,
            "-0.1": None,
            "": None,
            "nan": None,
            "inf": None,
            "0,5": None,
            "\u0660.\u0665": None,
        }
        for text, band in {**bands, **odd, **{f"0.{tenth}": tenth / 10 for tenth in range(10)}}.items():
            self.assertEqual((text, band_of(text)), (text, band))

    def test_rows(self) -> None:
        """Each row is the band of a CVE, on all platforms; the columns are found by their names."""
        found, context = self.parse(HEAD + b"CVE-1999-0001,0.00383,0.73075\nCVE-1999-0002,0.01328,0.85996\n")
        bands = [("CVE-1999-0001", ALL_PLATFORMS, 0.7), ("CVE-1999-0002", ALL_PLATFORMS, 0.8)]
        self.assertEqual([(each.name, each.platform, each.epss) for each in found], bands)
        self.assertEqual((context.found, context.skipped), (2, {}))
        ((one,), _) = self.parse(b"percentile,cve,epss,more\r\n0.95,CVE-1999-0001,0.1,x\r\n")
        self.assertEqual((one.name, one.epss), ("CVE-1999-0001", 0.9))

    def test_malformed_rows(self) -> None:
        """A row without a CVE or a percentile is skipped, and counted."""
        rows = b"CVE-1999-0001,0.1,high\nCVE-1999-0001\nGHSA-1,0.1,0.2\n\nCVE-1999-0002,0.1,0.2\n"
        found, context = self.parse(HEAD + rows)
        self.assertEqual((len(found), context.skipped, context.found), (1, {NO_ROW: 3}, 4))

    def test_not_scores(self) -> None:
        """Another file, an empty one, one that is cut off, and an endless line are refused."""
        for content in (b"", b"#only\n", b"<html>\n", HEAD + b"CVE-1999-0001,0.1,0.2", HEAD + b"x" * 2000 + b"\n"):
            self.assertRaises(SourceError, self.parse, content)

    def test_real(self) -> None:
        """The published form is read."""
        found, context = self.parse(shared("data/epss/example-1.csv").read_bytes())
        self.assertEqual((len(found), context.skipped), (5, {}))
