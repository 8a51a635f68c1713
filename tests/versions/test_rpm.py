"""The order of rpm versions: against rpm's results, and against the laws of a total order."""

from __future__ import annotations

import random
import shutil
import subprocess
from unittest import SkipTest

from hypothesis import given, settings
from hypothesis import strategies as st

from patches.versions import ordering, rpm
from tests.versions.order_case import OrderCase

ALPHABET = "00199aAzZ~~^^..+_"
VALID = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "0:", "1:", "10:"]),
    st.text("0019azA~^._", min_size=1, max_size=8),
    st.one_of(st.just(""), st.text("019az~^.", min_size=1, max_size=4).map("-".__add__)),
)


def random_version(rng: random.Random) -> str:
    """Return a version that is similar to other generated ones."""
    version = "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(1, 8)))
    release = rng.choice(["", "-1", "-1.el9", f"-{rng.randrange(12)}.el8_{rng.randrange(12)}"])
    return rng.choice(["", "", "0:", "1:", "10:"]) + version + release


class RpmTests(OrderCase):
    """Versions that a plausible mistake compares wrongly."""

    sort_key = staticmethod(rpm.sort_key)

    def test_registered(self) -> None:
        """The order is found by the name of its scheme."""
        self.assertIs(ordering("rpm"), rpm.sort_key)

    def test_ascending(self) -> None:
        """Tilde before the end, caret after it; letters before numbers; numbers by value; the epoch before all."""
        self.assert_ascending("1~~", "1~rc1", "1~rc2", "1", "1^", "1^git1", "1^git2", "1a", "1aa", "1.0", "1.9", "1.10")
        self.assert_ascending("9-9", "1:1-1.el7", "1:1-1.el8", "1:1-1.el8_1", "1:1-2.el8", "2:0", "10:0")

    def test_release(self) -> None:
        """A version without a release is not above any of its releases, nor below an older version."""
        self.assert_ascending("1.0-99", "1.1", "1.1-0", "1.1-1")

    def test_equal(self) -> None:
        """All separators are equal; leading zeros and a missing epoch count as zero."""
        for a, b in (
            ("1.0", "1_0"),
            ("1.0", "1+0"),
            ("1..0", "1.0"),
            ("1.0", "1.00"),
            ("0:1", "1"),
            ("00:1-01", "1-1"),
        ):
            self.assertEqual(self.relation(a, b), "=", (a, b))
        self.assertEqual(self.relation("1.0.", "1.0"), "=")

    def test_invalid(self) -> None:
        """A text that cannot be a package's version is refused."""
        for version in ("", "1:", "1 2", "1:\n", "-1"):
            self.assertFalse(self.is_valid(version), version)

    @given(st.lists(VALID, max_size=4))
    @settings(max_examples=300, deadline=None)
    def test_total(self, versions: list[str]) -> None:
        """The order is total."""
        self.assert_total(*filter(self.is_valid, versions))

    def test_recorded(self) -> None:
        """Thousands of pairs compare as rpm recorded."""
        self.assert_recorded("rpm", 4000)

    def test_live(self) -> None:
        """Thousands of random pairs compare as this machine's rpm compares them."""
        if shutil.which("rpm") is None:
            raise SkipTest("there is no rpm on this host")
        rng = random.Random(4180)
        pairs = [(random_version(rng), random_version(rng)) for _ in range(6000)]
        pairs = [pair for pair in pairs if self.is_valid(pair[0]) and self.is_valid(pair[1])]
        said = self.ask_rpm(pairs)
        wrong = [(a, b, op) for (a, b), op in zip(pairs, said, strict=True) if self.relation(a, b) != op]
        self.assertEqual(wrong, [])
        self.assertGreater(len(pairs), 4000)

    def ask_rpm(self, pairs: list[tuple[str, str]]) -> list[str]:
        """Compare pairs with rpm, in a few calls: each takes a program in Lua, whose size the command line limits."""
        words = {"-1": "<", "0": "=", "1": ">"}
        answers = []
        for start in range(0, len(pairs), 1000):
            calls = "".join(f'print(rpm.vercmp("{a}","{b}").." ")' for a, b in pairs[start : start + 1000])
            command = ["rpm", "--eval", "%{lua:" + calls + "}"]
            answers += subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return [words[answer] for answer in answers]
