"""Tests for :mod:`patches.sources.csaf.products`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.csaf.products import Component, ProductTree, UnknownProduct
from patches.sources.red_hat import ProductRelease, RpmPurl
from tests.sources.vex_documents import document, part

RHEL_9 = ProductRelease("rhel-9")
CURL = "pkg:rpm/redhat/curl@8-1.el9?arch=x86_64"


def tree(purls: dict[str, str], *relationships: dict[str, Any]) -> ProductTree:
    """Return the products of a document."""
    return ProductTree(document(purls, list(relationships))["product_tree"])


class ComponentTests(SynchronousTestCase):
    """Product ids."""

    def test_package(self) -> None:
        """A product id is a package in a release of Enterprise Linux, whose repository it names."""
        products = tree({"curl": CURL}, part("BaseOS-9", "curl"), part("rhel_8", "curl"))
        package = RpmPurl("curl", "0:8-1.el9", "x86_64")
        self.assertEqual(products.component("BaseOS-9:curl"), Component(RHEL_9, package, None))
        self.assertEqual(products.component("rhel_8:curl"), Component(ProductRelease("rhel-8"), package, None))

    def test_module(self) -> None:
        """A module is in the package's own URL, or between the package and its repository; the former wins."""
        purls = {"curl": CURL, "own": f"{CURL}&rpmmod=own:1:2:3", "module": "pkg:rpmmod/redhat/between@8:1:2"}
        products = tree(
            purls,
            part("BaseOS-9", "module"),
            part("BaseOS-9:module", "curl"),
            part("BaseOS-9:module", "own"),
            part("BaseOS-9", "own"),
        )
        modules = {}
        for product_id in ("BaseOS-9:module:curl", "BaseOS-9:module:own", "BaseOS-9:own"):
            component = products.component(product_id)
            modules[product_id] = component and component.module
        expected = {"BaseOS-9:module:curl": "between:8", "BaseOS-9:module:own": "own:1", "BaseOS-9:own": "own:1"}
        self.assertEqual(modules, expected)

    def test_none(self) -> None:
        """Other products, modules as a whole and container images are no components."""
        purls = {"curl": CURL, "module": "pkg:rpmmod/redhat/a@8:1:2", "image": "pkg:oci/redhat/curl"}
        relationships = [part("OpenShift", "curl"), *(part("BaseOS-9", each) for each in ("module", "image"))]
        products = tree(purls, *relationships)
        for relationship in relationships:
            product_id = relationship["full_product_name"]["product_id"]
            self.assertIsNone(products.component(product_id), product_id)
        for other in ("curl", "BaseOS-9"):
            self.assertIsNone(products.component(other), other)

    def test_unknown(self) -> None:
        """A product that the tree does not have is unknown; so is a package that neither its URL nor its id names."""
        products = tree({"curl": CURL, "a b": "x"}, part("unheard-of", "curl"), part("BaseOS-9", "a b"))
        for product_id in ("unheard-of:curl", "BaseOS-9:a b", "BaseOS-9:curl", "", None, 7, ["BaseOS-9:module"], {}):
            with self.assertRaises(UnknownProduct, msg=product_id):
                products.component(product_id)

    def test_problem(self) -> None:
        """A package whose URL cannot be used is known by the name in its id, and nothing else is known of it."""
        urls = ("x", "pkg:rpm/redhat/", "pkg:rpm/redhat/curl%zz", "pkg:deb/redhat/curl")
        names = [f"curl{number}" for number in range(len(urls))]
        build = "perl-libs-4:5.32.1-480.el9.i686"
        ids = (*names, "dangling", build, "helper", "number")
        whole = document(dict(zip(names, urls, strict=True)), [part("BaseOS-9", each) for each in ids])["product_tree"]
        for product_id, helper in ((build, {"cpe": "x"}), ("helper", 7), ("number", {"purl": 7})):
            whole["branches"].append({"product": {"product_id": product_id, "product_identification_helper": helper}})
        products = ProductTree(whole)
        for each in ids:
            found = products.component(f"BaseOS-9:{each}")
            assert found is not None, each
            self.assertIsNotNone(found.problem, each)
            self.assertEqual(found.package.name, "perl-libs" if each == build else each)

    def test_unknown_module(self) -> None:
        """A package in a module whose URL cannot be used is not taken for one of no module."""
        purls = {"curl": CURL, "module": "pkg:rpmmod/redhat/"}
        products = tree(purls, part("BaseOS-9", "module"), part("BaseOS-9:module", "curl"))
        found = products.component("BaseOS-9:module:curl")
        assert found is not None
        self.assertEqual(found.problem, "the module is not known")

    def test_longer_support(self) -> None:
        """A product with longer support is a track of its release."""
        component = tree({"curl": CURL}, part("AppStream-8.6-EUS", "curl")).component("AppStream-8.6-EUS:curl")
        assert component is not None
        self.assertEqual(component.release, ProductRelease("rhel-8", "eus-8.6"))

    def test_without_urls(self) -> None:
        """A component without a package URL, as in documents of 2023, is the package that its id names."""
        ids = {"kernel": None, "nodejs:18/nodejs": "nodejs:18", "curl-0:7.76.1-26.el9_3.2.x86_64": None}
        branches = [{"product": {"name": each, "product_id": each}} for each in (*ids, "rhel8/httpd-24:x/y")]
        whole = document({}, [part("rhel_9", branch["product"]["product_id"]) for branch in branches])
        whole["product_tree"]["branches"] += branches
        products = ProductTree(whole["product_tree"])
        found = {each: products.component(f"rhel_9:{each}") for each in ids}
        self.assertEqual({each: component and component.module for each, component in found.items()}, ids)
        packages = [component and component.package for component in found.values()]
        self.assertEqual(packages[0], RpmPurl("kernel", arch="src"))
        self.assertEqual(packages[2], RpmPurl("curl", "0:7.76.1-26.el9_3.2", "x86_64"))
        self.assertIsNone(products.component("rhel_9:rhel8/httpd-24:x/y"))

    def test_relationships(self) -> None:
        """Only relationships of default components are read."""
        optional = {**part("BaseOS-9", "curl"), "category": "optional_component_of"}
        with self.assertRaises(UnknownProduct):
            tree({"curl": CURL}, optional).component("BaseOS-9:curl")
        self.assertIsNotNone(tree({"curl": CURL}, optional, part("BaseOS-9", "curl")).component("BaseOS-9:curl"))

    def test_circle(self) -> None:
        """Relationships that form a circle are followed to a limit."""
        products = tree({"x": CURL}, part("x", "y", "y"), part("y", "x", "x"), part("z", "z", "z"))
        self.assertIsNone(products.component("x"))
        for product_id in "yz":
            with self.assertRaises(UnknownProduct):
                products.component(product_id)

    def test_malformed(self) -> None:
        """Malformed parts of a tree are ignored, and the others are read."""
        for value in (None, 7, "x", [], {"branches": 7, "relationships": "x"}, {"relationships": [7, {}]}):
            with self.assertRaises(UnknownProduct):
                ProductTree(value).component("BaseOS-9:curl")
        whole = document({"curl": CURL}, [part("BaseOS-9", "curl")])["product_tree"]
        odd = {"product_id": "odd", "product_identification_helper": 7}
        whole["branches"] += [7, {"product": 7}, {"product": {"product_id": 7}}, {"product": odd, "branches": 7}]
        for values in ({"full_product_name": 7}, {"product_reference": 7}, {"relates_to_product_reference": None}):
            whole["relationships"].append({**part("BaseOS-9", "curl", "broken"), **values})
        products = ProductTree(whole)
        with self.assertRaises(UnknownProduct):
            products.component("broken")
        self.assertIsNotNone(products.component("BaseOS-9:curl"))
