"""Products of CSAF documents: found in all parts of the tree, and bounded whatever the tree is."""

from __future__ import annotations

import json
from typing import Any

from msgspec.json import decode
from packageurl import PackageURL
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.vex.csaf_products import MOST_GROUPED, CsafProducts, CsafTree
from patches.scanner.matching.vex.statements import BadVex, NamedProduct
from tests.scanner.matching.vex.samples import part, product

BASH = "pkg:rpm/redhat/bash"
NAMED = PackageURL.from_string(BASH)
EL9 = product("EL9", cpe="cpe:/o:redhat:enterprise_linux:9")


def products(**tree: Any) -> CsafProducts:
    """Return the products of a tree."""
    return CsafProducts(decode(json.dumps(tree), type=CsafTree))


class CsafProductsTests(SynchronousTestCase):
    """Product ids, and what they stand for."""

    def test_branches(self) -> None:
        """A product is found at the end of branches of any depth."""
        branch: dict[str, Any] = {"product": product("bash", purl=BASH)}
        for _ in range(40):
            branch = {"branches": [{"product": product("other")}, branch]}
        self.assertEqual(products(branches=[branch]).named("bash", "v"), NamedProduct(NAMED))

    def test_components(self) -> None:
        """A relationship's product is its component, also through a module, on the platform at the end."""
        module = product("mod", purl="pkg:rpmmod/redhat/shell@1")
        tree = products(
            full_product_names=[product("bash", purl=BASH), EL9, module],
            relationships=[
                part("EL9:bash", "bash", "EL9"),
                part("EL9:mod", "mod", "EL9"),
                part("x", "bash", "EL9:mod"),
            ],
        )
        self.assertEqual(tree.named("EL9:bash", "v"), NamedProduct(NAMED, "rhel-9"))
        self.assertEqual(tree.named("x", "v"), NamedProduct(NAMED, "rhel-9"))
        self.assertIsNone(tree.named("EL9:mod", "v"))
        self.assertIsNone(tree.named("EL9", "v"))

    def test_other_platforms(self) -> None:
        """A component of a product that is another system is none of this host's; one without CPE is as this host."""
        built = product("built", purl=f"{BASH}@5.1-1.el9")
        shift, eus = (product(name, cpe=f"cpe:/a:redhat:{name}:9.4::el9") for name in ("openshift", "rhel_eus"))
        parts = [
            part(f"{name}:{of}", name, of) for name in ("bash", "built") for of in ("openshift", "rhel_eus", "host")
        ]
        tree = products(
            full_product_names=[product("bash", purl=BASH), built, shift, eus, product("host")], relationships=parts
        )
        self.assertIsNone(tree.named("bash:openshift", "v"))
        self.assertIsNone(tree.named("built:openshift", "v"))
        self.assertIsNone(tree.named("bash:rhel_eus", "v"))
        self.assertEqual(tree.named("bash:host", "v"), NamedProduct(NAMED))
        build = NamedProduct(PackageURL.from_string(f"{BASH}@5.1-1.el9"), "rhel-9")
        self.assertEqual(tree.named("built:rhel_eus", "v"), build)

    def test_streams(self) -> None:
        """A package of a module's stream without a version is not identified: it would be that of each stream."""
        qualified = f"{BASH}?rpmmod=shell:1"
        self.assertIsNone(products(full_product_names=[product("b", purl=qualified)]).named("b", "v"))

    def test_cycles(self) -> None:
        """A product that is a component of itself, or on itself, is refused; so is a very long chain."""
        chain = [part(f"p{number}", f"p{number + 1}", "EL9") for number in range(100_000)]
        bash = product("bash", purl=BASH)
        for relationships, asked in (
            ([part("a", "a", "EL9")], "a"),
            ([part("a", "b", "EL9"), part("b", "a", "EL9")], "a"),
            ([part("a", "bash", "b"), part("b", "EL9", "a")], "a"),
            (chain, "p0"),
        ):
            tree = products(full_product_names=[bash, EL9], relationships=relationships)
            said = str(self.assertRaises(BadVex, tree.named, asked, "vulnerability 1"))
            self.assertIn(f"vulnerability 1: product {asked!r} is a component of itself", said)

    def test_twice(self) -> None:
        """A product may be repeated; if two definitions differ, the document is refused."""
        same = product("bash", purl=BASH)
        self.assertIsNotNone(products(full_product_names=[same, same]).named("bash", "v"))
        self.assertRaises(BadVex, products, full_product_names=[same, product("bash", purl="pkg:rpm/redhat/zsh")])
        self.assertRaises(BadVex, products, full_product_names=[same, product("bash")])
        self.assertRaises(BadVex, products, relationships=[part("a", "b", "EL9"), part("a", "c", "EL9")])

    def test_groups(self) -> None:
        """A group stands for its products; one that is not defined for none; all together within a bound."""
        tree = products(product_groups=[{"group_id": "g", "product_ids": ["a"] * 1_000}])
        self.assertEqual((len(tree.group("g", "v")), tree.group("h", "v")), (1_000, ()))

        def use() -> None:
            for _ in range(MOST_GROUPED // 1_000):
                tree.group("g", "vulnerability 1")

        self.assertIn("groups stand for more than 1,000,000", str(self.assertRaises(BadVex, use)))
