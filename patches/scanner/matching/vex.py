"""
Parser of OpenVEX documents: a statement with the status "not affected" or "fixed" is a decision to ignore a finding.

Source: OpenVEX specification 0.2.0. A later statement about the same vulnerability and product replaces an earlier one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import frozen
from packageurl import PackageURL

from patches.scanner.matching.ignores import Ignore, Ignores
from patches.scanner.matching.purls import TYPES

STATUSES = ("not_affected", "affected", "fixed", "under_investigation")
#: The specification's keywords for why a product is not affected.
JUSTIFICATIONS = (
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
)
#: The statuses that need no action, so that the finding is ignored.
_SETTLED = ("not_affected", "fixed")
#: Types of purls that name a whole host or image, which contains the packages of a distribution.
_WHOLE = ("oci", "docker", "generic")
#: The time of a statement if neither it nor its document has a time: every other statement is newer.
_FIRST = datetime.min.replace(tzinfo=UTC)


class BadVex(ValueError):
    """A document is not valid OpenVEX; the text names the statement, in one line."""


@frozen
class _Statement:
    number: int
    status: str
    names: tuple[str, ...]
    products: tuple[PackageURL | None, ...]
    reason: str
    justification: str | None
    told: datetime


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
    told = _time(document.get("last_updated") or document.get("timestamp"), "timestamp")
    statements = _list(document, "statements", "the document")
    read = [_statement(number, each, told or _FIRST) for number, each in enumerate(statements, 1)]
    return Ignores(tuple(_decisions(read)))


def _decisions(statements: Sequence[_Statement]) -> Iterator[Ignore]:
    """
    Yield the newest statement about each pair of vulnerability and product; of two with the same time, the later one.

    An alias may be the name of an advisory about several vulnerabilities, while the statement means only one of them.
    Such a decision therefore applies only to a finding whose vulnerability id is the alias itself.
    """
    decided = set()
    for statement in sorted(statements, key=lambda each: (each.told, each.number), reverse=True):
        for name in statement.names:
            for product in statement.products:
                if (name, product) in decided:
                    continue
                decided.add((name, product))
                if statement.status in _SETTLED:
                    alias, status = name != statement.names[0], statement.status
                    yield Ignore(name, None, statement.reason, None, product, alias, status, statement.justification)


def _statement(number: int, given: Any, told: datetime) -> _Statement:
    where = f"statement {number}"
    if not isinstance(given, dict):
        raise BadVex(f"{where}: must be an object")
    if given.get("status") not in STATUSES:
        raise BadVex(f"{where}: status must be one of {', '.join(STATUSES)}")
    justification = _text(given, "justification", where)
    if justification not in (None, *JUSTIFICATIONS):
        raise BadVex(f"{where}: justification must be one of {', '.join(JUSTIFICATIONS)}")
    if given["status"] in _SETTLED and not given.get("products"):
        raise BadVex(f"{where}: products are missing")
    notes = [_text(given, name, where) for name in ("impact_statement", "status_notes")]
    return _Statement(
        number,
        given["status"],
        _names(given.get("vulnerability"), where),
        tuple(_products(given, where)),
        next((note for note in (*notes, justification) if note), f"{given['status'].replace('_', ' ')}, by VEX"),
        justification,
        _time(given.get("last_updated") or given.get("timestamp"), where) or told,
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


def _products(statement: Mapping[str, Any], where: str) -> Iterator[PackageURL | None]:
    """Yield the packages that a statement is about; ``None`` stands for the whole host."""
    for product in _list(statement, "products", where):
        inner = _list(product, "subcomponents", where) if isinstance(product, dict) else []
        named = [_product(each, where) for each in (product, *inner)]
        packages = [purl for purl in named if purl is not None and purl.type in TYPES.values()]
        if packages:
            yield from packages
        elif not inner and (named[0] is None or named[0].type in _WHOLE):
            yield None


def _product(given: Any, where: str) -> PackageURL | None:
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
    if not text.startswith("pkg:"):
        return None
    try:
        return PackageURL.from_string(text)
    except ValueError as error:
        raise BadVex(f"{where}: not a purl: {text}") from error


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


def _time(value: Any, where: str) -> datetime | None:
    if value is None:
        return None
    try:
        told = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise BadVex(f"{where}: not a time: {value!r}") from error
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)
