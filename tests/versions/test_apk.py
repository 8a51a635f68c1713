"""The order of apk versions: against recorded results of apk, and against the laws of a total order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from patches.versions import apk, ordering
from tests.versions.order_case import OrderCase, lines_of

VALID = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from(["0", "1", "01", "10"]),
    st.lists(st.sampled_from([".0", ".00", ".01", ".1", ".2", ".10"]), max_size=3).map("".join),
    st.sampled_from(["", "", "a", "b"]),
    st.lists(st.sampled_from(["_alpha", "_rc1", "_pre", "_p", "_p2", "_git10", "_hg"]), max_size=2).map("".join),
    st.sampled_from(["", "", "~0", "~0a"]),
    st.sampled_from(["", "-r0", "-r1", "-r10"]),
)


class ApkTests(OrderCase):
    """Versions that a plausible mistake compares wrongly."""

    sort_key = staticmethod(apk.sort_key)

    def test_registered(self) -> None:
        """The order is found by the name of its scheme."""
        self.assertIs(ordering("apk"), apk.sort_key)

    def test_ascending(self) -> None:
        """Suffixes before and after the plain version, revisions, letters, numbers by value."""
        suffixed = ["1_alpha", "1_alpha1", "1_beta", "1_pre", "1_rc", "1_rc1", "1_rc2", "1"]
        self.assert_ascending(
            *suffixed, "1-r0", "1-r2", "1-r10", "1~0a", "1_cvs", "1_svn", "1_git", "1_hg", "1_p", "1_p1"
        )
        self.assert_ascending("1_p1", "1a", "1b", "1.0", "1.01", "1.1", "1.2", "1.10", "2", "10")
        self.assert_ascending("1.2_rc1", "1.2_rc1-r1", "1.2", "1.2-r0", "1.2_git20200101-r0", "1.2.1")

    def test_leading_zero(self) -> None:
        """A number after a dot that has a leading zero is compared as text; the first number never is."""
        self.assert_ascending("1.0", "1.00", "1.010", "1.09", "1.1")
        self.assertEqual(self.relation("01.1", "1.1"), "=")

    def test_invalid(self) -> None:
        """A version that apk refuses is refused, not compared."""
        for version in (
            "",
            "v1",
            "1.",
            "1..2",
            "1a.2",
            "1ab",
            "1_foo",
            "1-r",
            "1-1",
            "1-r1-r2",
            "1~",
            "1~g",
            "6.6.2p1-r0",
            "1A",
        ):
            self.assertFalse(self.is_valid(version), version)
        for version in ("1", "1.2a", "1_p", "1_rc1_p2~0f-r3"):
            self.assertTrue(self.is_valid(version), version)

    @given(st.lists(VALID, max_size=4))
    @settings(max_examples=300, deadline=None)
    def test_total(self, versions: list[str]) -> None:
        """The order is total."""
        self.assert_total(*versions)

    def test_recorded(self) -> None:
        """Thousands of pairs compare as apk recorded."""
        self.assert_recorded("apk", 8000)

    def test_recorded_validity(self) -> None:
        """Every recorded version is valid exactly if apk accepted it."""
        rows = lines_of("data/oracles/validity-apk.tsv")
        self.assertEqual([row for row in rows if self.is_valid(row[0]) != (row[1] == "1")], [])
        self.assertGreater(len(rows), 400)
