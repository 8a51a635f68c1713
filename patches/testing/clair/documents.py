"""The documents that a Clair sends, and its parsing of requests: JSON and query strings as in Go."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote_plus

from patches.testing.clair.rows import Record

MAX_INT = 2**63 - 1
_FIELDS = ("Name", "NamespaceName", "Description", "Link", "Severity", "Metadata")
_FIX_FIELDS = ("Name", "NamespaceName", "VersionFormat", "Version")
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def encode(document: dict[str, Any]) -> bytes:
    """Encode a document as one line of compact JSON, with ``<``, ``>`` and ``&`` escaped."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).translate(_ESCAPES)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def without_empty(record: Record, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return the members that are not empty, in the order of the keys."""
    return {key: record[key] for key in keys if record.get(key)}


def on_list(record: Record) -> dict[str, Any]:
    """Return a vulnerability as in a list: without its packages."""
    return without_empty(record, _FIELDS)


def packages(record: Record) -> list[dict[str, Any]]:
    """Return the packages of a vulnerability; the version of one that is stored as never fixed is ``None``."""
    fixes = (without_empty(fix, _FIX_FIELDS) for fix in record.get("FixedIn") or ())
    return [{**fix, "Version": "None"} if fix.get("Version") == "#MAXV#" else fix for fix in fixes]


def in_details(record: Record) -> dict[str, Any]:
    """Return a vulnerability with its packages, if it has any."""
    found = packages(record)
    return {**on_list(record), "FixedIn": found} if found else on_list(record)


def query_values(raw: str) -> dict[str, str]:
    """Return the first value of each parameter; one that contains a semicolon or an invalid escape is dropped."""
    values: dict[str, str] = {}
    for pair in raw.split("&"):
        if pair and ";" not in pair and not _BAD_PERCENT.search(pair):
            key, _, value = pair.partition("=")
            values.setdefault(unquote_plus(key), unquote_plus(value))
    return values


def parse_limit(text: str) -> int:
    """
    Parse a number like Go's ``strconv.Atoi``.

    :raises ValueError: with Go's message.
    """
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(f"strconv.Atoi: parsing {_quoted(text)}: invalid syntax")
    number = int(text)
    if not -MAX_INT - 1 <= number <= MAX_INT:
        raise ValueError(f"strconv.Atoi: parsing {_quoted(text)}: value out of range")
    return number


def _quoted(text: str) -> str:
    """Quote a text like Go's ``strconv.Quote``."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\x{ord(found.group()):02x}", escaped) + '"'
