"""``patches scan`` but for the scan itself: what is written where, and with which exit code it ends."""

from __future__ import annotations

import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from patches.console import scan as command
from patches.scanner.exit_codes import EXPLAINED, exit_code
from patches.scanner.ignore_files import BadIgnores
from patches.scanner.options import ONCE_SETTINGS, SCAN_SETTINGS, Options, policy_of, severity_limit, target_of
from patches.scanner.outcome import Outcome, Verdict
from patches.scanner.screen import Screen
from patches.scanner.whole_file import Unwritable, WholeFile
from patches.settings import BadSetting, resolve
from patches.vulnerability import Severity
from tests.integration.hosts import write_host
from tests.scanner.outcomes import failed, outcome


class ExitCodeTests(SynchronousTestCase):
    """The exit code."""

    def code(self, limit: str, **changes: Any) -> int:
        """Give the exit code of an outcome whose findings that count are high and medium."""
        return exit_code(outcome(**changes), severity_limit(limit))

    def test_limit(self) -> None:
        """A finding as severe as the limit, or more, gives 1; what is ignored never does."""
        for limit, code in {"unknown": 1, "medium": 1, "high": 1, "critical": 0, "urgent": 0, "never": 0}.items():
            self.assertEqual((limit, self.code(limit)), (limit, code))
        self.assertEqual(self.code("unknown", findings=outcome().findings[2:]), 0)

    def test_unfixed(self) -> None:
        """What has no fix counts only where it is shown."""
        for shown, code in ((False, 0), (True, 1)):
            self.assertEqual(self.code("unknown", findings=(), with_unfixed=shown), code)
        self.assertEqual(self.code("low", findings=(), with_unfixed=True), 0)

    def test_not_done(self) -> None:
        """A scan that did not compare everything has a code of its own, whatever it found and whatever the limit is."""
        codes = {Verdict.INCOMPLETE: 3, Verdict.STALE: 3, Verdict.UNSUPPORTED: 4, Verdict.ERROR: 5}
        for verdict, code in codes.items():
            self.assertEqual({self.code(limit, verdict=verdict) for limit in ("unknown", "never")}, {code})

    def test_explained(self) -> None:
        """Every code is in the help, and on the page."""
        page = (Path(__file__).parents[2] / "docs/reference/exit-codes.rst").read_text()
        shown = CliRunner().invoke(command, ["--help"]).output
        for code in (0, 1, 2, 3, 4, 5, 130):
            self.assertIn(f" {code} ", EXPLAINED)
            self.assertIn(f"* - {code}\n", page)
            self.assertRegex(shown, rf"\b{code}\s")


