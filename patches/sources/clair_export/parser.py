"""
Parser of Clair v4's ``clairctl export-updaters``: one line per updater, vulnerability and package.

Its vulnerabilities are those of the distributions, in one form; but an empty version or a version of zero has a
different meaning in each of them.

Source: claircore's ``libvuln/jsonblob``, ``vulnerability.go``, and its matchers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from patches.errors import SourceError
from patches.platforms import Platform
from patches.skipped import NO_ID, NO_PACKAGE, NO_RECORD
from patches.sources.clair_export.distributions import release_of
from patches.sources.fields import (
    SOURCES,
    arch_restriction,
    arches_in_pattern,
    is_link,
    is_name,
    severity_in,
    text_of,
    time_in,
)
from patches.sources.ids import NamedId, errata, named_ids, split_ids, vulnerability_ids
from patches.sources.parse_context import NoPlatform, ParseContext, invalid
from patches.sources.red_hat import ProductRelease, parse_module
from patches.sources.titles import title_of
from patches.versions import InvalidVersion, ordering
from patches.vulnerability import KINDS, FixedPackage, Vulnerability

_LONGEST = 4 * 1024 * 1024
_LANGUAGES = "osv/"
#: family → the meaning of a fixed version of 0; for other families it is a version
_ZERO = {"alpine": "not_affected", "debian": "not_affected", "ubuntu": "affected"}


def parse_clair_export(stream: BinaryIO, context: ParseContext) -> Iterator[Vulnerability]:
    """
    Yield a vulnerability for each package of an export.

    A vulnerability of several packages is yielded in fragments; see :mod:`patches.sources.regroup`.

    :raises SourceError: if the file is not an export, or is damaged.
    """
    empty = True
    for number, entry in enumerate(_entries(stream), start=1):
        if not isinstance(entry, dict) or "Updater" not in entry:
            raise SourceError(f"line {number}: not an entry of a Clair export")
        empty = False
        if entry.get("Kind") == "vulnerability":
            yield from _parse_entry(entry, context)
    if empty:
        raise SourceError("it is empty")


def _entries(stream: BinaryIO) -> Iterator[Any]:
    number = 0
    while line := stream.readline(_LONGEST + 1):
        number += 1
        if len(line) > _LONGEST:
            raise SourceError(f"line {number}: longer than {_LONGEST} bytes")
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"line {number}: not JSON, or only a part of it") from error


def _parse_entry(entry: dict[str, Any], context: ParseContext) -> Iterator[Vulnerability]:
    record, updater = entry.get("Vuln"), entry.get("Updater")
    if not isinstance(record, dict) or not isinstance(updater, str):
        context.skip(NO_RECORD)
        return
    if updater.startswith(_LANGUAGES):
        context.skip("package of a programming language")
        return
    try:
        release = release_of(record, context)
        if context.wants(release.platform):
            yield from _vulnerabilities(record, release, context)
    except NoPlatform as error:
        context.skip(error.reason)


def _vulnerabilities(record: dict[str, Any], release: ProductRelease, context: ParseContext) -> Iterator[Vulnerability]:
    names = _names(text_of(record.get("name")))
    package = record.get("package")
    if not names:
        context.skip(NO_ID)
    elif not isinstance(package, dict) or not is_name(package.get("name")) or package.get("kind") not in KINDS:
        context.skip(NO_PACKAGE)
    elif package.get("kind") == "source" or package.get("arch") not in SOURCES:
        try:
            fixed = _fixed(record, package, release)
        except InvalidVersion as error:
            module = parse_module(text_of(package.get("module")))
            fixed = context.unreadable(package["name"], package["kind"], invalid(error.version), release.track, module)
        told = _aliases(record, [each.name for each in names])
        links, vector = text_of(record.get("links")).split(), text_of(record.get("severity"))
        for each in names:
            yield Vulnerability(
                name=each.name,
                platform=release.platform,
                fixed_in=(fixed,),
                severity=severity_in(record.get("normalized_severity")),
                details_href=_page(links, each.name),
                aliases=tuple(sorted((told | each.aliases) - {each.name})),
                source=context.source,
                published=time_in(record.get("issued")),
                cvss=vector if vector.startswith("CVSS:") and is_name(vector) else None,
                note=each.note,
                title=title_of(record.get("description")),
            )


def _names(title: str) -> list[NamedId]:
    """Return the ids in a title: ``CVE-2024-0001 on Ubuntu 22.04 LTS (jammy) - low.``; without any, its first word."""
    if split_ids(title)[0]:
        return named_ids(title)
    first = title.split()[0].rstrip(":") if title.split() else ""
    return [NamedId(first)] if is_name(first) else []


def _aliases(record: dict[str, Any], names: list[str]) -> set[str]:
    """Return the aliases; an advisory names its CVEs in its links only."""
    listed = record.get("Aliases")
    told = [record.get("Self"), *(listed if isinstance(listed, list) else [])]
    texts = [f"{text_of(each.get('space'))}-{text_of(each.get('name'))}" for each in told if isinstance(each, dict)]
    links = text_of(record.get("links"))
    if not any(name.startswith("CVE-") for name in names):
        texts.append(links)
    return {*vulnerability_ids(texts), *errata(links)}


def _page(links: list[str], name: str) -> str:
    usable = [link for link in links if is_link(link)]
    return next((link for link in usable if name in link), usable[0] if usable else "")


def _fixed(record: dict[str, Any], package: dict[str, Any], release: ProductRelease) -> FixedPackage:
    """
    Return the package, with the vulnerable versions as Clair's matchers interpret them.

    :raises InvalidVersion: if a version cannot be compared.
    """
    parsed = Platform.from_name(release.platform)
    version, last = text_of(record.get("fixed_in_version")), text_of(package.get("version"))
    status = "fixed" if version else "affected"
    if version == "0":
        status = _ZERO.get(parsed.family, status)
    if record.get("Invert") is True:
        status = "not_affected"
    by_last = status == "affected" and parsed.version_scheme == "rpm" and bool(last)
    for bound in [version] if status == "fixed" else [last] if by_last else []:
        _check(bound, parsed.version_scheme or "")
    return FixedPackage(
        package["name"],
        version if status == "fixed" else None,
        package["kind"],
        status=status,
        arches=_arches(text_of(record.get("arch_op")), text_of(package.get("arch")), package["kind"]),
        module=parse_module(text_of(package.get("module"))),
        last_affected=last if by_last else None,
        track=release.track,
    )


def _check(version: str, scheme: str) -> None:
    sort_key = ordering(scheme)
    if not is_name(version) or sort_key is None:
        raise InvalidVersion(version, "it cannot be printed or compared")
    sort_key(version)


def _arches(operation: str, arch: str, kind: str) -> tuple[str, ...] | None:
    """
    Return the restriction to architectures; ``None`` if it is not understood: a false finding is better than a missed
    one.
    """
    if kind == "source" or not arch:
        return None
    if operation == "equals":
        return arch_restriction([arch])
    found = arches_in_pattern(arch) if operation == "pattern match" else None
    return arch_restriction(found) if found else None
