"""Base scores of CVSS vectors; those here are published with their scores in the examples of FIRST."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.cvss import base_score, rating, rating_of
from patches.vulnerability import Severity

SCORES = {
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H": 9.8,
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H": 10.0,
    "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H": 7.8,
    "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N": 7.5,
    "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N": 6.1,
    "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N": 6.4,
    "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N/E:P/RL:O": 3.1,
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N": 0.0,
    "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": 9.3,
    "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H": 10.0,
    "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": 7.3,
    "AV:N/AC:L/Au:N/C:C/I:C/A:C": 10.0,
    "(AV:N/AC:L/Au:N/C:N/I:N/A:C)": 7.8,
    "AV:L/AC:H/Au:N/C:C/I:C/A:C": 6.2,
    "AV:N/AC:L/Au:N/C:N/I:N/A:N": 0.0,
}


class ScoreTests(SynchronousTestCase):
    """Vectors of versions 2 to 4."""

    def test_scores(self) -> None:
        """The score is the published one."""
        self.assertEqual({vector: base_score(vector) for vector in SCORES}, SCORES)

    def test_ratings(self) -> None:
        """The severity follows from the score, on the scale of version 3."""
        words = {9.8: Severity.CRITICAL, 7.8: Severity.HIGH, 6.1: Severity.MEDIUM, 3.1: Severity.LOW}
        for vector, score in SCORES.items():
            self.assertEqual(rating(vector), words.get(score, rating(vector)))
        self.assertEqual(rating("AV:N/AC:L/Au:N/C:N/I:N/A:N"), Severity.NEGLIGIBLE)

    def test_no_score(self) -> None:
        """Text that is not a vector has no score."""
        for vector in ("CVSS:4.0/AV:N/AC:L", "CVSS:5.0/AV:N/AC:L", "", "7.5", "CVSS:3.1/AV:N"):
            self.assertEqual((base_score(vector), rating(vector)), (None, Severity.UNKNOWN))

    def test_no_critical(self) -> None:
        """Version 2 ends with high, as NVD rates it; the others do not."""
        self.assertEqual(rating("AV:N/AC:L/Au:N/C:C/I:C/A:C"), Severity.HIGH)
        self.assertEqual(rating_of(10.0, "CVSS:4.0/AV:N"), Severity.CRITICAL)

    @given(st.text(alphabet="CVS:3.10/AVNLHPRUIa2", max_size=60))
    def test_any_text(self, text: str) -> None:
        """No text raises an error."""
        score = base_score(text)
        self.assertTrue(score is None or 0 <= score <= 10)
