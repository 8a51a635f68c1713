"""The decoding of VEX documents in JSON: the format of one, and those members of it that the format has."""

from __future__ import annotations

from typing import TypeVar

from msgspec import DecodeError, Raw, Struct, ValidationError, field
from msgspec.json import decode as decode_json

from patches.scanner.matching.vex.statements import MOST_PAIRS, BadVex, shortened

T = TypeVar("T")

OPENVEX, CSAF, CYCLONEDX = "OpenVEX", "CSAF", "CycloneDX"
_ABSENT = Raw(b"")


class _Marks(Struct):
    """The members by which a format is known, and the lists of statements, whose items are not decoded yet."""

    context: Raw = field(name="@context", default=_ABSENT)
    form: Raw = field(name="bomFormat", default=_ABSENT)
    document: Raw = _ABSENT
    statements: list[Raw] | None = None
    vulnerabilities: list[Raw] | None = None


def format_of(content: bytes) -> str:
    """
    Return the format of a VEX document, by its members.

    :raises BadVex: if it is no JSON object, has none of the formats that are read, or very many statements.
    """
    marks = decode(content, _Marks)
    if max(len(marks.statements or ()), len(marks.vulnerabilities or ())) > MOST_PAIRS:
        raise BadVex(f"more than {MOST_PAIRS:,} statements")
    if marks.context is not _ABSENT:
        return OPENVEX
    if marks.form is not _ABSENT:
        return CYCLONEDX
    if marks.document is not _ABSENT:
        return CSAF
    raise BadVex("not a VEX document: neither OpenVEX (@context), nor CSAF (document), nor CycloneDX (bomFormat)")


def decode(content: bytes, kind: type[T]) -> T:
    """
    Decode a document; members that the type does not have are passed over.

    :raises BadVex: if it is not JSON, or a member has another type.
    """
    try:
        return decode_json(content, type=kind)
    except ValidationError as error:
        raise BadVex(shortened(str(error))) from error
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadVex(f"not JSON: {shortened(str(error))}") from error
