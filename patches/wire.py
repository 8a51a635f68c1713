"""
The one wire format, used by both ends: records, chunks and digests.

A chunk's body is newline-delimited JSON, one vulnerability per line. A chunk's digest is the SHA-256 of that body, and
travels as ``Repr-Digest`` (RFC 9530). A stream's digest is the SHA-256 over the concatenated 32-byte digests of its
chunks.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
import zlib
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, NoReturn, TypeGuard

from attrs import Attribute

from patches.enrichment.facts import MalformedFacts, facts_by_id, facts_from_wire, rare_members
from patches.vulnerability import Facts, FixedPackage, Severity, Vulnerability
from patches.wording import printable

NDJSON = "application/x-ndjson"
JSON = "application/json"
#: Whole numbers up to this one are exact in every reader of JSON (RFC 8259, section 6).
_EXACT = 2**53
#: The members of a record that enriching sources add.
_FACTS = frozenset(("severitySource", "cvssScore", "kev", "epss"))
_NO_FACTS = Facts()
#: The longest body of a chunk, uncompressed; a reader may reject a longer one.
MAX_CHUNK_BYTES = 1024 * 1024


class MalformedWire(ValueError):
    """Bytes or values that are not in the wire format."""


class MalformedJson(ValueError):
    """Bytes that are not JSON, or that have a member twice; the text says which."""


def to_wire(vulnerability: Vulnerability) -> dict[str, Any]:
    """Convert a vulnerability to the wire format: a JSON object as a ``dict``."""
    return {
        "name": vulnerability.name,
        "affectedPackageName": vulnerability.affected_package,
        "affectedPlatform": vulnerability.platform,
        "detailsHref": vulnerability.details_href,
        "severityRating": int(vulnerability.severity),
        "fixedInPackages": [_package_to_wire(package) for package in vulnerability.fixed_in],
        "aliases": list(vulnerability.aliases),
        "source": vulnerability.source,
        "published": vulnerability.published,
        "cvss": vulnerability.cvss,
        **rare_members(vulnerability),
        **({"title": vulnerability.title} if vulnerability.title is not None else {}),
        **({"note": vulnerability.note} if vulnerability.note is not None else {}),
        **({"followed": list(vulnerability.followed)} if vulnerability.followed else {}),
    }


def _package_to_wire(package: FixedPackage) -> dict[str, Any]:
    document = {
        "name": package.name,
        "version": package.version,
        "kind": package.kind,
        "introduced": package.introduced,
        "status": package.status,
        "arches": list(package.arches) if package.arches is not None else None,
        "module": package.module,
    }
    # "channel" is for scanners that do not know tracks: they skip what is in a channel that they do not have.
    rare = {
        "lastAffected": package.last_affected,
        "track": package.track,
        "channel": package.track,
        "note": package.note,
    }
    return document | {name: value for name, value in rare.items() if value is not None}


def from_wire(record: Any) -> Vulnerability:
    """
    Parse a vulnerability from the wire format; unknown members are ignored.

    :raises MalformedWire: if a value is missing or has a wrong type.
    """
    try:
        facts = _NO_FACTS if _FACTS.isdisjoint(record) else facts_from_wire({name: record.get(name) for name in _FACTS})
        return Vulnerability(
            name=record["name"],
            platform=record["affectedPlatform"],
            details_href=_text_or_none(record["detailsHref"]) or "",
            severity=_severity(record["severityRating"]),
            fixed_in=tuple(_package_from_wire(package) for package in record["fixedInPackages"]),
            aliases=_texts(record.get("aliases") or []),
            source=_text_or_none(record.get("source")) or "",
            published=_text_or_none(record.get("published")),
            cvss=_text_or_none(record.get("cvss")),
            note=_text_or_none(record.get("note")),
            followed=_texts(record.get("followed") or []),
            severity_source=facts.severity_source,
            score=facts.score,
            kev=facts.kev,
            epss=facts.epss,
            facts=facts_by_id(record.get("facts")),
            title=_text_or_none(record.get("title")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedWire(f"not a vulnerability: {_in_words(error)}") from error


def _in_words(error: Exception) -> str:
    """Return the reason for which a record is malformed, in words."""
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]!r}"
    if len(error.args) > 1 and isinstance(error.args[1], Attribute):  # of a validator: it names the class or the values
        allowed = error.args[2]
        return f"{error.args[1].name!r} must be " + (
            "a string" if allowed is str else f"one of {', '.join(map(str, allowed))}"
        )
    if isinstance(error, MalformedWire | MalformedFacts):
        return str(error)
    return "it is not an object with the members of a record"


def _severity(value: Any) -> Severity:
    try:
        return Severity(value if is_whole(value) else -1)
    except ValueError:
        raise MalformedWire(f"'severityRating' must be a whole number from 0 to {max(Severity):d}") from None


def _package_from_wire(record: Any) -> FixedPackage:
    arches = record.get("arches")
    return FixedPackage(
        name=record["name"],
        version=_text_or_none(record["version"]),
        kind=record.get("kind") or "source",
        introduced=_text_or_none(record.get("introduced")),
        status=record.get("status") or ("fixed" if record["version"] else "affected"),
        arches=_texts(arches) if arches is not None else None,
        module=_text_or_none(record.get("module")),
        last_affected=_text_or_none(record.get("lastAffected")),
        track=_text_or_none(record.get("track") or record.get("channel")),
        note=_text_or_none(record.get("note")),
    )


def _text_or_none(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise MalformedWire(f"expected a string or null, not {value!r}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise MalformedWire(f"expected a list of strings, not {value!r}")
    return tuple(value)


def is_whole(value: Any) -> TypeGuard[int]:
    """Return whether a value of JSON is a whole number; ``true``, an ``int`` in Python, is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether a value of JSON is a number that fits in a ``float``; ``true`` is none, and JSON has no NaN."""
    return abs(value) <= _EXACT if is_whole(value) else isinstance(value, float) and math.isfinite(value)


def encode_json(value: Any) -> bytes:
    """
    Encode a value as compact JSON in UTF-8, with the keys in their given order.

    Characters that cannot be printed are escaped, with lone surrogates among them: the result is always valid UTF-8,
    and can be shown in a terminal.
    """
    return escape_json(json.dumps(value, separators=(",", ":"), ensure_ascii=False)).encode("utf-8")


def escape_json(text: str) -> str:
    """Escape the characters in a JSON text that cannot be printed, but for line feeds, which are never in a string."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def parse_json(data: bytes) -> Any:
    """
    Parse a JSON text (RFC 8259) in one way only: UTF-8 without a byte order mark (section 8.1), each member once.

    Python's reader takes the last of two members of one name, ``NaN``, a byte order mark, and UTF-16.

    :raises MalformedJson: if it is anything else, or is nested too deeply for Python's reader.
    """
    try:
        return DECODER.decode(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedJson("not JSON: it is not UTF-8") from error
    except MalformedJson:
        raise
    except (ValueError, RecursionError) as error:
        raise MalformedJson(f"not JSON: {error}") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, whose names must be unique (RFC 8259 section 4 leaves open what else they mean)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedJson(f"the member {twice[:40]!a} is there twice")
    return found


def _refuse_constant(text: str) -> NoReturn:
    raise MalformedJson(f"not JSON: {text} is no number")


#: The reader, for texts that are read piece by piece.
DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)


