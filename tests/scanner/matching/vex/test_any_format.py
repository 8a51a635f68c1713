"""VEX documents of all formats as strangers may write them: read or refused in one line, in bounded time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.vex.any_format import parse_document
from patches.scanner.matching.vex.statements import BadVex
from tests.scanner.matching.vex.samples import SSL_FLAW, SSL_PURL, about, analysed, bom, csaf, part, product

TODAY = date(2026, 2, 28)
#: How long a refused document may take, in seconds, on a busy machine.
PATIENCE = 20.0

OPENVEX = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "timestamp": "2026-01-01T00:00:00Z",
    "statements": [
        {"vulnerability": {"name": "CVE-2025-9230", "aliases": []}, "products": [SSL_PURL], "status": "fixed"},
    ],
}
_NAMES = {"product_ids": ["EL:ssl"], "group_ids": ["g"]}
CSAF = json.loads(
    csaf(
        about(
            "known_not_affected",
            "EL:ssl",
            flags=[{"label": "component_not_present", **_NAMES}],
            threats=[{"category": "impact", "details": "d", **_NAMES}],
            remediations=[{"category": "mitigation", "details": "d", **_NAMES}],
            notes=[{"category": "other", "text": "t"}],
            ids=[{"system_name": "s", "text": "X-1"}],
        ),
        branches=[{"category": "vendor", "name": "v", "branches": [{"product": product("ssl", purl=SSL_PURL)}]}],
        full_product_names=[product("EL", cpe="cpe:/o:debian:debian_linux:12")],
        relationships=[part("EL:ssl", "ssl", "EL")],
        product_groups=[{"group_id": "g", "product_ids": ["EL:ssl", "EL"]}],
    )
)
BOM = json.loads(
    bom(
        analysed(
            {"ref": "ssl", "versions": [{"version": "3.0.16-1~deb12u1", "status": "unaffected"}]},
            analysis={"justification": "code_not_present", "detail": "d", "response": ["update"]},
            references=[{"id": "X-1", "source": {"name": "x"}}],
        ),
        components=[{"bom-ref": "ssl", "version": "1", "purl": SSL_PURL, "components": [{"bom-ref": "x"}]}],
        metadata={"timestamp": "2026-01-01T00:00:00Z", "component": {"bom-ref": "host"}},
    )
)


def places(value: Any) -> Iterator[Callable[[Any], None]]:
    """Yield a function for each place in a document that puts another value there."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield lambda other, key=key: value.__setitem__(key, other)  # type: ignore[misc]
        yield from places(inner)


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["pkg:", "pkg:deb/%", "urn:cdx:", "urn:cdx:#%", "EL:ssl", "ssl", "g", "cpe:/", "cpe:2.3:o:\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


class DocumentTests(SynchronousTestCase):
    """Documents, as they are and spoiled."""

    def test_formats(self) -> None:
        """The format is known by the content; the documents of these tests have one decision each."""
        for document in (OPENVEX, CSAF, BOM):
            found = parse_document(json.dumps(document).encode()).of(SSL_FLAW, TODAY)
            self.assertIsNotNone(found, document)

    @settings(deadline=None)
    @given(st.data())
    def test_spoiled(self, data: st.DataObject) -> None:
        """Whatever is put in any places of a document, it is read or refused in one short line."""
        document = json.loads(json.dumps(data.draw(st.sampled_from([OPENVEX, CSAF, BOM]))))
        for _ in range(data.draw(st.integers(1, 3))):
            data.draw(st.sampled_from(list(places(document))))(data.draw(ODD))
        try:
            parse_document(json.dumps(document).encode()).of(SSL_FLAW, TODAY)
        except BadVex as error:
            self.assertNotIn("\n", str(error))
            self.assertLess(len(str(error)), 300)

    def refusal(self, content: bytes) -> str:
        """Return why a large document is refused, which takes bounded time."""
        begun = time.monotonic()
        said = str(self.assertRaises(BadVex, parse_document, content))
        self.assertLess(time.monotonic() - begun, PATIENCE)
        return said

    def test_deep(self) -> None:
        """A document that is nested very deep is refused."""
        for whole in (
            b'{"document": {"csaf_version": "2.0"}, "product_tree": {"branches": [%s]}}',
            b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [%s]}',
            b'{"@context": "https://openvex.dev/ns", "x": [%s]}',
        ):
            name = b"branches" if b"branches" in whole else b"components"
            deep = b'{"%s": [' % name * 50_000 + b"]}" * 50_000
            self.assertIn("not JSON", self.refusal(whole % deep))

    def test_many_statements(self) -> None:
        """More statements than may be decisions are refused, in each format."""
        number = 110_000
        statement = json.dumps(OPENVEX["statements"][0])  # type: ignore[index]
        openvex = {**OPENVEX, "statements": None}
        purls = [f"pkg:deb/debian/p{each}" for each in range(number)]
        names = [product(purl, purl=purl) for purl in purls]
        for content in (
            json.dumps(openvex).replace("null", f"[{', '.join([statement] * number)}]").encode(),
            csaf(about("fixed", *purls), full_product_names=names),
            bom(analysed(*purls)),
        ):
            self.assertIn("more than 100,000", self.refusal(content))

    def test_many_small(self) -> None:
        """A million statements are counted before they are decoded, in each format."""
        many = b", ".join([b"{}"] * 1_000_000)
        for head, name in (
            (b'"@context": "https://openvex.dev/ns"', b"statements"),
            (b'"document": {"csaf_version": "2.0"}', b"vulnerabilities"),
            (b'"bomFormat": "CycloneDX", "specVersion": "1.6"', b"vulnerabilities"),
        ):
            self.assertEqual(self.refusal(b'{%s, "%s": [%s]}' % (head, name, many)), "more than 100,000 statements")

    def test_repeated(self) -> None:
        """A group that is used very often, and ids that are repeated, take bounded time."""
        groups = [{"group_id": "g", "product_ids": [str(each) for each in range(10_000)]}]
        flags = [{"label": "component_not_present", "group_ids": ["g"] * 10_000}]
        self.assertIn("groups stand for", self.refusal(csaf(about("fixed", "1", flags=flags), product_groups=groups)))
        repeated = csaf(about("fixed", *["x"] * 200_000), *[about("fixed", "x")] * 50_000)
        self.assertEqual(parse_document(repeated).decisions, ())
