"""Ranges agree with OSV's own evaluation of their events."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.sources.osv.ranges import Range, ranges_of

Event = dict[str, str]


def affected(*events: Event, **rest: Any) -> dict[str, Any]:
    """Return an element of ``affected``."""
    return {"ranges": [{"type": "ECOSYSTEM", "events": list(events), **rest}]}


def evaluate(events: list[Event], version: int) -> bool:
    """Return whether a version is affected, by OSV's specification, "evaluation"."""
    vulnerable = False
    for event in sorted(events, key=lambda event: int(next(iter(event.values())))):
        ((kind, bound),) = event.items()
        if kind == "introduced" and version >= int(bound):
            vulnerable = True
        elif (kind == "fixed" and version >= int(bound)) or (kind == "last_affected" and version > int(bound)):
            vulnerable = False
    return vulnerable


def holds(bounds: Range, version: int) -> bool:
    """Return whether a version is in a range."""
    return (
        (bounds.introduced is None or int(bounds.introduced) <= version)
        and (bounds.fixed is None or version < int(bounds.fixed))
        and (bounds.last_affected is None or version <= int(bounds.last_affected))
    )


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    """Draw events whose ends are all of one kind, each at a different version, in any order."""
    end = draw(st.sampled_from(["fixed", "last_affected"]))
    numbers = draw(st.lists(st.integers(1, 20), min_size=1, max_size=8, unique=True))
    events = [{draw(st.sampled_from(["introduced", end])): str(number)} for number in numbers]
    return draw(st.permutations([{"introduced": "0"}, *events]))


class RangeTests(SynchronousTestCase):
    """One package."""

    def ranges(self, entry: dict[str, Any], scheme: str = "dpkg") -> list[Range]:
        """Return the ranges."""
        return list(ranges_of(entry, scheme))

    @given(event_lists(), st.integers(0, 22))
    def test_same_verdict(self, events: list[Event], version: int) -> None:
        """A version is in one of the ranges if and only if OSV's evaluation calls it affected."""
        found = self.ranges(affected(*events))
        self.assertEqual(any(holds(bounds, version) for bounds in found), evaluate(events, version))

    def test_bounds(self) -> None:
        """A range may have a start, and either a fix or a last version; several are separate."""
        start = {"introduced": "0"}
        self.assertEqual(self.ranges(affected(start)), [Range()])
        self.assertEqual(self.ranges(affected(start, {"fixed": "2"})), [Range(fixed="2")])
        self.assertEqual(self.ranges(affected(start, {"last_affected": "2"})), [Range(last_affected="2")])
        events = ({"introduced": "10"}, {"fixed": "2"}, {"fixed": "9"}, {"introduced": "3"})
        self.assertEqual(self.ranges(affected(start, *events)), [Range(None, "2"), Range("3", "9"), Range("10")])

    def test_native_order(self) -> None:
        """Events are sorted by the distribution's versions, not as text."""
        events = ({"introduced": "1.10"}, {"fixed": "1.9"}, {"introduced": "1.2"})
        self.assertEqual(self.ranges(affected(*events)), [Range("1.2", "1.9"), Range("1.10")])
        events = ({"introduced": "1_rc1"}, {"fixed": "1"}, {"introduced": "1_alpha"}, {"fixed": "1_beta"})
        self.assertEqual(self.ranges(affected(*events), "apk"), [Range("1_alpha", "1_beta"), Range("1_rc1", "1")])

    def test_never_affected(self) -> None:
        """Fixed in version 0 means that no version was affected, in any order of events."""
        for events in ([{"introduced": "0"}, {"fixed": "0"}], [{"fixed": "0"}, {"introduced": "0"}]):
            self.assertEqual(self.ranges(affected(*events), "apk"), [Range(fixed="0")])

    def test_touching(self) -> None:
        """A range that is fixed and introduced again in one version continues."""
        events = ({"introduced": "0"}, {"fixed": "2"}, {"introduced": "2"}, {"fixed": "3"})
        self.assertEqual(self.ranges(affected(*events)), [Range(None, "2"), Range("2", "3")])

    def test_invalid_versions(self) -> None:
        """A range with a version that the native order refuses cannot be read; others are kept."""
        entry = affected({"introduced": "0"}, {"fixed": "6.6.2p1-r0"})
        entry["ranges"] += affected({"introduced": "0"}, {"fixed": "7-r0"})["ranges"]
        unreadable = Range(problem="the version 6.6.2p1-r0 is not valid")
        self.assertEqual(self.ranges(entry, "apk"), [unreadable, Range(fixed="7-r0")])
        for version, problem in {
            "": "the version is missing",
            "1 2": "the version 1 2 is not valid",
            "1\ud800": "the version 1\\ud800 is not valid",
            "1" * 300: f"the version {'1' * 64} is not valid",
        }.items():
            self.assertEqual(self.ranges(affected({"introduced": version}), "rpm"), [Range(problem=problem)])

    def test_blank(self) -> None:
        """A blank after the epoch, which Azure Linux has, is not part of the version."""
        self.assertEqual(
            self.ranges(affected({"introduced": "0"}, {"fixed": "0: 1.2-1.azl3"}), "rpm"), [Range(fixed="0:1.2-1.azl3")]
        )

    def test_other_kinds(self) -> None:
        """Ranges of commits are ignored beside a range of versions."""
        entry = affected({"introduced": "0"}, {"fixed": "1"})
        entry["ranges"].append({"type": "GIT", "events": [{"introduced": "0"}]})
        self.assertEqual(self.ranges(entry), [Range(fixed="1")])

    def test_no_text(self) -> None:
        """A version that is not a text is not valid."""
        (bounds,) = self.ranges(affected({"introduced": "0"}, {"fixed": 5}))  # type: ignore[dict-item]
        self.assertEqual(bounds.problem, "the version 5 is not valid")

    def test_malformed_beside(self) -> None:
        """A malformed range is not dropped beside one that can be read."""
        entry = affected({"introduced": "0"}, {"fixed": "1"})
        entry["ranges"].append(7)
        first, second = self.ranges(entry)
        self.assertEqual((first, second.problem), (Range(fixed="1"), "its range of versions is malformed"))

    def test_no_ranges(self) -> None:
        """An element without a range of versions cannot be read."""
        start, end = {"introduced": "0"}, {"fixed": "1"}
        for entry in (
            {},
            {"ranges": []},
            {"ranges": "none"},
            {"versions": ["1"]},
            {"ranges": [7]},
            {"ranges": [{"type": "ECOSYSTEM"}]},
            affected(),
            affected(end),
            affected(start, end, type="GIT"),
            affected(start, {"limit": "3"}),
            affected(start, end, {"last_affected": "3"}),
            affected(start, end, 7),  # type: ignore[arg-type]
            affected(start, end, type="ECOSYSTEMS"),
        ):
            (bounds,) = self.ranges(entry)
            self.assertIn("range of versions", bounds.problem or "", entry)
