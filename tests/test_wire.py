"""Tests for :mod:`patches.wire`."""

from __future__ import annotations

import contextlib
import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.vulnerability import KINDS, STATUSES, Facts, FixedPackage, Severity, Vulnerability
from patches.wire import (
    MalformedWire,
    StreamDigest,
    decode_lines,
    digest,
    encode_json,
    encode_line,
    error_document,
    from_wire,
    is_number,
    is_whole,
    parse_repr_digest,
    prefer_wait,
    repr_digest,
    to_wire,
)

#: Any text except lone surrogates, which are not text.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VERSIONS = st.none() | TEXT.filter(bool)
PACKAGES = st.builds(
    FixedPackage,
    name=TEXT,
    version=VERSIONS,
    kind=st.sampled_from(KINDS),
    introduced=VERSIONS,
    status=st.sampled_from(STATUSES),
    arches=st.none() | st.lists(TEXT, max_size=3).map(tuple),
    module=VERSIONS,
    last_affected=VERSIONS,
    track=VERSIONS,
    note=VERSIONS,
)
NAMES = st.none() | st.sampled_from(["nvd", "cna", "debian"])
DATES = st.none() | st.dates().map(lambda day: day.isoformat())
FACTS = st.builds(
    Facts,
    severity=st.sampled_from(Severity),
    severity_source=NAMES,
    cvss=st.none() | TEXT,
    score=st.none() | st.floats(0, 10),
    kev=DATES,
    epss=st.none() | st.floats(0, 1),
)
VULNERABILITIES = st.builds(
    Vulnerability,
    name=TEXT,
    platform=TEXT,
    fixed_in=st.lists(PACKAGES, max_size=3).map(tuple),
    severity=st.sampled_from(Severity),
    details_href=TEXT,
    aliases=st.lists(TEXT, max_size=3).map(tuple),
    source=TEXT,
    published=st.none() | TEXT,
    cvss=st.none() | TEXT,
    severity_source=NAMES,
    score=st.none() | st.floats(0, 10),
    kev=DATES,
    epss=st.none() | st.floats(0, 1),
    facts=st.dictionaries(TEXT, FACTS, max_size=2).map(lambda facts: tuple(facts.items())),
)
SUDO = Vulnerability(
    "CVE-2021-3156",
    "debian-10",
    (FixedPackage("sudo", "1.8.27-1+deb10u3"),),
    Severity.HIGH,
    "https://example.org/CVE-2021-3156",
    ("DSA-4839-1",),
    "debian",
)


