"""
Conversion of a stanza of dpkg to the installed package that it describes.

Source: dpkg-query(1) for the states, Policy 5.6.1 for ``Source``, and dpkg's ``lib/dpkg/fields.c`` and
``lib/dpkg/parse.c`` (``pkg_parse_verify``) for values that dpkg refuses.
"""

from __future__ import annotations

import re
from sys import intern

from patches.scanner.inventory import Package, damaged_package
from patches.scanner.inventory.dpkg_stanzas import Stanza
from patches.scanner.inventory.dpkg_updates import JournalEntry
from patches.versions import InvalidVersion
from patches.versions.dpkg import sort_key

#: The third word of ``Status`` → whether the package counts as installed. A half-installed one has files on the disk.
STATES = {
    "installed": True,
    "half-configured": True,
    "half-installed": True,
    "triggers-awaited": True,
    "triggers-pending": True,
    "unpacked": True,
    "config-files": False,
    "not-installed": False,
}

_WANTED = frozenset(("unknown", "install", "hold", "deinstall", "purge"))
_ERRORS = frozenset(("ok", "reinstreq"))
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")
_ARCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_SOURCE = re.compile(r"([A-Za-z0-9][A-Za-z0-9+._-]*)(?:\s+\(\s*([^()\s]+)\s*\))?\Z")
#: Fields of the time before 1996, from which dpkg takes a part of the version.
_OBSOLETE = frozenset((b"revision", b"package-revision", b"package_revision"))


def entry_of(path: str, stanza: Stanza) -> JournalEntry:
    """
    Return what a stanza says of its package.

    :param path: the file of the stanza, for messages.
    """
    problem = stanza.problem or _problem(stanza)
    package = _package(stanza)
    if problem is not None:
        where = problem if problem.startswith("line ") else f"line {stanza.line}: {problem}"
        package = damaged_package(f"{path}, line {stanza.line}", f"{path}, {where}", package)
    state = _state(stanza)
    return JournalEntry(
        name=package.name,
        arch=stanza.text(b"architecture"),
        co_installable=stanza.text(b"multi-arch").lower() == "same",
        is_known=problem is not None or state != "not-installed",
        package=package if problem is not None or STATES.get(state, True) else None,
    )


def may_be_cut(stanza: Stanza) -> bool:
    """
    Return whether a stanza may be the beginning of a longer one, because it ends before its description.

    A package that is not installed has no description, nor has one whose first unpacking failed.
    """
    state = _state(stanza)
    has_version = b"version" in stanza.fields
    is_short = state == "not-installed" or (state == "half-installed" and not has_version)
    is_short = is_short or (state == "config-files" and has_version)
    return stanza.problem is None and b"description" not in stanza.fields and not is_short


def _state(stanza: Stanza) -> str:
    return (stanza.text(b"status").lower().split() or [""])[-1]


def _problem(stanza: Stanza) -> str | None:
    """Return why the package cannot be evaluated, or why dpkg refuses its stanza."""
    name, words = stanza.text(b"package"), stanza.text(b"status").lower().split()
    if not _NAME.fullmatch(name):
        return f"the package name {name[:80]!r} is not valid" if name else "a stanza without a package name"
    if len(words) != 3 or words[0] not in _WANTED or words[1] not in _ERRORS or words[2] not in STATES:
        return f"the status {stanza.text(b'status')[:80]!r} is not valid"
    return None if words[2] == "not-installed" else _arch_problem(stanza) or _version_problem(stanza, words[2])


def _arch_problem(stanza: Stanza) -> str | None:
    arch = stanza.text(b"architecture")
    if arch and not _ARCH.fullmatch(arch):
        return f"the architecture {arch[:80]!r} is not valid"
    if arch in ("", "all") and stanza.text(b"multi-arch").lower() == "same":
        return f"it is Multi-Arch: same with the architecture {arch!r}"
    return None


def _version_problem(stanza: Stanza, state: str) -> str | None:
    version = stanza.text(b"version")
    if _OBSOLETE & stanza.fields.keys():
        return "it has the obsolete field Revision"
    if state == "half-installed" and b"version" not in stanza.fields:
        return "half-installed without a version"
    try:
        sort_key(version)
    except InvalidVersion as error:
        return f"the version {version[:80]!r} is not valid: {error.reason}" if version else "it has no version"
    return None


def _package(stanza: Stanza) -> Package:
    """Return the package, with as much of its name as can be read."""
    match = _NAME.match(stanza.text(b"package"))
    name, version = match[0].lower() if match else "", stanza.text(b"version")
    source, source_version = _source(stanza.text(b"source"))
    return Package(
        name=name,
        version=version,
        arch=intern(stanza.text(b"architecture") or "all"),
        source=source or name,
        source_version=source_version or version,
        vendor=stanza.text(b"origin") or None,
    )


def _source(text: str) -> tuple[str, str]:
    """Return the name and the version in a ``Source``. dpkg never checks this field: other texts have neither."""
    match = _SOURCE.match(text)
    try:
        sort_key((match and match[2]) or "0")
    except InvalidVersion:
        match = None
    return (match[1], match[2] or "") if match else ("", "")
