"""Findings on rpm hosts: epochs that source packages do not record, and builds of modules."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.matcher import Matcher
from patches.scanner.matching.rules import Rule
from patches.vulnerability import FixedPackage, Vulnerability

LABEL = "nodejs:18:8080020230718:63b34585"
OPENSSL = Package("openssl-libs", "1:3.0.7-18.el9", "x86_64", "openssl", "3.0.7-18.el9")
PLAIN = Package("nodejs-nodemon", "0:2.0.3-1.el8", "noarch", "nodejs-nodemon", "2.0.3-1.el8")
MODULAR = Package(
    "nodejs", "1:18.14.2-3.module+el8.8.0+18445", "x86_64", "nodejs", "18.14.2-3.module+el8", module=LABEL
)
UNLABELLED = Package("perl-File", "0:1-1.module_el8.1.0", "noarch", "perl-File", "1-1.module_el8.1.0")
SUBJECT = Inventory("rpm", (OPENSSL, PLAIN, MODULAR, UNLABELLED))


class RpmTests(SynchronousTestCase):
    """One fix and one host."""

    def match(self, name: str, version: str | None, kind: str = "binary", module: str | None = None) -> bool | str:
        """Return whether there is a match, or why the package could not be judged."""
        subject = Matcher(SUBJECT)
        fixed = FixedPackage(name, version, kind, module=module)
        found = list(subject.match(Vulnerability("RHSA-2024:1", "rocky-8", (fixed,))))
        return next(iter(subject.not_evaluated), bool(found))

    def test_epochs(self) -> None:
        """A binary package has its epoch, and a fix without an epoch has the epoch 0, as in rpm."""
        self.assertIs(self.match("openssl-libs", "1:3.0.7-24.el9"), True)
        self.assertIs(self.match("openssl-libs", "1:3.0.7-18.el9"), False)
        self.assertIs(self.match("openssl-libs", "0:4.0-1.el9"), False)

    def test_source_without_epoch(self) -> None:
        """The epoch of a source package is not known: versions are compared without it."""
        for epoch in ("", "0:", "1:"):
            self.assertIs(self.match("openssl", f"{epoch}3.0.7-24.el9", "source"), True, epoch)
            self.assertIs(self.match("openssl", f"{epoch}3.0.7-18.el9", "source"), False, epoch)

    def test_modular_fix(self) -> None:
        """A fix within a module applies to packages of that stream only."""
        fix = "1:18.17.1-1.module+el8.8.0+19757"
        self.assertIs(self.match("nodejs", fix, module="nodejs:18"), True)
        self.assertIs(self.match("nodejs", fix, module="nodejs:20"), False)
        self.assertIs(self.match("nodejs-nodemon", "0:9-1.module+el8.8.0", module="nodejs:18"), False)

    def test_plain_fix(self) -> None:
        """A fix outside modules does not apply to a package of a module."""
        self.assertIs(self.match("nodejs", "1:99-1.el8"), False)
        self.assertIs(self.match("nodejs-nodemon", "0:9-1.el8"), True)

    def test_unknown_stream(self) -> None:
        """If only the release shows that a build is modular, the stream is not known, and the reason says so."""
        self.assertEqual(self.match("nodejs", "1:18.17.1-1.module+el8.8.0"), Rule.STREAM.text)
        self.assertEqual(self.match("perl-File", "0:2-1.module_el8.4.0", module="perl:5.26"), Rule.STREAM.text)
        self.assertIs(self.match("nodejs-nodemon", "0:9-1.module_el8.4.0"), False)
