"""
The matcher: compares one vulnerability after the other with all installed packages.

It stands between the verified stream and the findings, and is the only place where a package is judged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attrs import frozen

from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.aliases import aliases_of
from patches.scanner.matching.rules import Rule
from patches.versions import InvalidVersion, ordering
from patches.vulnerability import FixedPackage, Vulnerability

#: The architectures of packages and fixes that are for every machine.
EVERY_ARCH = frozenset(("all", "noarch"))

#: Builds with fixes of their own. Their versions cannot be compared with those of the distribution's main line.
_OWN_FIXES = re.compile(r"fips|\.ksplice", re.IGNORECASE)


@frozen
class Match:
    """
    A vulnerability that affects an installed package.

    :ivar package: the installed package.
    :ivar fixed: the fix that the package lacks; its ``version`` is ``None`` if no fix exists yet.
    """

    vulnerability: Vulnerability
    package: Package
    fixed: FixedPackage


class Matcher:
    """
    Matches vulnerabilities with the packages of one inventory.

    :ivar names: all names, of source and binary packages, under which a list may name an installed package.
    :ivar not_evaluated: the number of pairs of a vulnerability and an installed package that could not be judged, by
        reason. Such a pair is neither a finding nor clean.
    :ivar unjudged: the packages of these pairs, with the reasons.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.not_evaluated: Counter[str] = Counter()
        self.unjudged: dict[Package, set[str]] = {}
        self._scheme = inventory.scheme
        self._tracks = inventory.tracks
        self._sort_key = ordering(inventory.scheme)
        self._installed: dict[tuple[str, str], list[tuple[Package, str]]] = {}
        for package in inventory.packages:
            for kind, name, version in aliases_of(package, inventory.scheme):
                self._installed.setdefault((kind, name), []).append((package, version))
        self.names = frozenset(name for _, name in self._installed)

    def match(self, vulnerability: Vulnerability) -> Iterator[Match]:
        """Yield the installed packages that a vulnerability affects, each once; count those that cannot be judged."""
        found: set[Package] = set()
        for fixed in self._offered(vulnerability.fixed_in):
            for package, version in self._installed.get((fixed.kind, fixed.name), ()):
                if package not in found:
                    rule = self._judge(fixed, package, version)
                    if rule.affects:
                        found.add(package)
                        yield Match(vulnerability, package, fixed)
                    elif rule.affects is None:
                        self._pass_over(package, rule)

    def rules(self, vulnerability: Vulnerability) -> Iterator[tuple[FixedPackage, Package, str, Rule]]:
        """Yield each range with each installed package that it names, the version that was compared, and the rule."""
        offered = self._offered(vulnerability.fixed_in)
        for fixed in vulnerability.fixed_in:
            for package, version in self._installed.get((fixed.kind, fixed.name), ()):
                rule = self._judge(fixed, package, version) if fixed in offered else Rule.OTHER_TRACK
                yield fixed, package, version, rule

    def _offered(self, fixes: tuple[FixedPackage, ...]) -> Sequence[FixedPackage]:
        """
        Return the fixes that this host can get: those of the main line and of the tracks that are enabled on it.

        If a track of this host has a fix for a package, it replaces the fixes of the main line for that package.
        """
        if all(fixed.track is None for fixed in fixes):
            return fixes
        own = {(fixed.kind, fixed.name) for fixed in fixes if fixed.track in self._tracks}
        return [
            fixed
            for fixed in fixes
            if fixed.track in self._tracks or (fixed.track is None and (fixed.kind, fixed.name) not in own)
        ]

    def _judge(self, fixed: FixedPackage, package: Package, version: str) -> Rule:
        if fixed.status == "not_affected":
            return Rule.NOT_AFFECTED
        if not _concerns(fixed, package.arch):
            return Rule.OTHER_ARCH
        rule = self._judge_module(fixed, package)
        if rule is not None:
            return rule
        if _OWN_FIXES.search(package.version):
            return Rule.OWN_FIXES
        if fixed.introduced is None and not fixed.has_fix:
            return Rule.NO_FIX
        return Rule.NO_ORDER if self._sort_key is None else self._judge_range(self._sort_key, fixed, version)

    def _judge_module(self, fixed: FixedPackage, package: Package) -> Rule | None:
        """
        Return the rule that excludes a range because of its module; ``None`` if the versions can be compared.

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

    def _judge_range(self, sort_key: Callable[[str], Any], fixed: FixedPackage, version: str) -> Rule:
        bounds = (fixed.introduced, fixed.version, fixed.last_affected)
        if self._scheme == "rpm" and fixed.kind == "source":
            bounds = (_without_epoch(bounds[0]), _without_epoch(bounds[1]), _without_epoch(bounds[2]))
        try:
            installed = sort_key(version)
        except InvalidVersion:
            return Rule.INVALID_INSTALLED
        lowest, limit, last = bounds
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

    def _pass_over(self, package: Package, rule: Rule) -> None:
        self.not_evaluated[rule.text] += 1
        self.unjudged.setdefault(package, set()).add(rule.text)


def _concerns(fixed: FixedPackage, arch: str) -> bool:
    return fixed.arches is None or arch in EVERY_ARCH or arch in fixed.arches or not EVERY_ARCH.isdisjoint(fixed.arches)


def _is_modular(module: str | None, version: str | None) -> bool:
    """Return whether a build belongs to a module; its release shows it too, as ``.module+el8`` or ``.module_el8``."""
    return module is not None or ".module" in (version or "")


def _without_epoch(version: str | None) -> str | None:
    """
    Return an rpm version without its epoch.

    An rpm does not record the epoch of its source package, so versions of source packages are compared without it.
    """
    return version.partition(":")[2] if version and ":" in version else version
