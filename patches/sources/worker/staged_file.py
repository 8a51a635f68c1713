"""
The staged file: the records of a list as a worker hands them over, and the proof that they are all there.

A line per record, in the wire format; then a line with the number of records, the SHA-256 of their lines, and what the
parser counted. The reader believes nothing: a line is bounded before it is parsed, and is a record or is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from patches.errors import SourceError
from patches.sources.parse_context import ParseContext
from patches.vulnerability import Vulnerability
from patches.wire import MalformedWire, encode_line, from_wire

#: The longest line of a record, in bytes. The longest of the real feeds is that of a kernel; see the memory page.
MOST_RECORD_BYTES = 2 * 1024 * 1024
#: The most reasons for skipping that a file may count, and the most characters of one.
MOST_REASONS = 200
LONGEST_REASON = 300
_END = b'{"records":'


def write_staged(path: Path, records: Iterable[Vulnerability], context: ParseContext) -> None:
    """
    Write a staged file.

    :param context: has the counts of the parser, once the records are consumed.
    :raises SourceError: if a record is too long, or the file cannot be written.
    """
    try:
        with path.open("wb") as file:
            number, digest = 0, hashlib.sha256()
            for number, record in enumerate(records, start=1):  # noqa: B007 - the number of the last one is used
                line = encode_line(record)
                if len(line) > MOST_RECORD_BYTES:
                    raise SourceError(f"the record {record.name[:60]!a} has more than {MOST_RECORD_BYTES >> 20} MiB")
                digest.update(line)
                file.write(line)
            file.write(json.dumps(_end(number, digest.hexdigest(), context), separators=(",", ":")).encode() + b"\n")
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from error


def _end(number: int, digest: str, context: ParseContext) -> dict[str, Any]:
    skipped = dict(Counter(context.skipped).most_common(MOST_REASONS))
    counts = {"found": context.found, "claimed": context.claimed, "skipped": skipped}
    return {"records": number, "digest": digest, **counts}


def read_staged(path: Path, context: ParseContext) -> Iterator[Vulnerability]:
    """
    Yield the records of a staged file, which is removed.

    :param context: receives the counts of the parser at the end.
    :raises SourceError: if the file is not complete, or has anything but records: the records so far are void.
    """
    try:
        with path.open("rb") as file:
            path.unlink()
            yield from _records(file, context)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from error


def _records(file: BinaryIO, context: ParseContext) -> Iterator[Vulnerability]:
    number, digest = 0, hashlib.sha256()
    while not (line := file.readline(MOST_RECORD_BYTES + 1)).startswith(_END):
        if not line.endswith(b"\n") or len(line) > MOST_RECORD_BYTES:
            raise SourceError("the worker's file is cut off, or has a line that is too long")
        number += 1
        digest.update(line)
        yield _record(line, context)
    end = _parse_end(line)
    if (end["records"], end["digest"]) != (number, digest.hexdigest()) or file.read(1):
        raise SourceError("the worker's file does not have the records that it announces")
    context.found, context.claimed = end["found"], end["claimed"]
    context.skipped.clear()
    context.skipped.update(end["skipped"])


def _record(line: bytes, context: ParseContext) -> Vulnerability:
    try:
        record = from_wire(json.loads(line))
    except (ValueError, RecursionError) as error:
        kind = "not a vulnerability" if isinstance(error, MalformedWire) else "not JSON"
        raise SourceError(f"the worker's file has a line that is {kind}") from error
    if context.wanted is not None and record.platform not in context.wanted:
        raise SourceError(f"the worker's file has a record of {record.platform[:60]!a}, which is not wanted")
    return record


def _parse_end(line: bytes) -> dict[str, Any]:
    try:
        end: dict[str, Any] = json.loads(line)
        skipped = end["skipped"]
        numbers = [end["records"], end["found"], *skipped.values(), *([end["claimed"]] if end["claimed"] else [])]
        usable = all(type(each) is int and each >= 0 for each in numbers) and len(skipped) <= MOST_REASONS
        usable = usable and all(len(reason) <= LONGEST_REASON for reason in skipped)
        usable = usable and isinstance(end["digest"], str) and "claimed" in end
    except (ValueError, RecursionError, KeyError, AttributeError) as error:
        raise SourceError("the worker's file has no valid end") from error
    if not usable:
        raise SourceError("the worker's file has no valid end")
    return end
