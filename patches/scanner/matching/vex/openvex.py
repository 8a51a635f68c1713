"""
Parser of OpenVEX documents: a statement with the status "not affected" or "fixed" is a decision to ignore a finding.

Source: OpenVEX specification 0.2.0. A later statement about the same vulnerability and product replaces an earlier one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from packageurl import PackageURL

from patches.scanner.matching.ignores import Ignores
from patches.scanner.matching.vex.statements import (
    FIRST,
    JUSTIFICATIONS,
    SETTLED,
    BadVex,
    NamedProduct,
    PackagePurls,
    Statement,
    decisions_of,
    is_package,
    reason_of,
    time_in,
    unidentified_in,
)

STATUSES = ("not_affected", "affected", "fixed", "under_investigation")


def parse_vex(content: bytes) -> Ignores:
    """
    Parse an OpenVEX document and return its decisions, the newest first.

    :raises BadVex: at the first invalid statement.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadVex(f"not JSON: {error}") from error
    context = document.get("@context") if isinstance(document, dict) else None
    if not isinstance(context, str) or not context.startswith("https://openvex.dev/ns"):
        raise BadVex("not an OpenVEX document: @context of openvex.dev is missing")
    told = time_in(document.get("last_updated") or document.get("timestamp"), "timestamp")
    statements = _list(document, "statements", "the document")
    purls = PackagePurls()
    read = [_statement(number, each, told or FIRST, purls) for number, each in enumerate(statements, 1)]
    return Ignores(tuple(decisions_of(read, is_ordered=True)), unidentified_in(read))


def _statement(number: int, given: Any, told: datetime, purls: PackagePurls) -> Statement:
    where = f"statement {number}"
    if not isinstance(given, dict):
        raise BadVex(f"{where}: must be an object")
    if given.get("status") not in STATUSES:
        raise BadVex(f"{where}: status must be one of {', '.join(STATUSES)}")
    justification = _text(given, "justification", where)
    if justification not in (None, *JUSTIFICATIONS):
        raise BadVex(f"{where}: justification must be one of {', '.join(JUSTIFICATIONS)}")
    if given["status"] in SETTLED and not given.get("products"):
        raise BadVex(f"{where}: products are missing")
    notes = [_text(given, name, where) for name in ("impact_statement", "status_notes")]
    return Statement(
        number,
        given["status"],
        _names(given.get("vulnerability"), where),
        tuple(dict.fromkeys(map(NamedProduct, _products(given, where, purls)))),
        reason_of((*notes, justification), given["status"]),
        justification,
        time_in(given.get("last_updated") or given.get("timestamp"), where) or told,
    )


def _names(given: Any, where: str) -> tuple[str, ...]:
    """Return the names of the vulnerability, its id first; before version 0.2.0 the member was only the name."""
    if isinstance(given, str) and given:
        return (given,)
    if not isinstance(given, dict) or not _text(given, "name", where):
        raise BadVex(f"{where}: vulnerability.name is missing")
    aliases = _list(given, "aliases", where)
    if not all(isinstance(alias, str) for alias in aliases):
        raise BadVex(f"{where}: aliases must be strings")
    return tuple(dict.fromkeys((given["name"], *aliases)))


def _products(statement: Mapping[str, Any], where: str, purls: PackagePurls) -> Iterator[PackageURL]:
    """
    Yield the packages that a statement is about.

    Any other product, such as an image of somebody else, says nothing about a package of this host.
    """
    for product in _list(statement, "products", where):
        inner = _list(product, "subcomponents", where) if isinstance(product, dict) else []
        named = [_product(each, where, purls) for each in (product, *inner)]
        yield from (purl for purl in named if purl is not None and is_package(purl))


def _product(given: Any, where: str, purls: PackagePurls) -> PackageURL | None:
    """Return the purl of a component; ``None`` if it has no purl."""
    if isinstance(given, str):
        given = {"@id": given}
    if not isinstance(given, dict):
        raise BadVex(f"{where}: a product must be an object")
    identifiers = given.get("identifiers") or {}
    purl = identifiers.get("purl") if isinstance(identifiers, dict) else None
    text = purl or given.get("@id") or ""
    if not isinstance(text, str):
        raise BadVex(f"{where}: the name of a product must be a string")
    return purls.parse(text, where) if text.startswith("pkg:") else None


def _list(given: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = given.get(name) or []
    if not isinstance(value, list):
        raise BadVex(f"{where}: {name} must be a list")
    return value


def _text(given: Mapping[str, Any], name: str, where: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise BadVex(f"{where}: {name} must be a string")
    return value or None