def encode_line(vulnerability: Vulnerability) -> bytes:
    """Encode a vulnerability as one line of a chunk's body, its line feed included."""
    return encode_json(to_wire(vulnerability)) + b"\n"


def decode_lines(body: bytes, names: Container[str] | None = None) -> Iterator[Vulnerability]:
    """
    Decode the body of a chunk, one vulnerability at a time.

    :param names: yield only vulnerabilities with a fixed package of one of these names, and the lists of followed
        packages; ``None``: all. Most records are about packages that a host does not have, and converting a record to a
        value takes longer than parsing it.
    :raises MalformedWire: at the first line that is not a vulnerability.
    """
    for line in BytesIO(body):  # which copies one line at a time
        try:
            record = parse_json(line)
            wanted = (
                names is None
                or any(package["name"] in names for package in record["fixedInPackages"])
                or "followed" in record
            )
        except MalformedJson as error:
            raise MalformedWire(str(error)) from error
        except (KeyError, TypeError) as error:
            raise MalformedWire(f"not a vulnerability: {error!r}") from error
        if wanted:
            yield from_wire(record)


def unpack_chunk(encoded: bytes) -> bytes:
    """
    Decompress the gzip of one chunk, up to the longest length that a chunk may have.

    :raises MalformedWire: if it is not exactly one complete gzip, or is too long.
    """
    unpacker = zlib.decompressobj(wbits=31)
    try:
        body = unpacker.decompress(encoded, MAX_CHUNK_BYTES + 1)
    except zlib.error as error:
        raise MalformedWire(f"not gzip: {error}") from error
    if len(body) > MAX_CHUNK_BYTES:
        raise MalformedWire(f"longer than {MAX_CHUNK_BYTES} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise MalformedWire("not one whole gzip")
    return body


def digest(body: bytes) -> bytes:
    """Return the 32-byte SHA-256 digest of a chunk's body."""
    return hashlib.sha256(body).digest()


class StreamDigest:
    """The digest of a stream, computed chunk by chunk."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, chunk_digest: bytes) -> None:
        """Add the 32-byte digest of the next chunk."""
        self._hash.update(chunk_digest)

    def hexdigest(self) -> str:
        """Return the digest of the chunks so far, as 64 hexadecimal digits."""
        return self._hash.hexdigest()


def repr_digest(chunk_digest: bytes) -> str:
    """Return the value of ``Repr-Digest`` for a 32-byte digest (RFC 9530 §3)."""
    return f"sha-256=:{base64.b64encode(chunk_digest).decode('ascii')}:"


def parse_repr_digest(value: str) -> bytes:
    """
    Return the SHA-256 digest in a ``Repr-Digest`` value.

    :raises MalformedWire: if it contains no SHA-256 digest.
    """
    found = re.search(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]+):", value)
    try:
        taken = base64.b64decode(found.group(1), validate=True) if found else b""
    except binascii.Error as error:
        raise MalformedWire(f"bad Repr-Digest: {value!r}") from error
    if len(taken) != 32:
        raise MalformedWire(f"no sha-256 in Repr-Digest: {value!r}")
    return taken


def prefer_wait(value: str) -> float:
    """Return the seconds of ``wait`` in a ``Prefer`` field (RFC 7240 §4.3); 0 if it is not present."""
    found = re.search(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})", value)
    return float(found[1]) if found else 0.0


def rfc3339(seconds: float) -> str:
    """Format a time in seconds since the epoch as RFC 3339, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def error_document(code: str, message: str) -> dict[str, Any]:
    """Return the document that every error response carries; a message that repeats a request is made printable."""
    return {"error": {"code": code, "message": printable(message)}}
