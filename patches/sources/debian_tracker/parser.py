"""
Parser of the Debian security tracker: every vulnerability of every source package, in every release that it follows.

The file is one JSON object of tens of megabytes, from source package to vulnerability to release: it is parsed one
package at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import ijson

from patches.errors import SourceError
from patches.followed import followed_records
from patches.skipped import NO_RECORD
from patches.sources.archive.json_stream import BoundedJson
from patches.sources.fields import is_name, object_of, severity_in
from patches.sources.parse_context import ParseContext, invalid
from patches.sources.titles import title_of
from patches.versions import InvalidVersion
from patches.versions.dpkg import sort_key
from patches.vulnerability import FixedPackage, Vulnerability

#: codename → platform
RELEASES = {
    "wheezy": "debian-7",
    "jessie": "debian-8",
    "stretch": "debian-9",
    "buster": "debian-10",
    "bullseye": "debian-11",
    "bookworm": "debian-12",
    "trixie": "debian-13",
    "forky": "debian-14",
    "duke": "debian-15",
    "sid": "debian-unstable",
}
#: The highest number of entries with malformed releases whose packages are named.
MOST_MALFORMED = 10_000
_REASONS = {"ignored": "will_not_fix", "postponed": "deferred"}
_PAGE = "https://security-tracker.debian.org/tracker/{}"


#: The members of the tracker's objects that are not read; the descriptions alone are a third of the file.
_UNUSED = frozenset(("description", "repositories", "debianbug", "scope", "nodsa"))


class _Lean(dict[str, Any]):
    """An object without the members that are not read: a kernel's vulnerabilities are in memory at once."""

    __slots__ = ()

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in _UNUSED:
            super().__setitem__(sys.intern(key), sys.intern(value) if type(value) is str else value)


class _NoRecord(ValueError):
    """A value that is not the tracker's record of a vulnerability in a release; its text is the reason."""


def parse_tracker(stream: BinaryIO, context: ParseContext) -> Iterator[Vulnerability]:
    """
    Yield a vulnerability for each source package, vulnerability id and release of the tracker's file.

    A vulnerability of several packages is yielded in fragments; see :mod:`patches.sources.regroup`. At the end, entries
    with malformed releases are yielded for each release that occurs in the file, as unreadable. Then the packages are
    listed for each of these: the tracker follows them, except those with an entry without an id.

    :raises SourceError: if the document is not the tracker's file, or ends early.
    """
    empty = True
    followed: list[str] = []
    platforms: set[str] = set()
    malformed: list[tuple[str, str]] = []
    bounded = BoundedJson(stream)
    try:
        for package, entries in ijson.kvitems(bounded, "", map_type=_Lean):
            bounded.begin()
            empty = False
            if is_name(package) and isinstance(entries, dict):
                if all(map(is_name, entries)):
                    followed.append(package)
                for vulnerability in _parse_package(package, entries, malformed, context):
                    platforms.add(vulnerability.platform)
                    yield vulnerability
            else:
                context.skip(NO_RECORD)
    except ijson.JSONError as error:
        raise SourceError(f"not JSON: {str(error).splitlines()[0].strip()}") from error
    if empty:
        raise SourceError("it is not the tracker's file: it has no packages")
    if malformed and not platforms:
        context.skip(NO_RECORD, len(malformed))
    for platform in sorted(platforms):
        for name, package in malformed:
            fixed = context.unreadable(package, "source", "its releases are malformed")
            yield Vulnerability(name, platform, (fixed,), details_href=_PAGE.format(name), source=context.source)
        yield from followed_records(platform, followed, context.source)


def _parse_package(
    package: str, entries: dict[str, Any], malformed: list[tuple[str, str]], context: ParseContext
) -> Iterator[Vulnerability]:
    """
    Yield the vulnerabilities of a package.

    :param malformed: the ids and packages without releases so far; those of this package are appended.
    """
    for name, entry in entries.items():
        releases = entry.get("releases") if isinstance(entry, dict) else None
        if is_name(name) and not isinstance(releases, dict) and len(malformed) < MOST_MALFORMED:
            malformed.append((name, package))
            continue
        if not is_name(name) or not isinstance(releases, dict):
            context.skip(NO_RECORD)
            continue
        title = title_of(entry.get("description"))
        for codename, release in releases.items():
            platform = RELEASES.get(codename)
            if platform is None:
                context.skip(context.unknown("release", codename))
            elif context.wants(platform):
                try:
                    fixed = _fixed(package, release)
                except InvalidVersion as error:
                    fixed = context.unreadable(package, "source", invalid(error.version))
                except _NoRecord as error:
                    fixed = context.unreadable(package, "source", str(error))
                severity, page = severity_in(object_of(release).get("urgency")), _PAGE.format(name)
                yield Vulnerability(name, platform, (fixed,), severity, page, source=context.source, title=title)


def _fixed(package: str, release: Any) -> FixedPackage:
    status = release.get("status") if isinstance(release, dict) else None
    if status == "resolved":
        return _resolved(package, release.get("fixed_version"))
    if status == "undetermined":
        return FixedPackage(package, None, status="under_investigation")
    if status != "open":
        raise _NoRecord(f"the status {ascii(status)[:40]} is not known")
    if release.get("urgency") == "end-of-life":
        return FixedPackage(package, None, status="end_of_life")
    reason = release.get("nodsa_reason")
    return FixedPackage(
        package, None, status=_REASONS.get(reason, "affected") if isinstance(reason, str) else "affected"
    )


def _resolved(package: str, version: Any) -> FixedPackage:
    if version == "0":
        return FixedPackage(package, None, status="not_affected")
    if not isinstance(version, str):
        raise _NoRecord("the version of the fix is missing")
    if not is_name(version):
        raise InvalidVersion(version, "it contains characters that cannot be printed")
    sort_key(version)
    return FixedPackage(package, version)
