"""
Parser of CSAF documents: the products that are known not to be affected, or are fixed, are decisions.

A product is a package if the product tree has its purl. A relationship's product is its component on a platform, and
the statements about it hold on that platform only: a vendor's document is about all its releases, in one of which a
package may be affected and in another not.

Source: *Common Security Advisory Framework Version 2.0*, OASIS, sections 3.2 and 4.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from patches.scanner.matching.ignores import Ignores
from patches.scanner.matching.vex.csaf_products import CsafProducts, CsafTree, ProductNames
from patches.scanner.matching.vex.json_document import decode
from patches.scanner.matching.vex.statements import (
    FIRST,
    JUSTIFICATIONS,
    BadVex,
    Statement,
    decisions_of,
    reason_of,
    shortened,
    unidentified_in,
)
from patches.vulnerability import canonical_id

VERSION = "2.0"
#: CSAF's statuses of products → OpenVEX's. A product that has statements of both kinds is affected.
_STATUSES = {
    "known_not_affected": "not_affected",
    "fixed": "fixed",
    "first_fixed": "fixed",
    "known_affected": "affected",
    "first_affected": "affected",
    "last_affected": "affected",
    "under_investigation": "under_investigation",
    "recommended": None,
}
_AFFECTED = ("affected", "under_investigation")
_IMPACT = "impact"
#: The categories of notes that may explain a status, in order.
_NOTES = ("details", "general", "other")


class _Flag(ProductNames):
    label: str


class _Words(ProductNames):
    """A threat or a remediation."""

    category: str
    details: str


class _Note(Struct):
    category: str
    text: str


class _Id(Struct):
    text: str


class _Vulnerability(Struct):
    cve: str | None = None
    ids: list[_Id] = []
    product_status: dict[str, list[str]] = {}
    flags: list[_Flag] = []
    threats: list[_Words] = []
    remediations: list[_Words] = []
    notes: list[_Note] = []


class _Tracking(Struct):
    status: str | None = None


class _Head(Struct):
    csaf_version: str
    tracking: _Tracking | None = None


class _Csaf(Struct):
    document: _Head
    product_tree: CsafTree | None = None
    vulnerabilities: list[_Vulnerability] = []


def parse_csaf(content: bytes) -> Ignores:
    """
    Parse a CSAF document and return its decisions.

    :raises BadVex: if a part that decisions depend on is invalid.
    """
    document = decode(content, _Csaf)
    if document.document.csaf_version != VERSION:
        raise BadVex(f"CSAF {shortened(document.document.csaf_version)} is not known: only {VERSION} is")
    tracking = document.document.tracking
    if tracking is not None and tracking.status == "deleted":  # as Red Hat marks a document that is withdrawn
        return Ignores()
    products = CsafProducts(document.product_tree or CsafTree())
    statements = [
        statement
        for number, each in enumerate(document.vulnerabilities, 1)
        for statement in _statements(each, products, f"vulnerability {number}")
    ]
    return Ignores(tuple(decisions_of(statements)), unidentified_in(statements))


def _statements(given: _Vulnerability, products: CsafProducts, where: str) -> Iterator[Statement]:
    """Yield a statement for each product; those that revoke decisions are the later ones."""
    unknown = sorted(given.product_status.keys() - _STATUSES.keys())
    if unknown:
        raise BadVex(f"{where}: unknown product status {shortened(unknown[0])!r}")
    names = _names(given, where)
    flags = _of_products(((flag, flag.label) for flag in given.flags), products, where)
    impacts = ((each, each.details) for each in given.threats if each.category == _IMPACT)
    threats = _of_products(impacts, products, where)
    remedies = _of_products(((each, each.details) for each in given.remediations), products, where)
    notes = [note.text for category in _NOTES for note in given.notes if note.category == category]
    for status, ids in ((_STATUSES[name], ids) for name, ids in given.product_status.items()):
        for product_id in dict.fromkeys(ids) if status is not None else ():
            named = products.named(product_id, where)
            label = flags.get(product_id) if status == "not_affected" else None
            if label not in (None, *JUSTIFICATIONS):
                raise BadVex(f"{where}: the label of a flag must be one of {', '.join(JUSTIFICATIONS)}")
            texts = (threats.get(product_id), remedies.get(product_id), label, *notes[:1])
            if status == "fixed":  # a threat is what the vulnerability could do, a remedy what was done
                texts = texts[1:]
            reason = reason_of(texts, str(status)) if named is not None else ""
            order = 1 if status in _AFFECTED else 0
            yield Statement(order, str(status), names, (named,) if named is not None else (), reason, label, FIRST)


def _names(given: _Vulnerability, where: str) -> tuple[str, ...]:
    others = (each.text for each in given.ids if not each.text.strip().isdigit())  # numbers of reports of errors
    names = [name for name in (given.cve, *others) if name and name.strip()]
    if not names:
        raise BadVex(f"{where}: cve or ids is missing")
    return tuple(dict.fromkeys(map(canonical_id, names)))


def _of_products(given: Iterable[tuple[ProductNames, str]], products: CsafProducts, where: str) -> Mapping[str, str]:
    """Return the first text of each product that one is about."""
    found: dict[str, str] = {}
    for names, text in given:
        for product_id in _each(names, products, where):
            found.setdefault(product_id, text)
    return found


def _each(names: ProductNames, products: CsafProducts, where: str) -> Sequence[str]:
    return [*names.product_ids, *(each for group in names.group_ids for each in products.group(group, where))]
