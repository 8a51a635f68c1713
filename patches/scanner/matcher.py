"""One vulnerability against everything that is installed: the step of the data's way where it is judged."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from attrs import frozen

from patches.scanner.inventory import Inventory, Package
from patches.scanner.names import names_of
from patches.versions import InvalidVersion, ordering
from patches.vulnerability import FixedPackage, Vulnerability

#: Architectures of packages, and of fixes, that are for every machine.
EVERY_ARCH = frozenset(("all", "noarch"))

INVALID_INSTALLED = "the installed version is not valid"
INVALID_LISTED = "the listed version is not valid"
STREAM = "the stream of the module is not known"
NO_ORDER = "there is no order for versions of this kind"
OWN_FIXES = "a build with fixes of its own (FIPS, ksplice)"
_OWN_FIXES = re.compile(r"fips|\.ksplice", re.IGNORECASE)


@frozen
class Match:
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
    Matches vulnerabilities with one inventory.

    :ivar names: all names, of source and of binary packages, under which lists may name what is installed.
    :ivar not_evaluated: how many pairs of a vulnerability and an installed package could not be judged, by reason. They
        are neither findings nor clean.
    :ivar unjudged: the packages of these pairs, with the reasons.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.not_evaluated: Counter[str] = Counter()
        self.unjudged: dict[Package, set[str]] = {}
        self._scheme = inventory.scheme
        self._channels = inventory.channels
        self._sort_key = ordering(inventory.scheme)
        self._installed: dict[tuple[str, str], list[tuple[Package, str]]] = {}
        for package in inventory.packages:
            for kind, name, version in names_of(package, inventory.scheme):
                self._installed.setdefault((kind, name), []).append((package, version))
        self.names = frozenset(name for _, name in self._installed)

    def match(self, vulnerability: Vulnerability) -> Iterator[Match]:
        """Find the installed packages that a vulnerability affects, each once."""
        found: set[Package] = set()
        for fixed in self._offered(vulnerability.fixed_in):
            for package, version in self._installed.get((fixed.kind, fixed.name), ()):
                if package not in found and self._affects(fixed, package, version):
                    found.add(package)
                    yield Match(vulnerability, package, fixed)

    def _offered(self, fixes: tuple[FixedPackage, ...]) -> Iterable[FixedPackage]:
        """Leave out what is for other channels; what a channel of this host says of a package goes before the rest."""
        if all(fixed.channel is None for fixed in fixes):
            return fixes
        own = {(fixed.kind, fixed.name) for fixed in fixes if fixed.channel in self._channels}
        return [
            fixed
            for fixed in fixes
            if fixed.channel in self._channels or (fixed.channel is None and (fixed.kind, fixed.name) not in own)
        ]

    def _affects(self, fixed: FixedPackage, package: Package, version: str) -> bool:
        if fixed.status == "not_affected" or not _concerns(fixed, package.arch):
            return False
        if not self._is_same_module(fixed, package):
            return False
        if _OWN_FIXES.search(package.version):
            return self._pass_over(package, OWN_FIXES)
        if fixed.introduced is None and fixed.version is None and fixed.last_affected is None:
            return True
        if self._sort_key is None:
            return self._pass_over(package, NO_ORDER)
        return self._in_range(self._sort_key, fixed, package, version)

    def _is_same_module(self, fixed: FixedPackage, package: Package) -> bool:
        """Versions of a modular build, of a plain one, and of another stream have nothing to do with each other."""
        if self._scheme != "rpm":
            return fixed.module is None
        if not _is_modular(fixed.module, fixed.version):
            return not _is_modular(package.module, package.version)
        if not _is_modular(package.module, package.version):
            return False
        if fixed.module is None or package.module is None:
            return self._pass_over(package, STREAM)
        return fixed.module.split(":")[:2] == package.module.split(":")[:2]

    def _in_range(self, sort_key: Callable[[str], Any], fixed: FixedPackage, package: Package, version: str) -> bool:
        bounds = (fixed.introduced, fixed.version, fixed.last_affected)
        if self._scheme == "rpm" and fixed.kind == "source":
            bounds = (_without_epoch(bounds[0]), _without_epoch(bounds[1]), _without_epoch(bounds[2]))
        try:
            installed = sort_key(version)
        except InvalidVersion:
            return self._pass_over(package, INVALID_INSTALLED)
        lowest, limit, last = bounds
        try:
            begun = lowest is None or sort_key(lowest) <= installed
            ended = (limit is not None and installed >= sort_key(limit)) or (
                last is not None and installed > sort_key(last)
            )
        except InvalidVersion:
            return self._pass_over(package, INVALID_LISTED)
        return begun and not ended

    def _pass_over(self, package: Package, reason: str) -> bool:
        self.not_evaluated[reason] += 1
        self.unjudged.setdefault(package, set()).add(reason)
        return False


def _concerns(fixed: FixedPackage, arch: str) -> bool:
    return fixed.arches is None or arch in EVERY_ARCH or arch in fixed.arches or not EVERY_ARCH.isdisjoint(fixed.arches)


def _is_modular(module: str | None, version: str | None) -> bool:
    """Tell whether a build is of a module; its release says so too, as ``.module+el8`` or ``.module_el8``."""
    return module is not None or ".module" in (version or "")


def _without_epoch(version: str | None) -> str | None:
    """An rpm does not record the epoch of its source: what is by source is compared without."""
    return version.partition(":")[2] if version and ":" in version else version
