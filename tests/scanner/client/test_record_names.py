"""Tests for the quick look at the names in records: it chooses what decoding all of them would choose."""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.record_names import decode_naming
from patches.vulnerability import Vulnerability
from patches.wire import MalformedWire, from_wire, parse_json

INSTALLED = frozenset(("sudo", "bash", "ö"))
RECORD = {
    "name": "CVE-2024-1",
    "affectedPlatform": "debian-12",
    "detailsHref": "",
    "severityRating": 3,
    "fixedInPackages": [{"name": "sudo", "version": "1"}],
}


def decoded_whole(body: bytes, names: Iterable[str]) -> list[Vulnerability]:
    """
    Decode every record of a body, and return those that name a package: what the quick look must not change.

    :raises ValueError: at the first malformed line.
    """
    found = []
    for line in BytesIO(body):
        record = parse_json(line)
        if any(package["name"] in names for package in record["fixedInPackages"]) or "followed" in record:
            found.append(from_wire(record))
    return found


def line(**members: Any) -> bytes:
    """Return the line of a record with other members."""
    return json.dumps({**RECORD, **members}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def about(*names: str) -> bytes:
    """Return the line of a record about packages."""
    return line(fixedInPackages=[{"name": name, "version": None} for name in names])


names = st.sampled_from(["sudo", "bash", "ö", "other", "zsh", "name", "followed"])
#: JSON texts of values that readers see differently, or refuse.
odd_values = st.sampled_from(
    (
        *("NaN", "-Infinity", "1e999", "9" * 30, "9" * 5000, "01", "tru", "-", "1.", '"\\ud800"', '"\\u0061"', '"\\x"'),
        *('{"a":1,"a":2}', '{"name":"sudo"}', '{"fixedInPackages":[]}', '"name"', '"\\"name\\""', '"}\\n{"', "null"),
        *("[" * 2000 + "]" * 2000, "[[1]]", '"a\tb"', '"\u2028"', "true", "{}", '["sudo"]', '""'),
    )
)
members = st.tuples(
    st.sampled_from(
        ["title", "name", "fixedInPackages", "followed", "cvss", "\\u006eame", "fixedIn\\u0050ackages", "kev", "source"]
    ),
    odd_values,
)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Return a line: of an ordinary record, or of one with another member at either end, or damaged."""
    text = about(*draw(st.lists(names, max_size=3))).decode()
    for name, value in draw(st.lists(members, max_size=2)):
        added = f'"{name}":{value}'
        text = f"{{{added},{text[1:]}" if draw(st.booleans()) else f"{text[:-2]},{added}}}\n"
    damage = draw(st.sampled_from(["", "", "", "", "byte", "cut", "blank", "split", "joined", "package"]))
    raw = text.encode()
    position = draw(st.integers(0, len(raw) - 1))
    return {
        "": raw,
        "byte": raw[:position] + b"\xff" + raw[position:],
        "cut": raw[:position],
        "blank": raw + b"\n",
        "split": raw.replace(b",", b",\n", 1),
        "joined": raw[:-1] + b" " + about("other"),
        "package": raw.replace(b'[{"name":', b'[{"name":"sudo","name":', 1),
    }[damage]


class QuickLookTests(SynchronousTestCase):
    """The quick look beside the decoding of everything."""

    @settings(max_examples=400, deadline=None)
    @given(st.lists(lines(), max_size=4))
    def test_same_records(self, parts: list[bytes]) -> None:
        """Where everything can be decoded, the same records come out; none is malformed only in the quick look."""
        body = b"".join(parts)
        try:
            expected = decoded_whole(body, INSTALLED)
        except (ValueError, KeyError, TypeError):
            expected = None
        try:
            found = list(decode_naming(body, INSTALLED))
        except MalformedWire:
            self.assertIsNone(expected)
        else:
            self.assertIn(expected, (found, None))

    @settings(max_examples=400, deadline=None)
    @given(lines())
    def test_same_judgement(self, raw: bytes) -> None:
        """A line that names something installed is refused exactly if it is when everything is decoded."""
        try:
            named = {package["name"] for package in json.loads(raw)["fixedInPackages"]}
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if INSTALLED.isdisjoint(named):
            return
        try:
            expected = decoded_whole(raw, INSTALLED)
        except (ValueError, KeyError, TypeError):
            self.assertRaises(MalformedWire, list, decode_naming(raw, INSTALLED))
        else:
            self.assertEqual(list(decode_naming(raw, INSTALLED)), expected)

    def chosen(self, *parts: bytes) -> list[str]:
        """Return the names of the packages of each record that is chosen."""
        found = decode_naming(b"".join(parts), INSTALLED)
        return [",".join(fixed.name for fixed in each.fixed_in) for each in found]

    def test_chosen(self) -> None:
        """Records about installed packages are chosen, wherever the package is among several; so are followed ones."""
        followed = line(name="!followed", fixedInPackages=[], followed=["zsh"])
        parts = about("other"), about("other", "bash"), about(), followed, about("ö")
        self.assertEqual(self.chosen(*parts), ["other,bash", "", "ö"])
        self.assertEqual(self.chosen(), [])

    def test_every_record(self) -> None:
        """Without names every record is decoded."""
        self.assertEqual(len(list(decode_naming(about("other") + about("sudo"), None))), 2)

    def test_matching_is_decoded_whole(self) -> None:
        """A record about something installed is refused for what is wrong anywhere in it."""
        for malformed in (
            line(severityRating="high"),
            line(fixedInPackages=[{"name": "sudo", "version": 1}]),
            line()[:-2] + b',"title":1,"title":2}\n',
            line()[:-2] + b',"title":NaN}\n',
            line()[:-2] + b',"title":"\xff"}\n',
            line()[:-2] + b',"title":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
        ):
            self.assertRaises(MalformedWire, self.chosen, about("other"), malformed)

    def test_passed_over(self) -> None:
        """A record about nothing installed is refused for what is wrong in its JSON, its UTF-8 or its names."""
        other = about("other")
        for malformed in (
            b"{\n",
            b"\n",
            b"null\n",
            other[:-3] + b"\n",
            other[:-1] + other,
            other.replace(b",", b",\n", 1),
            other[:-2] + b',"title":NaN}\n',
            other[:-2] + b',"title":"\xff"}\n',
            line(fixedInPackages=[{}]),
            line(fixedInPackages=[{"name": 1}]) + b"{",
            line(fixedInPackages=None),
            other.replace(b",", b",\n", 1) + other[:-1] + about("sudo"),
            about("sudo").replace(b",", b",\n", 1) + other[:-1] + other,
            b"\n" + other[:-1] + about("sudo"),
            other[:-1] + b"\n" + other[:-1] + about("sudo") + b"\n",
        ):
            self.assertRaises(MalformedWire, self.chosen, about("sudo"), malformed)
        self.assertEqual(self.chosen(line(fixedInPackages=[{"name": "other"}], severityRating="high")), [])

    def test_unusual(self) -> None:
        """Lines that the quick look cannot read, but are no error, are decoded as before."""
        surrogate = about("other")[:-2] + b',"title":"\\ud800"}\n'
        self.assertEqual(self.chosen(surrogate, about("sudo")), ["sudo"])
        self.assertEqual(self.chosen(about("other"), about("sudo")[:-1]), ["sudo"])
