"""
The product tree of a CSAF document of Red Hat: the package and the release that a product id stands for.

Source: *Common Security Advisory Framework Version 2.0*, OASIS, section 3.2.2.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from patches.sources.fields import dicts
from patches.sources.red_hat import ProductRelease, RpmPurl

#: The deepest nesting: a package is in a module, and a module in a repository; no document is known to go deeper.
_DEEPEST = 4


@frozen
class Component:
    """
    A package in a release of Enterprise Linux.

    :ivar module: ``name:stream``, or ``None``.
    """

    release: ProductRelease
    package: RpmPurl
    module: str | None


class ProductTree:
    """
    The products of one document, and their components.

    :param tree: the document's ``product_tree``; malformed parts of it are ignored.
    """

    def __init__(self, tree: Any) -> None:
        self._helpers: dict[str, dict[str, Any]] = {}
        self._parts: dict[str, tuple[str, str]] = {}
        self._purls: dict[str, RpmPurl | None] = {}
        self._releases: dict[str, ProductRelease | None] = {}
        if isinstance(tree, dict):
            self._add_branches(tree)
            self._add_relationships(tree)

    def component(self, product_id: Any) -> Component | None:
        """Return the component of a product id; ``None`` if it is not a package in a release of Enterprise Linux."""
        if not isinstance(product_id, str) or product_id not in self._parts:
            return None
        first, *between, last = self._chain(product_id)
        release = self._release(last)
        package = self._package(first) if release else None
        if release is None or package is None or not package.name:
            return None
        modules = [purl.module for purl in map(self._purl, between) if purl is not None]
        return Component(release, package, package.module or next(filter(None, modules), None))

    def _add_branches(self, tree: dict[str, Any]) -> None:
        waiting = [tree]
        while waiting:
            branch = waiting.pop()
            waiting.extend(dicts(branch.get("branches")))
            product = branch.get("product")
            if isinstance(product, dict) and isinstance(product.get("product_id"), str):
                helper = product.get("product_identification_helper")
                self._helpers[product["product_id"]] = helper if isinstance(helper, dict) else {}

    def _add_relationships(self, tree: dict[str, Any]) -> None:
        for each in dicts(tree.get("relationships")):
            product = each.get("full_product_name")
            ids = (each.get("product_reference"), each.get("relates_to_product_reference"))
            whole = product.get("product_id") if isinstance(product, dict) else None
            if each.get("category") == "default_component_of" and isinstance(whole, str):
                part, of = ids
                if isinstance(part, str) and isinstance(of, str):
                    self._parts[whole] = (part, of)

    def _chain(self, product_id: str, depth: int = 0) -> list[str]:
        """Split an id: first the package, last the release or its repository, with a module between them."""
        parts = self._parts.get(product_id) if depth < _DEEPEST else None
        return [product_id] if parts is None else [each for part in parts for each in self._chain(part, depth + 1)]

    def _release(self, product_id: str) -> ProductRelease | None:
        if product_id not in self._releases:
            cpe = self._helpers.get(product_id, {}).get("cpe")
            self._releases[product_id] = ProductRelease.from_cpe(cpe) if isinstance(cpe, str) else None
        return self._releases[product_id]

    def _package(self, product_id: str) -> RpmPurl | None:
        """
        Return the package of a component. In documents of 2023 components have no identification: their ids are names.
        """
        if product_id in self._helpers and not self._helpers[product_id]:
            return RpmPurl.from_product_id(product_id)
        return self._purl(product_id)

    def _purl(self, product_id: str) -> RpmPurl | None:
        if product_id not in self._purls:
            purl = self._helpers.get(product_id, {}).get("purl")
            self._purls[product_id] = RpmPurl.from_text(purl) if isinstance(purl, str) else None
        return self._purls[product_id]