class RecordTests(SynchronousTestCase):
    """Vulnerabilities on the wire."""

    @given(st.lists(VULNERABILITIES, max_size=4))
    def test_round(self, records: list[Vulnerability]) -> None:
        """Any record that is encoded is decoded again, and is one line, whatever its values."""
        body = b"".join(map(encode_line, records))
        self.assertEqual(body.count(b"\n"), len(records))
        self.assertEqual(list(decode_lines(body)), records)

    def test_first_names(self) -> None:
        """The first names are those of the first Patches."""
        record = to_wire(SUDO)
        self.assertEqual(
            list(record)[:6],
            ["name", "affectedPackageName", "affectedPlatform", "detailsHref", "severityRating", "fixedInPackages"],
        )
        self.assertEqual((record["affectedPackageName"], record["severityRating"]), ("sudo", 4))
        self.assertEqual(record["fixedInPackages"][0]["version"], "1.8.27-1+deb10u3")

    def test_first_protocol(self) -> None:
        """A record of the first Patches can be decoded: members that were added since are optional."""
        old = {
            "name": "CVE-1",
            "affectedPackageName": "sudo",
            "affectedPlatform": "debian-10",
            "detailsHref": "",
            "severityRating": 0,
            "fixedInPackages": [{"name": "sudo", "version": "1.8"}, {"name": "su", "version": None}],
        }
        packages = FixedPackage("sudo", "1.8"), FixedPackage("su", None, status="affected")
        self.assertEqual(from_wire(old), Vulnerability("CVE-1", "debian-10", packages))

    def test_unknown_names(self) -> None:
        """Unknown members are ignored, at both levels."""
        record = to_wire(SUDO)
        record["fixedInPackages"][0]["colour"] = "red"
        self.assertEqual(from_wire({**record, "colour": "blue"}), SUDO)

    def test_words(self) -> None:
        """The error says in words what is wrong, for the author of a list."""
        record = to_wire(SUDO)
        package = record["fixedInPackages"][0]
        unversioned = {name: value for name, value in package.items() if name != "version"}
        wrong: dict[str, object] = {
            "it has no 'name'": {},
            "it has no 'version'": {**record, "fixedInPackages": [unversioned]},
            "'severityRating' must be a whole number from 0 to 6": {**record, "severityRating": 99},
            "'name' must be a string": {**record, "name": 5},
            "'kind' must be one of source, binary": {**record, "fixedInPackages": [{**package, "kind": "tree"}]},
            "it is not an object with the members of a record": [],
        }
        for words, document in wrong.items():
            with self.assertRaises(MalformedWire) as caught:
                from_wire(document)
            self.assertEqual(str(caught.exception), f"not a vulnerability: {words}")

    def test_malformed(self) -> None:
        """A value that is missing, or has a wrong type, raises a readable error, and no other."""
        record = to_wire(SUDO)
        package = record["fixedInPackages"][0]
        wrong = [None, [], 5, "text", {}, {**record, "severityRating": 99}, {**record, "severityRating": None}]
        wrong += [{**record, name: 5} for name in ("detailsHref", "aliases", "source", "published", "cvss")]
        wrong += [{**record, "aliases": value} for value in ("text", [5], [None], {"a": 1})]
        wrong += [{**record, "name": None}, {**record, "name": 5}, {**record, "affectedPlatform": []}]
        wrong += [{**record, "fixedInPackages": value} for value in (None, 5, [None], ["x"], [{}], [5])]
        for name, value in (
            ("name", 1),
            ("version", 1),
            ("kind", "tree"),
            ("status", "odd"),
            ("arches", 5),
            ("arches", "amd64"),
            ("arches", [5]),
            ("module", 5),
        ):
            wrong.append({**record, "fixedInPackages": [{**package, name: value}]})
        for name in ("name", "affectedPlatform", "detailsHref", "severityRating", "fixedInPackages"):
            wrong.append({key: value for key, value in record.items() if key != name})
        for value in wrong:
            self.assertRaises(MalformedWire, from_wire, value)

    @given(st.recursive(st.none() | st.booleans() | st.floats() | TEXT, lambda inner: st.lists(inner, max_size=3)))
    def test_anything(self, value: object) -> None:
        """Any value in the place of another is accepted or refused, and raises no other error."""
        record = to_wire(SUDO)
        for name in record:
            with contextlib.suppress(MalformedWire):
                from_wire({**record, name: value})

    def test_lines(self) -> None:
        """A line that is not JSON is refused when it is reached."""
        lines = decode_lines(encode_line(SUDO) + b"{\n")
        self.assertEqual(next(lines), SUDO)
        self.assertRaises(MalformedWire, next, lines)
        for body in (b"\n", b"\xff\n", b"[" * 100_000, b"1" * 10_000):
            self.assertRaises(MalformedWire, list, decode_lines(body))

    def test_odd_line_ends(self) -> None:
        """A carriage return or a line separator inside a text does not end a line."""
        odd = Vulnerability("a\r\x0b\x0c\x1c\x85\u2028b", "debian-12")
        self.assertEqual(list(decode_lines(encode_line(odd))), [odd])

    def test_surrogates(self) -> None:
        """A lone surrogate, as a source may have it, survives too."""
        odd = Vulnerability("a\ud800", "debian-12")
        self.assertEqual(list(decode_lines(encode_line(odd))), [odd])

    def test_compact(self) -> None:
        """JSON is compact, in UTF-8, its keys in their given order."""
        self.assertEqual(encode_json({"b": ["ä", 1], "a": None}), '{"b":["ä",1],"a":null}'.encode())

    @given(st.text(st.characters(blacklist_categories=())))
    def test_any_text(self, text: str) -> None:
        """Whatever a text has, its JSON is UTF-8 that can be shown, and means the same text."""
        encoded = encode_json({text: [text]}).decode("utf-8")
        self.assertTrue(encoded.isprintable())
        self.assertEqual(json.loads(encoded), json.loads(json.dumps({text: [text]})))
        self.assertEqual(encode_json("\ud800\x9b\u202e"), b'"\\ud800\\u009b\\u202e"')


