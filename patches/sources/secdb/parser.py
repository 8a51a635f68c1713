"""
Parser of Alpine's secdb, also published by Wolfi and Chainguard: the package versions that fixed vulnerabilities.

It contains neither vulnerabilities without a fix nor severities. A document is one repository of one release.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import ijson
from attrs import define, field

from patches.errors import SourceError
from patches.followed import followed_records
from patches.skipped import NO_ID, NO_RECORD
from patches.sources.archive.json_stream import BoundedJson
from patches.sources.fields import is_name, object_of
from patches.sources.ids import named_ids, split_ids
from patches.sources.parse_context import ParseContext, invalid
from patches.versions import InvalidVersion
from patches.versions.apk import sort_key
from patches.vulnerability import FixedPackage, Vulnerability

#: The version that means that the package was never affected.
_NEVER = "0"


@define(eq=False)
class _Fix:
    """
    One vulnerability in one package.

    :ivar version: the highest version that fixes it; ``None``: no valid version is listed.
    :ivar invalid: a version that is not valid, or ``None``.
    :ivar aliases: its other names.
    :ivar note: the text beside its id, unless that is one of its aliases; ``None`` if there is none.
    """

    version: str | None = None
    invalid: str | None = None
    aliases: set[str] = field(factory=set)
    note: str | None = None

    def fixed_in(self, version: str) -> None:
        """Add a version that fixes it."""
        if not _is_valid(version):
            self.invalid = self.invalid or version
        elif self.version in (None, _NEVER) or (version != _NEVER and sort_key(version) > sort_key(self.version or "")):
            self.version = version


def parse_secdb(stream: BinaryIO, platform: str, context: ParseContext) -> Iterator[Vulnerability]:
    """
    Yield a vulnerability for each package and vulnerability id of a secdb document.

    A vulnerability of several packages, or in several documents, is yielded in fragments; see
    :mod:`patches.sources.regroup`. At the end, the packages of the document are listed: it follows these, except those
    of which something without a readable id was skipped.

    :param platform: the platform of the document: ``alpine-3.20``, ``wolfi``.
    :raises SourceError: if the document is not a secdb, or ends early.
    """
    followed: set[str] = set()
    unread: set[str] = set()
    try:
        bounded = BoundedJson(stream)
        events = _Events(bounded)
        for item in ijson.items(events, "packages.item"):
            bounded.begin()
            name, fixes = _package(item)
            if not is_name(name):
                context.skip(NO_RECORD)
                continue
            fixes_by_id, is_complete = _fixes_by_id(fixes, context)
            (followed if is_complete else unread).add(name)
            yield from _vulnerabilities(name, fixes_by_id, platform, context)
    except ijson.JSONError as error:
        raise SourceError(f"not JSON: {str(error).splitlines()[0].strip()}") from error
    if not events.has_packages:
        raise SourceError("it is not a secdb: it has no packages")
    yield from followed_records(platform, followed - unread, context.source)


class _Events:
    """The events of a document, and whether it has a list of packages, which is empty in a new release."""

    def __init__(self, stream: BoundedJson) -> None:
        self.has_packages = False
        self._events = ijson.parse(stream)

    def __iter__(self) -> Iterator[tuple[str, str, Any]]:
        for prefix, event, value in self._events:
            self.has_packages = self.has_packages or (prefix == "packages" and event in ("start_array", "null"))
            yield prefix, event, value


def _package(item: Any) -> tuple[Any, Any]:
    """Return the name and the fixes of a package, of any type."""
    package = object_of(object_of(item).get("pkg"))
    return package.get("name"), package.get("secfixes")


def _vulnerabilities(
    name: str, fixes: dict[str, _Fix], platform: str, context: ParseContext
) -> Iterator[Vulnerability]:
    for vulnerability_id, found in fixes.items():
        yield Vulnerability(
            name=vulnerability_id,
            platform=platform,
            fixed_in=tuple(_packages(name, found, context)),
            details_href=_page(vulnerability_id, platform),
            aliases=tuple(sorted(found.aliases)),
            source=context.source,
            note=found.note,
        )


def _packages(name: str, found: _Fix, context: ParseContext) -> Iterator[FixedPackage]:
    if found.version == _NEVER:
        yield FixedPackage(name, None, status="not_affected")
    elif found.version is not None:
        yield FixedPackage(name, found.version)
    if found.invalid is not None:
        yield context.unreadable(name, "source", invalid(found.invalid))


def _fixes_by_id(fixes: Any, context: ParseContext) -> tuple[dict[str, _Fix], bool]:
    """Return the fixes of a package by vulnerability id, and whether all were read."""
    found: dict[str, _Fix] = {}
    if not isinstance(fixes, dict):
        context.skip(NO_RECORD)
        return found, False
    is_complete = True
    for version, texts in fixes.items():
        texts = [texts] if isinstance(texts, str) else texts
        if not isinstance(texts, list):
            context.skip(NO_RECORD)
            is_complete = False
            continue
        for text in texts:
            ids = named_ids(text) if isinstance(text, str) and split_ids(text)[0] else []
            if not ids:
                context.skip(NO_ID)
                is_complete = False
            for each in ids:
                fix = found.setdefault(each.name, _Fix())
                fix.fixed_in(version)
                fix.aliases |= each.aliases
                fix.note = fix.note or (each.note if each.note not in each.aliases else None)
    return found, is_complete


def _is_valid(version: str) -> bool:
    try:
        return version == _NEVER or (is_name(version) and bool(sort_key(version)))
    except InvalidVersion:
        return False


def _page(vulnerability_id: str, platform: str) -> str:
    if vulnerability_id.startswith("GHSA-"):
        return f"https://github.com/advisories/{vulnerability_id}"
    if not vulnerability_id.startswith("CVE-"):
        return ""
    site = (
        "https://security.alpinelinux.org/vuln"
        if platform.startswith("alpine-")
        else "https://nvd.nist.gov/vuln/detail"
    )
    return f"{site}/{vulnerability_id}"
