"""What Clair's v1 API says: pure parsers of its JSON, one for each kind of answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field, frozen

from patches.interfaces import SourceError
from patches.platforms import Platform
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
#: Versions that say that there is no fix; the second is how Clair stores it, and is not meant to reach the wire.
NO_FIX = ("None", "#MAXV#")
#: Reasons for which a package is left out of a vulnerability; without them nothing can be said about it.
NO_VERSION = "package without a version"
NO_PACKAGE_NAME = "package without a name"


class MalformedDocument(SourceError):
    """An answer that is not what Clair's API promises."""


@frozen
class Page:
    """
    One page of a list.

    :ivar names: the names of the vulnerabilities, in the order of the list; empty where Clair left it out.
    :ivar next_page: the token of the next page; ``None``: this is the last one.
    """

    names: tuple[str, ...]
    next_page: str | None


@frozen
class Details:
    """
    One vulnerability with its packages.

    :ivar left_out: a reason for each package that could not be taken over.
    """

    vulnerability: Vulnerability
    left_out: tuple[str, ...] = ()


def is_error(body: bytes) -> bool:
    """Tell Clair's own errors from those of a router or a proxy, by the text: the type it gives is not always right."""
    try:
        return "Message" in _object(_object(_json(body)).get("Error"))
    except MalformedDocument:
        return False


def parse_namespaces(body: bytes) -> tuple[str, ...]:
    """
    Read the names of all namespaces.

    :raises MalformedDocument: if it is not such a list.
    """
    return tuple(_text(_object(entry).get("Name")) for entry in _listed(_json(body), "Namespaces"))


def parse_page(body: bytes) -> Page:
    """
    Read one page of a namespace's list.

    :raises MalformedDocument: if it is not such a page.
    """
    document = _object(_json(body))
    names = tuple(_text(_object(entry).get("Name")) for entry in _listed(document, "Vulnerabilities"))
    return Page(names, _text(document.get("NextPage")) or None)


def parse_details(body: bytes, name: str, platform: Platform) -> Details:
    """
    Read the details of one vulnerability.

    A ``FixedIn`` that is absent means that nothing is affected. A package of which no version is told is left out, and
    the reason given: it is neither affected nor clean. Metadata is free-form in Clair: what is not NVD's is left aside.

    :param name: the name that was asked for.
    :raises MalformedDocument: if it is not the vulnerability of that name.
    """
    record = _object(_object(_json(body)).get("Vulnerability"))
    if record.get("Name") != name:
        raise MalformedDocument("it is another vulnerability than the one asked for")
    packages, left_out = _packages(record.get("FixedIn"), platform.package_kind)
    vulnerability = Vulnerability(
        name=name,
        platform=str(platform),
        fixed_in=packages,
        severity=_severity(record.get("Severity")),
        details_href=record["Link"] if isinstance(record.get("Link"), str) else "",
        source="clair",
        cvss=_cvss(record.get("Metadata")),
    )
    return Details(vulnerability, left_out)


def _packages(fixed_in: Any, kind: str) -> tuple[tuple[FixedPackage, ...], tuple[str, ...]]:
    packages, left_out = [], []
    for entry in _array(fixed_in):
        name, version = _text(_object(entry).get("Name")), _text(entry.get("Version"))
        if not name:
            left_out.append(NO_PACKAGE_NAME)
        elif not version:
            left_out.append(NO_VERSION)
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


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedDocument("it is not JSON") from error


def _listed(document: Any, key: str) -> list[Any]:
    """Take the list out of its envelope; ``null`` is how Clair writes an empty one."""
    if key not in _object(document):
        raise MalformedDocument(f"it has no {key}")
    return _array(document[key])


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedDocument("it has something else where an object belongs")
    return value


def _array(value: Any) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise MalformedDocument("it has something else where a list belongs")
    return value or []


def _text(value: Any) -> str:
    """Take a string that can be encoded; Clair leaves out empty ones."""
    if value is not None and not isinstance(value, str):
        raise MalformedDocument("it has something else where a text belongs")
    try:
        (value or "").encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedDocument("it has a text that is not Unicode") from error
    return value or ""


#: So many entries that were left out are remembered by name; a list with more of them is always read whole.
MAX_LEFT_OUT = 1_000


@define(eq=False)
class SkippedEntries:
    """
    What is left out of a list.

    :ivar reasons: by the name of the entry, how often each.
    :ivar counts: by reason.
    :ivar is_known: whether it is few enough to be remembered by the names of entries.
    """

    reasons: dict[str, Counter[str]] = field(factory=dict)
    counts: Counter[str] = field(factory=Counter)
    is_known: bool = True

    @classmethod
    def of(cls, reasons: Mapping[str, Counter[str]]) -> SkippedEntries:
        """Begin with what was left out before."""
        return cls(dict(reasons), sum(reasons.values(), Counter()))

    def note(self, name: str, reasons: Iterable[str]) -> None:
        """Note what is left out of an entry, in place of what was before."""
        self.counts -= self.reasons.pop(name, Counter())
        noted = Counter(reasons)
        self.counts.update(noted)
        if noted:
            self.is_known = self.is_known and len(self.reasons) < MAX_LEFT_OUT
            if self.is_known:
                self.reasons[name] = noted