class NumberTests(SynchronousTestCase):
    """Numbers of JSON."""

    def test_booleans(self) -> None:
        """``true`` and ``false`` are no numbers, nor is what JSON does not have."""
        for value in (True, False, None, "1", [], float("nan"), float("inf")):
            self.assertFalse(is_whole(value) or is_number(value), value)
        self.assertEqual([is_whole(value) for value in (0, -1, 10**400, 1.0)], [True, True, True, False])
        self.assertEqual([is_number(value) for value in (0, 1.5, 10**400)], [True, True, False])

    def test_severity(self) -> None:
        """A severity is a whole number."""
        for value in (True, False, 1.0, "1", None, 7, -1):
            with self.assertRaisesRegex(MalformedWire, "severityRating"):
                from_wire({**to_wire(Vulnerability("a", "debian-12")), "severityRating": value})


class DigestTests(SynchronousTestCase):
    """Digests of chunks and of streams."""

    def test_stream(self) -> None:
        """A stream's digest is that of the concatenated digests of its chunks."""
        stream = StreamDigest()
        self.assertEqual(stream.hexdigest(), hashlib.sha256(b"").hexdigest())
        for body in (b"a\n", b"b\n"):
            stream.add(digest(body))
        expected = hashlib.sha256(hashlib.sha256(b"a\n").digest() + hashlib.sha256(b"b\n").digest()).hexdigest()
        self.assertEqual(stream.hexdigest(), expected)

    @given(st.binary(min_size=32, max_size=32))
    def test_field(self, value: bytes) -> None:
        """A digest is formatted and parsed as in RFC 9530, even among others."""
        field = repr_digest(value)
        self.assertRegex(field, r"\Asha-256=:[A-Za-z0-9+/]{43}=:\Z")
        self.assertEqual(parse_repr_digest(field), value)
        self.assertEqual(parse_repr_digest(f"sha-512=:AAAA:, {field}"), value)

    def test_no_digest(self) -> None:
        """A field without a SHA-256 digest is refused."""
        short = ("", "sha-256", "sha-256=::", "sha-256=:AAAA:", "sha-256=:A:", "md5=:AAAA:")
        for value in (*short, f"xsha-256=:{'A' * 43}=:", f"sha-256=:{'A' * 43}="):
            self.assertRaises(MalformedWire, parse_repr_digest, value)


class PreferTests(SynchronousTestCase):
    """``Prefer: wait``."""

    def test_table(self) -> None:
        """The seconds are found anywhere in the field; a field that is not understood is zero."""
        table = {"wait=20": 20, "wait = 5": 5, 'wait="7"': 7, "respond-async, wait=3": 3, "a;wait=2": 2, "wait=0": 0}
        table |= {"": 0, "wait": 0, "wait=": 0, "wait=x": 0, "wait=-1": 0, "await=5": 0, "wait=1.5": 1}
        for value, seconds in table.items():
            self.assertEqual((value, prefer_wait(value)), (value, float(seconds)))

    @given(st.text())
    def test_anything(self, value: str) -> None:
        """Any field results in a number of seconds that is not negative."""
        self.assertGreaterEqual(prefer_wait(value), 0.0)


class ErrorTests(SynchronousTestCase):
    """Errors on the wire."""

    def test_document(self) -> None:
        """An error has a code and a message."""
        document = json.loads(encode_json(error_document("queue-full", "too many")))
        self.assertEqual(document, {"error": {"code": "queue-full", "message": "too many"}})
