"""The comparison of one fix with one installed package of its track: architecture, module and version."""

from __future__ import annotations

import re
from typing import Any

from patches.scanner.inventory import Package
from patches.scanner.matching.rules import Rule
from patches.versions import InvalidVersion, ordering
from patches.vulnerability import FixedPackage

#: The architectures of packages and fixes that are for every machine.
EVERY_ARCH = frozenset(("all", "noarch"))
#: The mark of a build for one minor release of Enterprise Linux.
_DIST_TAG = re.compile(r"\.el(\d+_\d+)")


class FixComparison:
    """
    Compares fixes with installed packages.

    :param scheme: the version scheme: ``dpkg``, ``rpm`` or ``apk``.
    """

    def __init__(self, scheme: str) -> None:
        self._scheme = scheme
        self._sort_key = ordering(scheme)

    def rule(self, fixed: FixedPackage, package: Package, version: str) -> Rule:
        """
        Return the rule for a fix and a package of the same track.

        :param version: the package's version to compare.
        """
        if fixed.status == "not_affected":
            return Rule.NOT_AFFECTED
        if not _concerns(fixed, package.arch):
            return Rule.OTHER_ARCH
        rule = self._module_rule(fixed, package)
        if rule is not None:
            return rule
        if fixed.status == "unreadable":
            return Rule.UNREADABLE
        if fixed.introduced is None and not fixed.has_fix:
            return Rule.NO_FIX
        return Rule.NO_ORDER if self._sort_key is None else self._range_rule(fixed, version)

    def order(self, version: str | None) -> tuple[bool, Any]:
        """Return a key by which fixed versions are sorted; one that is missing or not valid is the lowest."""
        try:
            return (True, self._sort_key(version)) if self._sort_key and version else (False, ())
        except InvalidVersion:
            return (False, ())

    def is_same(self, fixed: FixedPackage, version: str) -> bool:
        """Return whether an installed version is exactly the fixed version, as a build that the vendor lists."""
        limit = self._limit(fixed, fixed.version)
        return limit is not None and self.order(limit) == self.order(version)

    def _module_rule(self, fixed: FixedPackage, package: Package) -> Rule | None:
        """
        Return the rule that excludes a fix because of its module; ``None`` if the versions can be compared.

        Versions of a modular build, of a build outside modules, and of another stream are not comparable.
        """
        if self._scheme != "rpm":
            return None if fixed.module is None else Rule.OTHER_MODULE
        modular = _is_modular(fixed.module, fixed.version)
        if modular != _is_modular(package.module, package.version):
            return Rule.OTHER_MODULE
        if not modular:
            return None
        if fixed.module is None or package.module is None:
            return Rule.STREAM
        return None if fixed.module.split(":")[:2] == package.module.split(":")[:2] else Rule.OTHER_MODULE

    def _range_rule(self, fixed: FixedPackage, version: str) -> Rule:
        sort_key = self._sort_key or str
        bounds = (fixed.introduced, fixed.version, fixed.last_affected)
        lowest, limit, last = (self._limit(fixed, bound) for bound in bounds)
        try:
            installed = sort_key(version)
        except InvalidVersion:
            return Rule.INVALID_INSTALLED
        try:
            if lowest is not None and installed < sort_key(lowest):
                return Rule.BEFORE_INTRODUCED
            if limit is not None and installed >= sort_key(limit):
                return Rule.FIXED
            if last is not None and installed > sort_key(last):
                return Rule.AFTER_LAST
        except InvalidVersion:
            return Rule.INVALID_LISTED
        return Rule.BELOW_FIX if limit is not None else Rule.UP_TO_LAST if last is not None else Rule.NO_FIX

    def _limit(self, fixed: FixedPackage, version: str | None) -> str | None:
        """
        Return a version of a fix as it is compared.

        An rpm does not record the epoch of its source package, so versions of source packages are compared without it.
        """
        is_source = self._scheme == "rpm" and fixed.kind == "source"
        return version.partition(":")[2] if is_source and version and ":" in version else version


def dist_tag(version: str | None) -> str | None:
    """Return the minor release in the mark of a build, ``9_4`` of ``….el9_4``; ``None`` if the build has none."""
    found = _DIST_TAG.search(version or "")
    return found[1] if found else None


def _concerns(fixed: FixedPackage, arch: str) -> bool:
    return fixed.arches is None or arch in EVERY_ARCH or arch in fixed.arches or not EVERY_ARCH.isdisjoint(fixed.arches)


def _is_modular(module: str | None, version: str | None) -> bool:
    """Return whether a build belongs to a module; its release shows it too, as ``.module+el8`` or ``.module_el8``."""
    return module is not None or ".module" in (version or "")
