"""
Parser of ``updateinfo.xml``: the advisories of an rpm repository, published by Amazon, Rocky, Alma, Fedora and others.

The file contains fixed vulnerabilities only. It names binary packages, with their architectures, and the module streams
of modular packages. It does not name its platform.

Source: libsolv's ``ext/repo_updateinfoxml.c``, and createrepo_c's ``updateinfo``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO
from xml.etree.ElementTree import Element

from patches.skipped import NO_PACKAGE, NO_RECORD, NO_TYPE, NOT_SECURITY, WITHDRAWN
from patches.sources.archive.xml import children, name_of, text_in
from patches.sources.fields import SOURCES, arch_restriction, is_link, is_name, severity_in, sorted_packages
from patches.sources.ids import vulnerability_ids
from patches.sources.parse_context import ParseContext, invalid
from patches.sources.titles import title_of
from patches.vulnerability import FixedPackage, Vulnerability

#: A package without its architectures: name, version, module.
_Build = tuple[str, str, str | None]
_PART = re.compile(r"[!-,.-~]{1,128}\Z")
_EPOCH = re.compile(r"[0-9]{1,10}\Z")
_SECONDS = re.compile(r"[0-9]{9,11}\Z")


def parse_updateinfo(stream: BinaryIO, platform: str, context: ParseContext) -> Iterator[Vulnerability]:
    """
    Yield the advisories about security.

    An advisory that occurs in several repositories, or twice in one, is yielded in fragments; see
    :mod:`patches.sources.regroup`.

    :param platform: the platform of the repository, ``amazon-2023``.
    :raises SourceError: if the document is not an ``updateinfo.xml``, or ends early.
    """
    for update in children(stream, "updates"):
        name = text_in(update, "id")
        if name_of(update) != "update" or not is_name(name):
            context.skip(NO_RECORD)
        elif not (kind := update.get("type", "").strip().lower()):
            context.skip(NO_TYPE)
        elif kind != "security":
            context.skip(NOT_SECURITY)
        elif update.get("status") == "retracted":
            context.skip(WITHDRAWN)
        else:
            packages = _packages(update, context)
            if packages:
                yield _vulnerability(update, name, platform, packages, context.source)
            else:
                context.skip(NO_PACKAGE)


def _vulnerability(
    update: Element, name: str, platform: str, packages: tuple[FixedPackage, ...], source: str
) -> Vulnerability:
    references = list(update.iterfind("{*}references/{*}reference"))
    issued = update.find("{*}issued")
    return Vulnerability(
        name=name,
        platform=platform,
        fixed_in=packages,
        severity=severity_in(text_in(update, "severity")),
        details_href=_page(references, name),
        aliases=tuple(alias for alias in _cves(update, references) if alias != name),
        source=source,
        title=title_of(text_in(update, "title"), text_in(update, "description")),
        published=time_of(issued.get("date", "")) if issued is not None else None,
    )


def _cves(update: Element, references: list[Element]) -> tuple[str, ...]:
    """
    Return the CVEs of an advisory, from the list of references; Fedora has them in titles of other references only.
    """
    listed = vulnerability_ids(each.get("id", "") for each in references if each.get("type") == "cve")
    if listed:
        return listed
    texts = [text for each in references for text in (each.get("title", ""), each.get("href", ""))]
    return vulnerability_ids([*texts, text_in(update, "title"), text_in(update, "id")])


def _page(references: list[Element], name: str) -> str:
    """Return the advisory's own page, else that of one of its references."""
    links = [(each, each.get("href", "")) for each in references if is_link(each.get("href"))]
    own = [link for each, link in links if each.get("type") == "self" or each.get("id") == name]
    return next(iter((*own, *(link for _, link in links))), "")


def _packages(update: Element, context: ParseContext) -> tuple[FixedPackage, ...]:
    builds: dict[_Build, set[str]] = {}
    unreadable: set[FixedPackage] = set()
    for collection in update.iterfind("{*}pkglist/{*}collection"):
        module = _module(collection)
        for package in collection.iterfind("{*}package"):
            name, arch, version = package.get("name", ""), package.get("arch", ""), _version(package)
            if not is_name(name):
                context.skip(NO_PACKAGE)
            elif not is_name(arch):
                unreadable.add(context.unreadable(name, "binary", "the architecture is not valid", module=module))
            elif version is None:
                unreadable.add(context.unreadable(name, "binary", invalid(_written(package)), module=module))
            elif arch not in SOURCES:
                builds.setdefault((name, version, module), set()).add(arch)
    readable = (
        FixedPackage(name, version, "binary", arches=arch_restriction(arches), module=module)
        for (name, version, module), arches in builds.items()
    )
    return sorted_packages([*readable, *unreadable])


def _module(collection: Element) -> str | None:
    found = collection.find("{*}module")
    name, stream = (found.get("name"), found.get("stream")) if found is not None else (None, None)
    return f"{name}:{stream}" if is_name(name) and is_name(stream) else None


def _written(package: Element) -> str:
    """Return the version as the document has it."""
    epoch, version, release = (package.get(part, "") for part in ("epoch", "version", "release"))
    return f"{epoch}:{version}-{release}" if epoch else f"{version}-{release}"


def _version(package: Element) -> str | None:
    """Return ``epoch:version-release``; ``None`` if it is not valid."""
    epoch, version, release = package.get("epoch") or "0", package.get("version", ""), package.get("release", "")
    valid = _EPOCH.match(epoch) and _PART.match(version) and _PART.match(release)
    return f"{epoch}:{version}-{release}" if valid else None


def time_of(text: str) -> str | None:
    """
    Parse a date of a repository: with or without a time, or seconds since 1970; without a zone it is in UTC.

    :return: an RFC 3339 time; ``None`` if the date is not valid.
    """
    text = text.strip().removesuffix("UTC").rstrip()
    try:
        found = datetime.fromtimestamp(int(text), UTC) if _SECONDS.match(text) else datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found.isoformat(timespec="seconds").replace("+00:00", "Z") if found.year > 1 else None