class WholeFileTests(SynchronousTestCase):
    """A file that is written whole or not at all."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.path = self.folder / "out.json"

    def test_put(self) -> None:
        """It has its new content, and nothing else is in the folder."""
        self.path.write_text("old")
        with WholeFile.at(self.path) as file:
            self.assertEqual(self.path.read_text(), "old")
            file.put("new")
        self.assertEqual(self.path.read_text(), "new")
        self.assertEqual(os.listdir(self.folder), ["out.json"])

    def test_given_up(self) -> None:
        """If nothing was put, what was there stays, and nothing is left."""
        self.path.write_text("old")
        with self.assertRaises(KeyError), WholeFile.at(self.path):
            raise KeyError
        self.assertEqual((self.path.read_text(), os.listdir(self.folder)), ("old", ["out.json"]))

    def test_link(self) -> None:
        """A link stays a link; what it points to is replaced."""
        (self.folder / "link").symlink_to("out.json")
        with WholeFile.at(self.folder / "link") as file:
            file.put("new")
        self.assertTrue((self.folder / "link").is_symlink())
        self.assertEqual(self.path.read_text(), "new")

    def test_unwritable(self) -> None:
        """What cannot be written is known at once, in a line: no such folder, a folder, a device."""
        for path in (self.folder / "none/x", self.folder, Path("/dev/null"), self.folder / ("x" * 300)):
            text = str(self.assertRaises(Unwritable, WholeFile.at, path))
            self.assertTrue(text.startswith(f"{path}: "), text)
        self.assertFalse(Path("/dev/null").is_file())


class ScreenTests(SynchronousTestCase):
    """What is said where."""

    def said(self, screen: Screen, of: Outcome) -> tuple[str, str]:
        """Show an outcome, and a note; give standard output and standard error."""
        output, errors = StringIO(), StringIO()
        with redirect_stdout(output), redirect_stderr(errors):
            with screen.progress("Scanning") as watch:
                watch(None)  # type: ignore[arg-type]
            screen.show(of)
            screen.note("[a note]")
        return output.getvalue(), errors.getvalue()

    def test_document_only(self) -> None:
        """On standard output there is the document and nothing else; notes are on standard error."""
        for form in ("json", "sarif", "cyclonedx", "openvex"):
            output, errors = self.said(Screen(form), outcome())
            self.assertIsInstance(json.loads(output), dict)
            self.assertTrue(output.endswith("}\n"))
            self.assertEqual(errors, "[a note]\n")

    def test_quiet(self) -> None:
        """Quiet is without notes; what went wrong is said all the same."""
        output, errors = self.said(Screen("table", quiet=True), outcome())
        self.assertEqual(("CVE-2025-9230" in output, errors), (True, ""))
        errors_too = StringIO()
        with redirect_stderr(errors_too):
            Screen(quiet=True).complain("it broke")
        self.assertEqual(errors_too.getvalue(), "Error: it broke\n")

    def test_progress(self) -> None:
        """How far a scan is, is shown on a terminal; not where there is none, and not if it is to be quiet."""
        before = dict(os.environ)
        self.addCleanup(os.environ.update, before)
        os.environ["TERM"] = "xterm"
        stream = SimpleNamespace(served=7, snapshot={"vulnerabilities": 19})
        for quiet, shown in ((False, True), (True, False)):
            primary, secondary = os.openpty()
            with open(primary, "rb") as terminal, open(secondary, "w") as errors, redirect_stderr(errors):
                with Screen(quiet=quiet).progress("Scanning web-1") as watch:
                    watch(stream)  # type: ignore[arg-type]
                errors.write("end")
                errors.flush()
                seen = b""
                while not seen.endswith(b"end"):
                    seen += os.read(terminal.fileno(), 65536)
            self.assertEqual(b"7 of 19 vulnerabilities" in seen, shown)

    def test_file(self) -> None:
        """With a file there is nothing on standard output; a table in it has no colours."""
        for form in ("table", "json"):
            path = Path(self.mktemp())
            with WholeFile.at(path) as file:
                output, _ = self.said(Screen(form, file, verbose=True), outcome())
            text = path.read_text()
            self.assertEqual((output, "\x1b" in text, "CVE-2025-9230" in text), ("", False, True))
        self.assertEqual(json.loads(text)["verdict"], "findings")

    def test_closed(self) -> None:
        """A reader that went away is an error in one line."""
        with open("/dev/full", "w") as full:
            self.patch(sys, "stdout", full)
            self.assertRaisesRegex(Unwritable, "standard output: ", Screen("json").show, failed())
            self.patch(sys, "stdout", sys.__stdout__)
            with self.assertRaises(OSError):
                full.close()


class OptionTests(SynchronousTestCase):
    """From options to what is scanned, and what is thought of it."""

    def values(self, **given: str) -> dict[str, Any]:
        """Resolve options; underscores in names become hyphens."""
        return resolve(ONCE_SETTINGS, {name.replace("_", "-"): text for name, text in given.items()})

    def test_policy(self) -> None:
        """Age and what is shown come from the options; nothing is ignored without a file."""
        policy = policy_of(self.values(max_age="2d", include_unfixed="true"))
        self.assertEqual((policy.max_age and policy.max_age.days, policy.with_unfixed), (2, True))
        self.assertEqual(policy.ignores.decisions, ())
        default = policy_of(self.values())
        self.assertEqual((default.max_age and default.max_age.days, default.with_unfixed), (7, False))
        self.assertRaises(BadIgnores, policy_of, self.values(ignore=self.mktemp()))

    def test_channels(self) -> None:
        """Channels that are given override what the files tell; ``none`` is no channel."""
        for text, channels in {"esm": {"esm"}, "esm, fips": {"esm", "fips"}, "none": set()}.items():
            self.assertEqual(target_of(self.values(platform="debian-12", channel=text)).channels, channels)
        self.assertIsNone(target_of(self.values(platform="debian-12")).channels)
        for text in ("", ",", "none,esm", "a b"):
            self.assertRaises(BadSetting, self.values, channel=text)

    def test_limits(self) -> None:
        """A limit is a severity, or never."""
        self.assertEqual((severity_limit("high"), severity_limit("never")), (Severity.HIGH, None))
        self.assertRaises(BadSetting, self.values, fail_on="7")

    def test_daemon(self) -> None:
        """A daemon takes the flag without a value, and none of the options of a single scan."""
        options = Options()
        options.parseOptions(["--include-unfixed", "--max-age", "1d", "--channel", "esm"])
        self.assertEqual((options.resolved["include-unfixed"], options.resolved["channel"]), (True, {"esm"}))
        plain = Options()
        plain.parseOptions([])
        self.assertIs(plain.resolved["include-unfixed"], False)
        self.assertEqual({"format", "output", "quiet"} & {each.name for each in SCAN_SETTINGS}, set())


class CommandTests(SynchronousTestCase):
    """The command, up to the scan."""

    def run_scan(self, *words: str) -> Result:
        """Run ``patches scan``."""
        return CliRunner().invoke(command, words)

    def test_unknown_platform(self) -> None:
        """A platform that cannot be told is unsupported in every format, and has exit code 4."""
        root = Path(self.mktemp())
        root.mkdir()
        ran = self.run_scan("--root", str(root), "--format", "json", "--host", "web-1")
        document = json.loads(ran.stdout)
        self.assertEqual((ran.exit_code, document["verdict"], document["platform"]), (4, "unsupported", None))
        self.assertIn("unknown platform", document["problem"])
        ran = self.run_scan("--root", str(root))
        self.assertEqual((ran.exit_code, "unknown platform" in " ".join(ran.stdout.split())), (4, True))
        for form in ("sarif", "cyclonedx", "openvex"):
            self.assertEqual(self.run_scan("--root", str(root), "--format", form).exit_code, 4)

    def test_usage(self) -> None:
        """A file that cannot be read or written, and a value that there is not, are wrong usage before the scan."""
        root = str(write_host(Path(self.mktemp()), "debian", "12", {"bash": "1"}))
        Path("bad.toml").write_text("[[ignore]]\ncve = 'CVE-1'\nexpires = 2026-01-01\n")
        for words, said in (
            (["--ignore", "bad.toml"], "bad.toml: entry 1: reason is missing"),
            (["--ignore", "none.toml"], "none.toml: No such file"),
            (["--output", "none/out.json"], "--output none/out.json: No such file"),
            (["--format", "xml"], "must be one of table, json"),
            (["--fail-on", "worst"], "must be one of unknown"),
        ):
            ran = self.run_scan("--root", root, *words)
            self.assertEqual((ran.exit_code, ran.stdout), (2, ""))
            self.assertIn(said, ran.stderr)

    def test_file_of_options(self) -> None:
        """Flags are true or false in a file of options."""
        Path("scan.toml").write_text('quiet = true\nverbose = false\nformat = "json"\nroot = "."\n')
        ran = self.run_scan("--config", "scan.toml")
        self.assertEqual((ran.exit_code, json.loads(ran.stdout)["verdict"]), (4, "unsupported"))
        Path("scan.toml").write_text('quiet = "yes"\n')
        ran = self.run_scan("--config", "scan.toml")
        self.assertEqual((ran.exit_code, "quiet must be true or false" in ran.stderr), (2, True))
