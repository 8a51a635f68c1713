"""
The products of a CSAF document: the package, and the platform, that a product id stands for.

Source: *Common Security Advisory Framework Version 2.0*, OASIS, sections 3.1 and 3.2.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from packageurl import PackageURL

from patches.scanner.matching.vex.cpe import platform_of_cpe
from patches.scanner.matching.vex.statements import BadVex, NamedProduct, PackagePurls, is_package, shortened

#: The most product ids that the groups of a document stand for where they are used.
MOST_GROUPED = 1_000_000
#: The most relationships that define one product: a package in a module, and that in a repository, are two.
MOST_PARTS = 32


class ProductNames(Struct, kw_only=True):
    """A base of what is about products, by their ids or by groups of them."""

    product_ids: list[str] = []
    group_ids: list[str] = []


class Helper(Struct):
    """The identification of a product in other naming schemes."""

    cpe: str | None = None
    purl: str | None = None


class ProductName(Struct):
    """The definition of a product id."""

    product_id: str
    product_identification_helper: Helper | None = None


class Branch(Struct):
    """A node of the tree, or the product at its end."""

    branches: list[Branch] = []
    product: ProductName | None = None


class Relationship(Struct):
    """A product that is a component on, or in, another product."""

    full_product_name: ProductName
    product_reference: str
    relates_to_product_reference: str


class ProductGroup(Struct):
    """A name for several products."""

    group_id: str
    product_ids: list[str]


class CsafTree(Struct):
    """The ``product_tree`` of a document."""

    branches: list[Branch] = []
    full_product_names: list[ProductName] = []
    relationships: list[Relationship] = []
    product_groups: list[ProductGroup] = []


class CsafProducts:
    """
    The products of a document, each identified once.

    :raises BadVex: if an id is defined twice, and not in the same way.
    """

    def __init__(self, tree: CsafTree) -> None:
        self._helpers: dict[str, Helper] = {}
        self._parts: dict[str, tuple[str, str]] = {}
        self._groups = {group.group_id: group.product_ids for group in tree.product_groups}
        self._grouped = 0
        self._purls = PackagePurls()
        self._named: dict[str, NamedProduct | None] = {}
        for product in (*tree.full_product_names, *_at_ends(tree.branches)):
            self._define(product)
        for each in tree.relationships:
            self._define(each.full_product_name)
            parts = (each.product_reference, each.relates_to_product_reference)
            if self._parts.setdefault(each.full_product_name.product_id, parts) != parts:
                raise BadVex(f"product {shortened(each.full_product_name.product_id)!r} is defined twice")

    def _define(self, product: ProductName) -> None:
        helper = product.product_identification_helper or Helper()
        if self._helpers.setdefault(product.product_id, helper) != helper:
            raise BadVex(f"product {shortened(product.product_id)!r} is defined twice")

    def group(self, group_id: str, where: str) -> Sequence[str]:
        """
        Return the ids of the products of a group; none if the document does not define it.

        :raises BadVex: if groups stand for too many products.
        """
        found = self._groups.get(group_id, ())
        self._grouped += len(found)
        if self._grouped > MOST_GROUPED:
            raise BadVex(f"{where}: groups stand for more than {MOST_GROUPED:,} products")
        return found

    def named(self, product_id: str, where: str) -> NamedProduct | None:
        """
        Return the package of a product, and its platform; ``None`` if it is no package that can be identified.

        :raises BadVex: if the definition of the product is a cycle, or its purl is invalid.
        """
        if product_id not in self._named:
            self._named[product_id] = self._identify(product_id, where)
        return self._named[product_id]

    def _identify(self, product_id: str, where: str) -> NamedProduct | None:
        purl = self._package(product_id, where)
        if purl is None or not is_package(purl):
            return None
        is_build = bool(purl.version)
        if not is_build and isinstance(purl.qualifiers, dict) and purl.qualifiers.get("rpmmod"):
            return None  # another stream of the module has packages of the same name
        platforms = {platform_of_cpe(cpe, of_build=is_build) for cpe in self._platforms(product_id, where)}
        if not platforms:
            return NamedProduct(purl)
        platform = platforms.pop()
        return NamedProduct(purl, platform) if platform is not None and not platforms else None

    def _package(self, product_id: str, where: str) -> PackageURL | None:
        """Return the purl of a product, or else of the component that it is."""
        this = product_id
        for _ in range(MOST_PARTS):
            helper = self._helpers.get(this)
            if helper is not None and helper.purl:
                return self._purls.parse(helper.purl, where)
            if this not in self._parts:
                return None
            this, _platform = self._parts[this]
        raise _nested(product_id, where)

    def _platforms(self, product_id: str, where: str) -> Iterator[str]:
        """Yield the CPE names of what a product is a component of."""
        waiting = [product_id]
        for _ in range(MOST_PARTS):
            if not waiting:
                return
            parts = self._parts.get(waiting.pop())
            if parts is not None:
                helper = self._helpers.get(parts[1])
                if helper is not None and helper.cpe:
                    yield helper.cpe
                waiting += parts
        if waiting:
            raise _nested(product_id, where)


def _nested(product_id: str, where: str) -> BadVex:
    return BadVex(f"{where}: product {shortened(product_id)!r} is a component of itself, or has too many parts")


def _at_ends(branches: Sequence[Branch]) -> Iterator[ProductName]:
    waiting = list(branches)
    while waiting:
        branch = waiting.pop()
        waiting += branch.branches
        if branch.product is not None:
            yield branch.product
