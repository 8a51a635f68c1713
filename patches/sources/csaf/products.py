"""
The product tree of a CSAF document of Red Hat: the package and the release that a product id stands for.

Source: *Common Security Advisory Framework Version 2.0*, OASIS, section 3.2.2.
"""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen

from patches.sources.fields import dicts
from patches.sources.red_hat import ProductRelease, RpmPurl

#: The deepest nesting: a package is in a module, and a module in a repository; no document is known to go deeper.
_DEEPEST = 4
#: The beginning of the package URLs, and the form of the ids, of container images: they are no packages of a host.
_OF_IMAGE = "pkg:oci/"
_IMAGE = re.compile(r"\w[\w.-]*/\S+\Z", re.ASCII)

#: The identification of a product in place of one that is not an object.
_MALFORMED: dict[str, Any] = {"cpe": None, "purl": None}


class UnknownProduct(ValueError):
    """A product id for which the product tree has no release, or no name of a package."""


@frozen
class Component:
    """
    A package in a release of Enterprise Linux.

    :ivar module: ``name:stream``, or ``None``.
    :ivar problem: why nothing but its name, from its product id, is known; ``None``: its package URL was read.
    """

    release: ProductRelease
    package: RpmPurl
    module: str | None
    problem: str | None = None


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
        """
        Return the component of a product id; ``None`` if it is not a package in a release of Enterprise Linux.

        :raises UnknownProduct: if the tree does not say what it is.
        """
        if not isinstance(product_id, str) or not (product_id in self._parts or product_id in self._helpers):
            raise UnknownProduct
        if product_id not in self._parts:
            return None
        first, *between, last = self._chain(product_id)
        release = self._release(last)
        package = self._package(first) if release else None
        if release is None or package is None or not package.name:
            return None
        modules = [purl.module for purl in map(self._purl, between) if purl is not None]
        module = package.module or next(filter(None, modules), None)
        problem = "the module is not known" if between and module is None else None
        return Component(release, package, module, self._problem(first) or problem)

    def _add_branches(self, tree: dict[str, Any]) -> None:
        waiting = [tree]
        while waiting:
            branch = waiting.pop()
            waiting.extend(dicts(branch.get("branches")))
            product = branch.get("product")
            if isinstance(product, dict) and isinstance(product.get("product_id"), str):
                helper = product.get("product_identification_helper")
                is_malformed = helper is not None and not isinstance(helper, dict)
                self._helpers[product["product_id"]] = _MALFORMED if is_malformed else helper or {}

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
            cpe = self._helpers.get(product_id, {"cpe": None}).get("cpe", "")
            if not isinstance(cpe, str):
                raise UnknownProduct
            self._releases[product_id] = ProductRelease.from_cpe(cpe)
        return self._releases[product_id]

    def _package(self, product_id: str) -> RpmPurl | None:
        """
        Return the package of a component, or module, from its package URL, else its id; ``None`` for container images.

        In documents of 2023 components have no identification: their ids are names.
        """
        purl = self._purl(product_id)
        if purl is not None:
            return purl
        written = self._helpers.get(product_id, {}).get("purl")
        if isinstance(written, str) and written.startswith(_OF_IMAGE):
            return None
        package = RpmPurl.from_product_id(product_id)
        if package is None and not _IMAGE.match(product_id):
            raise UnknownProduct
        return package

    def _problem(self, product_id: str) -> str | None:
        """Return why the statements about a component cannot be read; ``None`` if they can."""
        if self._helpers.get(product_id) == {} or self._purl(product_id) is not None:
            return None
        helper = self._helpers.get(product_id)
        if helper is None:
            return "the product tree does not have the package"
        return "the package URL is not valid" if "purl" in helper else "the package has no package URL"

    def _purl(self, product_id: str) -> RpmPurl | None:
        if product_id not in self._purls:
            purl = self._helpers.get(product_id, {}).get("purl")
            self._purls[product_id] = RpmPurl.from_text(purl) if isinstance(purl, str) else None
        return self._purls[product_id]
