"""Tests for :mod:`patches.escaping`."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.escaping import escaped_id, escaped_line, escaped_record
from patches.vulnerability import Facts, FixedPackage, Vulnerability
from patches.wire import MalformedWire, encode_line
from tests.control_characters import HARMFUL, harmful_record, harmful_texts

KNOWN = Vulnerability(
    "CVE-2024-1234",
    "debian-12",
    (FixedPackage("curl", "7.88.1-10+deb12u5", introduced="7.0", arches=("amd64",)),),
    details_href="https://security-tracker.debian.org/tracker/CVE-2024-1234",
    aliases=("DSA-1",),
    note="LDP",
)


def texts(value: Any) -> list[str]:
    """Return every text in a value of attrs, except the name of the entry, which is not sent."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for each in value for text in texts(each)]
    if not attrs.has(type(value)):
        return []
    names = [field.name for field in attrs.fields(type(value)) if field.name != "entry"]
    return [text for name in names for text in texts(getattr(value, name))]


class RecordTests(SynchronousTestCase):
    """Records."""

    def test_usual(self) -> None:
        """A record without such characters is returned as it is."""
        self.assertIs(escaped_record(KNOWN), KNOWN)

    @given(harmful_texts)
    def test_every_field(self, text: str) -> None:
        """In whichever field, and in all of them, what cannot be shown is escaped; once is enough."""
        shown = escaped_record(harmful_record(text, KNOWN))
        self.assertEqual([each for each in texts(shown) if not each.isprintable()], [])
        self.assertIs(escaped_record(shown), shown)
        self.assertTrue(encode_line(shown).decode("utf-8").removesuffix("\n").isprintable())

    def test_each_field(self) -> None:
        """A single field that has such a character is found."""
        whole = harmful_record("\x1b", KNOWN)
        for field in attrs.fields(Vulnerability):
            if field.name not in ("severity", "entry", "score", "kev", "epss", "facts"):
                one = attrs.evolve(KNOWN, **{field.name: getattr(whole, field.name)})
                self.assertNotEqual(escaped_record(one), one, field.name)
        for field in attrs.fields(FixedPackage):
            if field.name not in ("kind", "status"):
                package = attrs.evolve(KNOWN.fixed_in[0], **{field.name: getattr(whole.fixed_in[0], field.name)})
                one = attrs.evolve(KNOWN, fixed_in=(package,))
                self.assertNotEqual(escaped_record(one), one, field.name)

    def test_facts(self) -> None:
        """The facts of enriching sources are escaped too."""
        for facts in (Facts(cvss="\x1b"), Facts(severity_source="\u202e")):
            shown = escaped_record(attrs.evolve(KNOWN, facts=(("CVE-2024-1234\x1b", facts),)))
            self.assertEqual([each for each in texts(shown.facts) if not each.isprintable()], [])
            self.assertEqual(shown.facts[0][0], "CVE-2024-1234")

    def test_visible(self) -> None:
        """The escapes are visible, and say which character it was."""
        shown = escaped_record(attrs.evolve(KNOWN, note="a\x1b[2J\u202eb", details_href="https://x\u200b"))
        self.assertEqual((shown.note, shown.details_href), (r"a\x1b[2J\u202eb", r"https://x\u200b"))

    def test_version(self) -> None:
        """A version with such a character is not valid: the package is unreadable, and its note says why."""
        for name in ("version", "introduced", "last_affected"):
            package = attrs.evolve(KNOWN.fixed_in[0], **{name: "1.0\x1b[2J"})
            (shown,) = escaped_record(attrs.evolve(KNOWN, fixed_in=(package,))).fixed_in
            self.assertEqual((shown.status, shown.note), ("unreadable", r"the version 1.0\x1b[2J is not valid"))
            self.assertEqual((shown.version, shown.introduced, shown.last_affected), (None, None, None))


class LineTests(SynchronousTestCase):
    """Lines of lists that are stored already."""

    def test_line(self) -> None:
        """A line is escaped once, however its characters are written; one that can be shown stays as it is."""
        for text in HARMFUL:
            record = harmful_record(text)
            shown = encode_line(escaped_record(record))
            self.assertEqual(escaped_line(encode_line(record)), shown)
            self.assertEqual(escaped_line(shown), shown)
        plain = b'{"affectedPlatform": "debian-12", "name": "CVE-2024-0001"}\n'
        self.assertEqual(escaped_line(plain), plain)
        self.assertRaises(MalformedWire, escaped_line, plain.replace(b"CVE", b"\\u0007CVE"))


class IdTests(SynchronousTestCase):
    """Ids."""

    def test_joined(self) -> None:
        """A CVE or GHSA id stays the id, whatever stands in it or after it; the note has the whole."""
        for text in HARMFUL[:-1]:
            for name in ("CVE-2024-1234", "GHSA-abcd-1234-efgh"):
                for odd in (f"{name}{text}", f"{name} {text}", f"{text[:1]}{name}", f"{name[:6]}\u200b{name[6:]}"):
                    found, note = escaped_id(odd)
                    if found != name:  # letters of the harmful text stand directly at the id
                        self.assertRegex(odd, r"[\w-]")
                        self.assertTrue(found.isprintable())
                    else:
                        self.assertIsNotNone(note)
        self.assertEqual(escaped_id("CVE-2024-1234\x1b[2J"), ("CVE-2024-1234", r"CVE-2024-1234\x1b[2J"))
        self.assertEqual(escaped_id("cve-2024\u200b-1234"), ("CVE-2024-1234", r"cve-2024\u200b-1234"))

    def test_others(self) -> None:
        """Any other id is escaped, and the same one always in the same way."""
        self.assertEqual(escaped_id("ELSA-1\x1b]0;x\x07"), (r"ELSA-1\x1b]0;x\x07", None))
        self.assertEqual(escaped_id("DSA-1"), ("DSA-1", None))

    @given(st.text())
    def test_any(self, text: str) -> None:
        """Whatever it is, the result can be shown."""
        for shown in escaped_id(text):
            self.assertTrue(shown is None or shown.isprintable())
