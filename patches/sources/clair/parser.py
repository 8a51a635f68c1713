"""Parsers of the responses of Clair's v1 API: pure functions from JSON to values, one per kind of response."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from patches.errors import SourceError
from patches.platforms import Platform
from patches.skipped import NO_PACKAGE_NAME, SLASH, UNREADABLE
from patches.sources.titles import title_of
from patches.vulnerability import FixedPackage, Severity, Vulnerability

SEVERITIES = {
    "Unknown": Severity.UNKNOWN,
    "Negligible": Severity.NEGLIGIBLE,
    "Low": Severity.LOW,
    "Medium": Severity.MEDIUM,
    "High": Severity.HIGH,
    "Critical": Severity.CRITICAL,
    "Defcon1": Severity.URGENT,
}
#: Versions that mean "no fix"; the second is Clair's stored form, which is not meant to be sent.
NO_FIX = ("None", "#MAXV#")
#: The version below all others, in Clair's stored form: no version is affected.
NOT_AFFECTED = "#MINV#"
#: The note of a record whose details cannot be asked for.
SLASH_NOTE = "Clair cannot be asked for the packages of a name with a slash"


class MalformedDocument(SourceError):
    """A response that does not conform to Clair's API."""


@frozen
class Details:
    """
    A vulnerability with its packages.

    :ivar left_out: a reason for each package that was skipped or could not be read.
    :ivar digest: 16 hexadecimal digits, which differ for different details, and not for another order of the packages.
    """

    vulnerability: Vulnerability
    left_out: tuple[str, ...] = ()
    digest: str = field(default="", eq=False)


@frozen
class Page:
    """
    One page of a list.

    :ivar names: the names of the vulnerabilities, in the order of the list; empty where Clair omits the name.
    :ivar next_page: the token of the next page; ``None``: this is the last one.
    :ivar told: what the page tells of entries whose details cannot be asked for, by name.
    """

    names: tuple[str, ...]
    next_page: str | None
    told: Mapping[str, Details] = field(factory=dict)


#: The most values of a document, counted by what separates them: each takes some 90 bytes of
#: memory, many times what it takes in the document. A page of 500 entries has 200 for each.
MAX_VALUES = 100_000
_SEPARATORS = (b",", b":", b"[", b"{")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


def is_error(body: bytes) -> bool:
    """
    Return whether a body is Clair's own error, not one of a router or proxy; its ``Content-Type`` is not always right.
    """
    try:
        return "Message" in _object(_object(_json(body)).get("Error"))
    except MalformedDocument:
        return False


def parse_namespaces(body: bytes) -> tuple[str, ...]:
    """
    Parse the names of all namespaces.

    :raises MalformedDocument: if the document is not a list of namespaces.
    """
    return tuple(_text(_object(entry).get("Name")) for entry in _listed(_json(body), "Namespaces"))


def parse_page(body: bytes, platform: Platform, source: str = "clair") -> Page:
    """
    Parse one page of a namespace's list.

    A name with a slash cannot be sent in a path, even if encoded: its record has what the page tells, without packages.

    :raises MalformedDocument: if the document is not a page of a list.
    """
    document = _object(_json(body))
    entries = [_object(entry) for entry in _listed(document, "Vulnerabilities")]
    names = tuple(_text(entry.get("Name")) for entry in entries)
    told = {
        name: _told(entry, name, platform, source) for name, entry in zip(names, entries, strict=True) if "/" in name
    }
    return Page(names, _text(document.get("NextPage")) or None, told)


def _told(entry: dict[str, Any], name: str, platform: Platform, source: str) -> Details:
    vulnerability = _vulnerability(entry, name, platform, source, (), SLASH_NOTE)
    return Details(vulnerability, (SLASH,), digest_of(entry))


def parse_details(body: bytes, name: str, platform: Platform, source: str = "clair") -> Details:
    """
    Parse the details of one vulnerability.

    A ``FixedIn`` that is absent means that no package is affected. A package without a version cannot be read: it
    is neither affected nor unaffected. Metadata is free-form in Clair: only NVD's is read.

    :param name: the requested name.
    :param source: the name of the source in the vulnerability.
    :raises MalformedDocument: if it is not the vulnerability of that name.
    """
    record = _object(_object(_json(body)).get("Vulnerability"))
    if record.get("Name") != name:
        raise MalformedDocument("it is another vulnerability than the one asked for")
    packages, left_out = _packages(record.get("FixedIn"), platform.package_kind)
    return Details(_vulnerability(record, name, platform, source, packages), left_out, digest_of(record))


def digest_of(record: Mapping[str, Any]) -> str:
    """Return the digest of a vulnerability in Clair's form, in which the order of packages means nothing."""
    others = {name: value for name, value in record.items() if name != "FixedIn"}
    text = repr((others, sorted(map(repr, record.get("FixedIn") or ()))))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _vulnerability(
    record: Mapping[str, Any],
    name: str,
    platform: Platform,
    source: str,
    packages: tuple[FixedPackage, ...],
    note: str | None = None,
) -> Vulnerability:
    return Vulnerability(
        name=name,
        platform=str(platform),
        fixed_in=packages,
        severity=_severity(record.get("Severity")),
        details_href=record["Link"] if isinstance(record.get("Link"), str) else "",
        source=source,
        cvss=_cvss(record.get("Metadata")),
        title=title_of(record.get("Description")),
        note=note,
    )


def _packages(fixed_in: Any, kind: str) -> tuple[tuple[FixedPackage, ...], tuple[str, ...]]:
    packages, left_out = [], []
    for entry in _array(fixed_in):
        name, version = _text(_object(entry).get("Name")), _text(entry.get("Version"))
        if not name:
            left_out.append(NO_PACKAGE_NAME)
        elif not version:
            left_out.append(UNREADABLE)
            packages.append(FixedPackage(name, None, kind, status="unreadable", note="the version is missing"))
        elif version == NOT_AFFECTED:
            continue
        elif version in NO_FIX:
            packages.append(FixedPackage(name, None, kind, status="affected"))
        else:
            packages.append(FixedPackage(name, version, kind))
    return tuple(sorted(packages, key=lambda package: (package.name, package.version or ""))), tuple(left_out)


def _severity(word: Any) -> Severity:
    return SEVERITIES.get(word, Severity.UNKNOWN) if isinstance(word, str) else Severity.UNKNOWN


def _cvss(metadata: Any) -> str | None:
    for key in ("NVD", "CVSSv2", "Vectors"):
        metadata = metadata.get(key) if isinstance(metadata, dict) else None
    return metadata if isinstance(metadata, str) and metadata else None


def _separators(body: bytes) -> int:
    return sum(map(body.count, _SEPARATORS))


def _json(body: bytes) -> Any:
    if _separators(body) > MAX_VALUES and _separators(_STRING.sub(b"", body)) > MAX_VALUES:
        raise MalformedDocument(f"it has more than {MAX_VALUES} values")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedDocument("it is not JSON") from error


def _listed(document: Any, key: str) -> list[Any]:
    """Return the list in an envelope; Clair writes an empty list as ``null``."""
    if key not in _object(document):
        raise MalformedDocument(f"it has no {key}")
    return _array(document[key])


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedDocument("it has another value where an object is expected")
    return value


def _array(value: Any) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise MalformedDocument("it has another value where a list is expected")
    return value or []


def _text(value: Any) -> str:
    """Return a string that can be encoded; Clair omits empty ones."""
    if value is not None and not isinstance(value, str):
        raise MalformedDocument("it has another value where a string is expected")
    try:
        (value or "").encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedDocument("it has a string that is not Unicode") from error
    return value or ""
