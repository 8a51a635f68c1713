"""One vulnerability against everything that is installed: the step of the data's way where findings come into being."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from attrs import frozen

from patches.scanner.inventory import Inventory, Package
from patches.versions import InvalidVersion, ordering
from patches.vulnerability import FixedPackage, Vulnerability

#: Architectures of packages, and of fixes, that are for every machine.
EVERY_ARCH = frozenset(("all", "noarch"))

INVALID_INSTALLED = "the installed version is not valid"
INVALID_LISTED = "the listed version is not valid"
MODULE = "the fix is of a module"
NO_ORDER = "there is no order for versions of this kind"

#: Debian and Ubuntu build the kernels that they sign from a source package of its own; the lists name the kernel's.
_SIGNED_KERNEL = re.compile(r"linux-signed(?:-(?:amd64|arm64|i386))?(-.+)?\Z")


@frozen
class Finding:
    """
    A vulnerability that affects a package that is installed.

    :ivar package: what is installed.
    :ivar fixed: the fix that it lacks; its ``version`` is ``None`` if there is none yet.
    """

    vulnerability: Vulnerability
    package: Package
    fixed: FixedPackage


class Matcher:
    """
    Finds the vulnerabilities of one inventory.

    :ivar names: all names, of source and of binary packages, under which lists may name what is installed.
    :ivar not_evaluated: how many pairs of a vulnerability and an installed package could not be judged, by reason. They
        are neither findings nor clean.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.not_evaluated: Counter[str] = Counter()
        self._sort_key = ordering(inventory.scheme)
        self._installed: dict[tuple[str, str], list[tuple[Package, str]]] = {}
        for package in inventory.packages:
            for kind, name, version in _names(package):
                self._installed.setdefault((kind, name), []).append((package, version))
        self.names = frozenset(name for _, name in self._installed)

    def match(self, vulnerability: Vulnerability) -> Iterator[Finding]:
        """Find the installed packages that a vulnerability affects, each once."""
        found: set[Package] = set()
        for fixed in vulnerability.fixed_in:
            for package, version in self._installed.get((fixed.kind, fixed.name), ()):
                if package not in found and self._affects(fixed, package.arch, version):
                    found.add(package)
                    yield Finding(vulnerability, package, fixed)

    def _affects(self, fixed: FixedPackage, arch: str, version: str) -> bool:
        if fixed.status == "not_affected" or not _concerns(fixed, arch):
            return False
        if fixed.module is not None:
            return self._pass_over(MODULE)
        if fixed.introduced is None and fixed.version is None:
            return True
        if self._sort_key is None:
            return self._pass_over(NO_ORDER)
        return self._in_range(self._sort_key, fixed, version)

    def _in_range(self, sort_key: Callable[[str], Any], fixed: FixedPackage, version: str) -> bool:
        try:
            installed = sort_key(version)
        except InvalidVersion:
            return self._pass_over(INVALID_INSTALLED)
        try:
            return (fixed.introduced is None or sort_key(fixed.introduced) <= installed) and (
                fixed.version is None or installed < sort_key(fixed.version)
            )
        except InvalidVersion:
            return self._pass_over(INVALID_LISTED)

    def _pass_over(self, reason: str) -> bool:
        self.not_evaluated[reason] += 1
        return False


def _names(package: Package) -> Iterator[tuple[str, str, str]]:
    """Give the kind, name and version under which lists may name a package."""
    yield "binary", package.name, package.version
    yield "source", package.source, package.source_version
    kernel = _SIGNED_KERNEL.match(package.source)
    if kernel:
        yield "source", f"linux{kernel[1] or ''}", package.version


def _concerns(fixed: FixedPackage, arch: str) -> bool:
    return fixed.arches is None or arch in EVERY_ARCH or arch in fixed.arches or not EVERY_ARCH.isdisjoint(fixed.arches)
