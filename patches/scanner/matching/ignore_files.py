"""
Reader of files with decisions about findings: a TOML file of our own format, or a VEX document.

Our own format is a list of tables ``[[ignore]]``, each with ``cve`` or ``package`` or both, a ``reason`` and the day on
which it ``expires``; an entry with one of OpenVEX's justifications says that the host is not affected. A file with one
invalid entry is refused as a whole: an entry that was misread could hide findings that should be reported.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from patches.scanner.matching.ignores import Ignore, Ignores
from patches.scanner.matching.vex.any_format import parse_document
from patches.scanner.matching.vex.statements import JUSTIFICATIONS, BadVex
from patches.vulnerability import canonical_id
from patches.wording import file_problem

_NAMES = ("cve", "package", "reason", "expires", "justification")
#: The largest VEX document: a vendor's about the kernel, or one with all components of a host, has tens of MiB.
_MOST_BYTES = 64 * 1024 * 1024
#: The largest file of our own format, whose parser takes about a second for each MiB.
_MOST_TOML_BYTES = 4 * 1024 * 1024


class BadIgnores(ValueError):
    """A file of decisions is invalid; the text names the file and the entry, in one line."""


def read_ignores(path: Path) -> Ignores:
    """
    Read a file of decisions; a file whose first character is ``{`` is a VEX document, any other is TOML.

    :raises BadIgnores: if the file cannot be read, is too large, or has an invalid entry.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise BadIgnores(f"{path}: {file_problem(error)}") from error
    try:
        return _parse(content)
    except (BadIgnores, BadVex) as error:
        raise BadIgnores(f"{path}: {error}") from error
    except MemoryError as error:
        raise BadIgnores(f"{path}: there is not enough memory to read the file") from error


def _parse(content: bytes) -> Ignores:
    is_vex = content.lstrip()[:1] == b"{"
    most = _MOST_BYTES if is_vex else _MOST_TOML_BYTES
    if len(content) > most:
        raise BadIgnores(f"the file is larger than {most >> 20} MiB")
    return parse_document(content) if is_vex else parse_ignores(content)


def parse_ignores(content: bytes) -> Ignores:
    """
    Parse a file of our own format.

    :raises BadIgnores: at the first invalid entry.
    """
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadIgnores(f"not TOML: {error}") from error
    unknown = sorted(table.keys() - {"ignore"})
    if unknown:
        raise BadIgnores(f"unknown name {unknown[0]!r}: only tables [[ignore]] are allowed")
    entries = table.get("ignore", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadIgnores("ignore must be a list of tables, [[ignore]]")
    return Ignores(tuple(_entry(number, entry) for number, entry in enumerate(entries, 1)))


def _entry(number: int, entry: Mapping[str, Any]) -> Ignore:
    unknown = sorted(entry.keys() - set(_NAMES))
    if unknown:
        raise BadIgnores(f"entry {number}: unknown name {unknown[0]!r}: only {', '.join(_NAMES)} are allowed")
    cve, package, reason = (_text(number, entry, name) for name in ("cve", "package", "reason"))
    expires = entry.get("expires")
    if cve is None and package is None:
        raise BadIgnores(f"entry {number}: cve or package is missing")
    if reason is None:
        raise BadIgnores(f"entry {number}: reason is missing")
    if expires is None:
        raise BadIgnores(f"entry {number}: expires is missing")
    if type(expires) is not date:
        raise BadIgnores(f"entry {number}: expires must be a date such as 2027-01-31, without quotes")
    justification = _text(number, entry, "justification")
    if justification not in (None, *JUSTIFICATIONS):
        raise BadIgnores(f"entry {number}: justification must be one of {', '.join(JUSTIFICATIONS)}")
    named = canonical_id(cve) if cve is not None else None
    status = "affected" if justification is None else "not_affected"
    return Ignore(named, package, reason, expires, status=status, justification=justification)


def _text(number: int, entry: Mapping[str, Any], name: str) -> str | None:
    value = entry.get(name)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise BadIgnores(f"entry {number}: {name} must be a non-empty string")
    return value.strip() if value is not None else None
