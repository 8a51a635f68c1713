"""The order of dpkg versions: against dpkg's results, and against the laws of a total order."""

from __future__ import annotations

import random
import shutil
import subprocess
from itertools import pairwise
from unittest import SkipTest

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.versions import InvalidVersion, ordering
from patches.versions.dpkg import sort_key
from tests.shared_data import shared

ALPHABET = "0019aAz~~..+-:"
VALID = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "0:", "1:", "10:"]),
    st.sampled_from("0129"),
    st.text("0019azA~.+", max_size=8),
    st.one_of(st.just(""), st.text("019az~.+", min_size=1, max_size=4).map("-".__add__)),
)


def relation(a: str, b: str) -> str:
    """Return the relation of two versions, as an operator of ``dpkg --compare-versions``."""
    first, second = sort_key(a), sort_key(b)
    return "lt" if first < second else "gt" if first > second else "eq"


def is_valid(version: str) -> bool:
    """Return whether a version has a key."""
    try:
        sort_key(version)
    except InvalidVersion:
        return False
    return True


def random_version(rng: random.Random) -> str:
    """Return a version that is mostly valid, and similar to other generated ones."""
    length = rng.randrange(1, 9)
    return rng.choice("0123") + "".join(rng.choice(ALPHABET) for _ in range(length))


def lines_of(path: str) -> list[list[str]]:
    """Read a table of recorded results."""
    rows = shared(path).read_text("utf-8").splitlines()
    return [row.split("\t") for row in rows if row and not row.startswith("#")]


def refused_by_dpkg(script: str, rows: list[tuple[str, ...]]) -> list[str]:
    """Run a shell command on every row, in one shell. Return the rows at which it failed."""
    if shutil.which("dpkg") is None:
        raise SkipTest("there is no dpkg on this host")
    loop = f'while IFS="|" read -r a op b; do {script} 2>/dev/null || printf "%s|%s|%s\\n" "$a" "$op" "$b"; done'
    text = "".join("|".join(row) + "\n" for row in rows)
    done = subprocess.run(["sh", "-c", loop], input=text, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


class OrderTests(SynchronousTestCase):
    """Versions of Policy 5.6.12 that a plausible mistake compares wrongly."""

    def test_registered(self) -> None:
        """The order is found by the name of its scheme; an unknown scheme has none."""
        self.assertIs(ordering("dpkg"), sort_key)
        self.assertIsNone(ordering("pacman"))

    def test_ascending(self) -> None:
        """Each of these versions is older than the next."""
        ascending = ["1~~", "1~~a", "1~", "1", "1a~b", "1a", "1ab", "1a+", "1a.", "1+", "1.", "1.1", "1.9", "1.10"]
        ascending += ["2", "1:0-~", "1:0", "1:0-1", "1:0-a~", "1:0-a", "1:0-a.", "1:0-+", "1:1-0.1", "1:1.0"]
        ascending += ["2:0", "10:0", "2147483647:0"]
        for older, newer in pairwise(ascending):
            self.assertEqual(relation(older, newer), "lt", (older, newer))

    def test_equal(self) -> None:
        """Leading zeros, a missing number, a missing revision and a missing epoch are each zero."""
        for a, b in [("1.0", "1.00"), ("1a", "1a0"), ("1", "1-0"), ("1", "0:1"), ("1.", "1.0"), ("1-a", "01-a0")]:
            self.assertEqual(relation(a, b), "eq", (a, b))

    def test_long_numbers(self) -> None:
        """Numbers of any length compare by value."""
        numbers = [int("9" * digits) + more for digits in (18, 60, 61, 62, 63, 124, 125, 300) for more in (0, 1)]
        for smaller, greater in pairwise(numbers):
            self.assertEqual(relation(f"1.{smaller}", f"1.{greater}a"), "lt")
            self.assertEqual(relation(f"1.{greater}", f"1.00{greater}"), "eq")

    def test_reason(self) -> None:
        """An invalid version is refused with the version and a reason."""
        error = self.assertRaises(InvalidVersion, sort_key, "v1.0")
        self.assertEqual(error.version, "v1.0")
        self.assertIn("digit", error.reason)

    def test_not_ascii(self) -> None:
        """Digits and letters of other scripts, surrogates and control characters are refused."""
        for version in ("1.\u0664", "1\u00e9", "1\udc80", "1\x00", "1\n", "\u0661:1"):
            self.assertFalse(is_valid(version), version)


class LawTests(SynchronousTestCase):
    """The order is total, for any versions."""

    @given(VALID, VALID, VALID)
    @settings(max_examples=400, deadline=None)
    def test_transitive(self, a: str, b: str, c: str) -> None:
        """Sorting three versions by their keys leaves each pair in order."""
        low, middle, high = sorted((a, b, c), key=sort_key)
        for older, newer in ((low, middle), (middle, high), (low, high)):
            self.assertIn(relation(older, newer), ("lt", "eq"))
            self.assertIn(relation(newer, older), ("gt", "eq"))

    @given(VALID)
    @settings(deadline=None)
    def test_tilde(self, version: str) -> None:
        """Any version becomes older with a tilde appended, and newer with a plus."""
        self.assertEqual(relation(version + "~", version), "lt")
        self.assertEqual(relation(version + "+", version), "gt")


class OracleTests(SynchronousTestCase):
    """dpkg's results, recorded and live."""

    def test_recorded_order(self) -> None:
        """Every recorded comparison has dpkg's result."""
        words = {"<": "lt", "=": "eq", ">": "gt"}
        rows = lines_of("data/oracles/versions-dpkg.tsv")
        wrong = [row[:3] for row in rows if relation(row[0], row[2]) != words[row[1]]]
        self.assertEqual(wrong, [])
        self.assertGreater(len(rows), 9000)

    def test_recorded_validity(self) -> None:
        """Every recorded version is valid exactly if dpkg accepts it."""
        rows = lines_of("data/oracles/validity-dpkg.tsv")
        self.assertEqual([row for row in rows if is_valid(row[0]) != (row[1] == "1")], [])
        self.assertGreater(len(rows), 300)

    def test_live_order(self) -> None:
        """Thousands of random pairs compare as this host's dpkg compares them."""
        rng = random.Random(5612)
        versions = [version for version in (random_version(rng) for _ in range(8000)) if is_valid(version)]
        pairs = [(a, relation(a, b), b) for a, b in zip(versions[::2], versions[1::2], strict=False)]
        self.assertEqual(refused_by_dpkg('dpkg --compare-versions "$a" "$op" "$b"', pairs), [])
        self.assertGreater(len(pairs), 1500)

    def test_live_validity(self) -> None:
        """Random text is a valid version exactly if this host's dpkg accepts it."""
        rng = random.Random(911)
        texts = {"".join(rng.choice(ALPHABET + "_ é") for _ in range(rng.randrange(1, 6))) for _ in range(1500)}
        rows = [(text, "valid" if is_valid(text) else "invalid", "") for text in sorted(texts) if text == text.strip()]
        script = 'r=invalid; dpkg --validate-version -- "$a" && r=valid; [ "$r" = "$op" ]'
        self.assertEqual(refused_by_dpkg(script, rows), [])
