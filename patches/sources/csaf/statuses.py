"""The packages of each release in a CSAF document of Red Hat: fixed, or the reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, field

from patches.sources.csaf.products import Component, ProductTree, UnknownProduct
from patches.sources.fields import SOURCES, arch_restriction, dicts, sorted_packages
from patches.sources.parse_context import ParseContext
from patches.vulnerability import FixedPackage

#: CSAF's product status → the status of a package
_STATUSES = {
    "fixed": "fixed",
    "known_affected": "affected",
    "under_investigation": "under_investigation",
    "known_not_affected": "not_affected",
}
#: Red Hat's details of an affected package → its status; for other details the category decides
_WORDS = {
    "affected": "affected",
    "fix deferred": "deferred",
    "out of support scope": "end_of_life",
    "will not fix": "will_not_fix",
}
_CATEGORIES = {"no_fix_planned": "will_not_fix", "none_available": "affected"}
_NO_VERSION = "the fix has no valid version"
#: A package without its architectures: name, kind, module, track, status, version.
_Row = tuple[str, str, str | None, str | None, str, str | None]


@define(eq=False)
class ReleaseStatements:
    """
    The statements about one release.

    :ivar ids: the product ids of its packages.
    :ivar unreadable: names of packages, with kind, module and track, and why the statement about them is not readable.
    """

    ids: set[str] = field(factory=set)
    unreadable: set[tuple[str, str, str | None, str | None, str]] = field(factory=set)
    _rows: dict[_Row, set[str]] = field(factory=dict)

    def add(self, component: Component, status: str) -> None:
        """Add a package. Of fixes only binary packages are read; packages without a fix are mostly source packages."""
        package, track = component.package, component.release.track
        is_source = package.arch is None or package.arch in SOURCES
        kind, is_fix = "source" if is_source else "binary", status == "fixed"
        problem = component.problem or (_NO_VERSION if is_fix and package.version is None else None)
        if problem is not None:
            self.unreadable.add((package.name, kind, component.module, track, problem))
        if problem is not None or (is_fix and is_source):
            return
        row: _Row = (package.name, kind, component.module, track, status, package.version if is_fix else None)
        self._rows.setdefault(row, set()).update(() if is_source else (str(package.arch),))

    def packages(self, context: ParseContext) -> tuple[FixedPackage, ...]:
        """
        Return the packages; one that is unaffected in one product but affected in another of its track is affected.
        """
        affected = {row[:4] for row in self._rows if row[4] != "not_affected"}
        rows = [row for row in self._rows if row[4] != "not_affected" or row[:4] not in affected]
        readable = (
            FixedPackage(
                *(name, version, kind),
                status=status,
                arches=arch_restriction(self._rows[row]),
                module=module,
                track=track,
            )
            for row in rows
            for name, kind, module, track, status, version in [row]
        )
        unreadable = (
            context.unreadable(name, kind, problem, track, module)
            for name, kind, module, track, problem in sorted(self.unreadable, key=str)
        )
        return sorted_packages([*readable, *unreadable])

    def concerns(self, ids: Any) -> bool:
        """Return whether product ids include a package of this release; without ids a statement is about all."""
        return not isinstance(ids, list) or not self.ids.isdisjoint(each for each in ids if isinstance(each, str))


def releases_of(vulnerability: dict[str, Any], products: ProductTree) -> tuple[dict[str, ReleaseStatements], bool]:
    """
    Return the statements about each release, by platform, and whether there are statements about unknown products.

    :param vulnerability: an element of the document's ``vulnerabilities``.
    """
    reasons = dict(_reasons(dicts(vulnerability.get("remediations"))))
    listed = vulnerability.get("product_status", {})
    found: dict[str, ReleaseStatements] = {}
    has_unknown = not isinstance(listed, dict)
    for name, status in _STATUSES.items():
        ids: Any = listed.get(name, []) if isinstance(listed, dict) else []
        product_id: Any
        for product_id in ids if isinstance(ids, list) else [None]:
            try:
                component = products.component(product_id)
            except UnknownProduct:
                has_unknown = True
                continue
            if component is not None:
                release = found.setdefault(component.release.platform, ReleaseStatements())
                release.ids.add(product_id)
                release.add(component, reasons.get(product_id, status) if status == "affected" else status)
    return found, has_unknown


def _reasons(remediations: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield product ids with the reason why there is no fix."""
    for remediation in remediations:
        category, details, ids = (remediation.get(key) for key in ("category", "details", "product_ids"))
        if isinstance(category, str) and category in _CATEGORIES and isinstance(ids, list):
            word = details.strip().lower() if isinstance(details, str) else ""
            status = _WORDS.get(word, _CATEGORIES[category])
            yield from ((product_id, status) for product_id in ids if isinstance(product_id, str))
