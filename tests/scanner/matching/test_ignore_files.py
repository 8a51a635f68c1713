"""Files of decisions: a file is read whole or refused with a reason, and each decision expires on its day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching import ignore_files
from patches.scanner.matching.findings import Ignored
from patches.scanner.matching.ignore_files import BadIgnores, parse_ignores, read_ignores
from patches.scanner.matching.ignores import Ignores
from tests.scanner.sample_outcomes import FINDINGS

TODAY = date(2026, 2, 28)
SSL_FLAW, BASH_FLAW, _, _ = FINDINGS
WHOLE = """
[[ignore]]
cve = "CVE-2025-9230"
package = "openssl"
reason = "Not reachable from outside."
expires = 2026-03-01
"""


def entry(**changes: str | None) -> bytes:
    """Return an entry as TOML; members that are ``None`` are omitted."""
    values = {"cve": '"CVE-1"', "reason": '"why"', "expires": "2026-03-01", **changes}
    return "\n".join(["[[ignore]]", *(f"{name} = {text}" for name, text in values.items() if text)]).encode()


class TomlTests(SynchronousTestCase):
    """Our own format."""

    def refusal(self, content: bytes) -> str:
        """Return the error message of an invalid file: one line, with its path."""
        path = Path(self.mktemp())
        path.write_bytes(content)
        text = str(self.assertRaises(BadIgnores, read_ignores, path))
        self.assertNotIn("\n", text)
        self.assertTrue(text.startswith(f"{path}: "), text)
        return text

    def test_entry(self) -> None:
        """An entry may name a vulnerability, a package, or both; the package may be a binary or a source package."""
        both = parse_ignores(WHOLE.encode())
        self.assertEqual(both.of(SSL_FLAW, TODAY), Ignored("Not reachable from outside.", date(2026, 3, 1)))
        self.assertIsNone(both.of(BASH_FLAW, TODAY))
        for text in (
            'cve = "cve-2025-9230"',
            'cve = "CVE-2025-9230 (LDP)"',
            'cve = "DSA-9230-1"',
            'package = "libssl3"',
            'package = "openssl"',
        ):
            one = parse_ignores(f'[[ignore]]\n{text}\nreason = "x"\nexpires = 2026-03-01'.encode())
            self.assertIsNotNone(one.of(SSL_FLAW, TODAY), text)

    def test_expiry(self) -> None:
        """An entry holds until the day on which it expires; on that day the finding counts again."""
        ignores = parse_ignores(WHOLE.encode())
        for day, holds in ((date(2026, 2, 28), True), (date(2026, 3, 1), False), (date(2026, 3, 2), False)):
            self.assertEqual((ignores.of(SSL_FLAW, day) is not None, ignores.expired(day)), (holds, 0 if holds else 1))

    def test_order(self) -> None:
        """If several entries apply, the first valid one provides the reason."""
        ignores = parse_ignores(entry(cve='"CVE-2025-9230"', expires="2026-01-01") + b"\n" + WHOLE.encode())
        ignored = ignores.of(SSL_FLAW, TODAY)
        self.assertEqual((ignored and ignored.reason, ignores.expired(TODAY)), ("Not reachable from outside.", 1))

    def test_nothing(self) -> None:
        """A file without entries has no decisions."""
        self.assertEqual(parse_ignores(b"# none yet\n"), Ignores())

    def test_refused(self) -> None:
        """An error names the entry whose member is missing, misspelt or of a wrong type."""
        for content, said in {
            entry(reason=None): "entry 1: reason is missing",
            entry(reason='" "'): "entry 1: reason must be",
            entry(expires=None): "entry 1: expires is missing",
            entry(expires='"2026-03-01"'): "entry 1: expires must be a date",
            entry(expires="2026-03-01T00:00:00Z"): "entry 1: expires must be a date",
            entry(cve=None): "entry 1: cve or package is missing",
            entry(cve="7"): "entry 1: cve must be",
            entry(justification='"no"'): "entry 1: justification must be one of component_not_present",
            entry(pakage='"bash"'): "entry 1: unknown name 'pakage'",
            entry() + b"\n" + entry(reason=None): "entry 2: reason is missing",
            b"ignores = 1": "unknown name 'ignores'",
            b"ignore = 1": "must be a list of tables",
            b"[ignore]\ncve = 'x'": "must be a list of tables",
            b"cve: x": "not TOML",
            b"\xff": "not TOML",
        }.items():
            self.assertIn(said, self.refusal(content))

    def test_large(self) -> None:
        """A file of our own format, or a VEX document, that is too large is refused, or without memory."""
        entries = entry() + b"\n"
        self.assertIn("larger than 4 MiB", self.refusal(entries * (4 * 1024 * 1024 // len(entries) + 1)))
        self.assertIn("larger than 64 MiB", self.refusal(b"{" + b" " * (64 * 1024 * 1024)))

        def fail(content: bytes) -> Ignores:
            raise MemoryError

        self.patch(ignore_files, "parse_document", fail)
        self.assertIn("there is not enough memory to read the file", self.refusal(b"{}"))

    def test_justification(self) -> None:
        """An entry with one of OpenVEX's justifications says that the host is not affected; without it, a risk."""
        justified = parse_ignores(entry(justification='"component_not_present"')).decisions[0]
        self.assertEqual((justified.status, justified.justification), ("not_affected", "component_not_present"))
        accepted = parse_ignores(entry()).decisions[0]
        self.assertEqual((accepted.status, accepted.justification), ("affected", None))

    def test_no_file(self) -> None:
        """The error of a file that does not exist, or is a folder, contains its path."""
        self.assertIn("there is no such file", str(self.assertRaises(BadIgnores, read_ignores, Path(self.mktemp()))))
        self.assertIn("directory", str(self.assertRaises(BadIgnores, read_ignores, Path())))

    @given(st.binary())
    def test_anything(self, content: bytes) -> None:
        """Whatever a file contains, it is read or refused."""
        try:
            parse_ignores(content)
        except BadIgnores:
            return
