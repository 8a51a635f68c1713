"""Parsers of the files beside a CSAF archive: its name, and the documents that changed or were deleted since."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice

from patches.errors import SourceError

_ARCHIVE = re.compile(r"[\w.-]*?(\d{4}-\d\d-\d\d)\.tar(?:\.\w{1,5})?\Z", re.ASCII)
_DOCUMENT = re.compile(r"\d{4}/[A-Za-z0-9_-]{1,100}\.json\Z")


#: The highest number of documents of a provider; Red Hat has some 60,000.
MOST_DOCUMENTS = 250_000


def parse_archive_name(lines: Iterable[str]) -> tuple[str, datetime]:
    """
    Parse ``archive_latest.txt``.

    :return: the name of the archive, ``csaf_vex_2026-11-20.tar.zst``, and the beginning of that day.
    :raises SourceError: if it is not the name of an archive.
    """
    name = "".join(islice(lines, 2)).strip()
    found = _ARCHIVE.match(name)
    try:
        day = datetime.fromisoformat(found[1]) if found else None
    except ValueError:
        day = None
    if day is None:
        raise SourceError(f"{name[:60]!a} is not the name of an archive")
    return name, day.replace(tzinfo=UTC)


def parse_times(lines: Iterable[str]) -> dict[str, datetime]:
    """
    Parse ``changes.csv`` or ``deletions.csv``.

    :return: the last time at which each document, ``2024/cve-2024-0001.json``, changed or was deleted.
    :raises SourceError: if a line is not a path and a time.
    """
    found: dict[str, datetime] = {}
    try:
        for row in csv.reader(lines, strict=True):
            if len(found) > MOST_DOCUMENTS:
                raise SourceError(f"more than {MOST_DOCUMENTS} documents")
            if row:
                path, time = row
                changed = datetime.fromisoformat(time)
                changed = changed.replace(tzinfo=UTC) if changed.tzinfo is None else changed.astimezone(UTC)
                if not _DOCUMENT.match(path):
                    raise ValueError(path)
                found[path] = max(changed, found.get(path, changed))
    except (ValueError, OverflowError, csv.Error) as error:
        raise SourceError(f"after {len(found)} documents: a line that is not a path and a time") from error
    return found
