"""
Parser of records in OSV's format, of any distribution; yields one vulnerability per record and platform.

A record about a single CVE is named by the CVE, and its own id is an alias; an advisory keeps its id, and its CVEs are
aliases. The rules of each distribution are in :mod:`patches.sources.osv.table`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from patches.followed import followed_records
from patches.platforms import Platform
from patches.skipped import NO_PACKAGE, NO_RECORD, WITHDRAWN
from patches.sources.archive.members import json_documents
from patches.sources.fields import dicts, is_link, is_name, object_of, text_of, time_in
from patches.sources.ids import vulnerability_ids
from patches.sources.osv.ecosystems import ECOSYSTEMS, Ecosystems
from patches.sources.osv.packages import Entry, packages_of, stream_in
from patches.sources.osv.rules import Ecosystem
from patches.sources.osv.severity import severity_of, vector_of
from patches.sources.parse_context import NoPlatform, ParseContext
from patches.sources.titles import title_of
from patches.vulnerability import Vulnerability

_CVE = re.compile(r"CVE-\d{4}-\d{4,19}\Z")


def parse_osv(
    members: Iterable[tuple[str, bytes]],
    context: ParseContext,
    ecosystems: Ecosystems = ECOSYSTEMS,
) -> Iterator[Vulnerability]:
    """
    Yield the vulnerabilities of an archive's records, one at a time.

    At the end, the packages are listed that a distribution follows, for each of its platforms in the archive.

    :param members: the name and the content of each file in the archive.
    :raises SourceError: if the archive contains no record.
    """
    followed = _Followed(ecosystems)
    for document in json_documents(members, is_record, "a record in OSV's format", context):
        followed.note(document)
        for vulnerability in parse_record(document, context, ecosystems):
            followed.platforms.add(vulnerability.platform)
            yield vulnerability
    for platform in sorted(followed.platforms):
        yield from followed_records(platform, followed.names(platform), context.source)


class _Followed:
    """
    The packages that distributions follow.

    :ivar platforms: the platforms with records.
    """

    def __init__(self, ecosystems: Ecosystems) -> None:
        self.platforms: set[str] = set()
        self._rows = ecosystems.following
        self._names: dict[str, set[str]] = {name: set() for name in self._rows}

    def note(self, document: dict[str, Any]) -> None:
        """Add the packages of a record, of any release."""
        for content in dicts(document.get("affected")):
            package = object_of(content.get("package"))
            name, ecosystem = package.get("name"), text_of(package.get("ecosystem")).partition(":")[0]
            if ecosystem in self._names and is_name(name):
                self._names[ecosystem].add(name)

    def names(self, platform: str) -> set[str]:
        """Return the packages that are followed on a platform."""
        family = Platform.from_name(platform).family
        return next((self._names[name] for name, families in self._rows.items() if family in families), set())


def is_record(document: Any) -> bool:
    """Return whether a document may be a record: an object with an id."""
    return isinstance(document, dict) and is_name(document.get("id"))


def parse_record(
    document: Any,
    context: ParseContext,
    ecosystems: Ecosystems = ECOSYSTEMS,
) -> Iterator[Vulnerability]:
    """
    Yield the vulnerabilities of a record, one per platform.

    :param document: a parsed JSON value.
    """
    if not is_record(document):
        context.skip(NO_RECORD)
        return
    if time_in(document.get("withdrawn")) is not None:
        context.skip(WITHDRAWN)
        return
    entries = list(_entries(document, context, ecosystems))
    reasons = {ecosystem.refusal(document["id"]) for ecosystem in {entry.place.ecosystem for entry in entries}}
    context.skipped.update(reason for reason in reasons if reason)
    platforms: dict[str, list[Entry]] = {}
    for entry in entries:
        if not entry.place.ecosystem.refusal(document["id"]):
            platforms.setdefault(entry.place.platform, []).append(entry)
    stream = stream_in(document.get("summary")) if platforms else None
    for platform, found in platforms.items():
        packages = packages_of(found, stream, context)
        if packages:
            yield _vulnerability(document, platform, found, context.source, fixed_in=packages)


def _entries(document: dict[str, Any], context: ParseContext, ecosystems: Ecosystems) -> Iterator[Entry]:
    """Yield the affected packages on the platforms that are wanted; of the others each reason is counted once."""
    affected = document.get("affected")
    if not isinstance(affected, list) or not affected:
        context.skip(NO_PACKAGE)
        return
    refused: set[str] = set()
    for content in affected:
        package = content.get("package") if isinstance(content, dict) else None
        name, ecosystem = (package.get("name"), package.get("ecosystem")) if isinstance(package, dict) else (None, None)
        if not isinstance(ecosystem, str) or not is_name(name):
            context.skip(NO_PACKAGE)
            continue
        try:
            place = ecosystems.place(ecosystem)
        except NoPlatform as error:
            if error.reason not in refused:
                refused.add(error.reason)
                context.skip(context.bounded(error.reason))
            continue
        if context.wants(place.platform):
            yield Entry(place, name, content)


def _vulnerability(
    document: dict[str, Any], platform: str, entries: list[Entry], source: str, **rest: Any
) -> Vulnerability:
    ecosystem, record_id = entries[0].place.ecosystem, document["id"]
    contents = [entry.content for entry in entries]
    name = _name(record_id, ecosystem)
    found = vulnerability_ids(text for where in ecosystem.cves for text in _texts(document.get(where)))
    return Vulnerability(
        name=name,
        platform=platform,
        severity=severity_of(document, contents, ecosystem.rated_in_summary),
        details_href=_link(document, name, ecosystem),
        aliases=tuple(sorted({record_id, *found} - {name})),
        source=source,
        published=time_in(document.get("published")),
        title=title_of(document.get("summary"), document.get("details")),
        cvss=vector_of([score for holder in (document, *contents) for score in dicts(holder.get("severity"))]),
        **rest,
    )


def _name(record_id: str, ecosystem: Ecosystem) -> str:
    cve = record_id.removeprefix(ecosystem.cve_prefix) if ecosystem.cve_prefix else ""
    return cve if _CVE.match(cve) else record_id


def _link(document: dict[str, Any], name: str, ecosystem: Ecosystem) -> str:
    if ecosystem.page:
        return ecosystem.page.format(name=name)
    references = [item for item in dicts(document.get("references")) if is_link(item.get("url"))]
    urls = [item["url"] for kind in ("ADVISORY", "WEB") for item in references if item.get("type") == kind]
    preferred = [url for url in urls if ecosystem.home and url.startswith(ecosystem.home)]
    return next(iter((*preferred, *urls)), f"https://osv.dev/vulnerability/{document['id']}")


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
