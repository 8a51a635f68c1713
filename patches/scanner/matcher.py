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
STREAM = "the stream of the module is not known"
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
        self._scheme = inventory.scheme
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
                if package not in found and self._affects(fixed, package, version):
                    found.add(package)
                    yield Finding(vulnerability, package, fixed)

    def _affects(self, fixed: FixedPackage, package: Package, version: str) -> bool:
        if fixed.status == "not_affected" or not _concerns(fixed, package.arch):
            return False
        if not self._is_same_module(fixed, package):
            return False
        if fixed.introduced is None and fixed.version is None:
            return True
        if self._sort_key is None:
            return self._pass_over(NO_ORDER)
        return self._in_range(self._sort_key, fixed, version)

    def _is_same_module(self, fixed: FixedPackage, package: Package) -> bool:
        """Versions of a modular build, of a plain one, and of another stream have nothing to do with each other."""
        if self._scheme != "rpm":
            return fixed.module is None
        if not _is_modular(fixed.module, fixed.version):
            return not _is_modular(package.module, package.version)
        if not _is_modular(package.module, package.version):
            return False
        if fixed.module is None or package.module is None:
            return self._pass_over(STREAM)
        return fixed.module.split(":")[:2] == package.module.split(":")[:2]

    def _in_range(self, sort_key: Callable[[str], Any], fixed: FixedPackage, version: str) -> bool:
        lowest, limit = fixed.introduced, fixed.version
        if self._scheme == "rpm" and fixed.kind == "source":
            lowest, limit = _without_epoch(lowest), _without_epoch(limit)
        try:
            installed = sort_key(version)
        except InvalidVersion:
            return self._pass_over(INVALID_INSTALLED)
        try:
            begun = lowest is None or sort_key(lowest) <= installed
            return begun and (limit is None or installed < sort_key(limit))
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


def _is_modular(module: str | None, version: str | None) -> bool:
    """Tell whether a build is of a module; its release says so too, as ``.module+el8`` or ``.module_el8``."""
    return module is not None or ".module" in (version or "")


def _without_epoch(version: str | None) -> str | None:
    """An rpm does not record the epoch of its source: what is by source is compared without."""
    return version.partition(":")[2] if version and ":" in version else version
