"""Archives of JSON documents, of which some may be of another kind."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from patches.interfaces import SourceError
from patches.sources.reasons import NO_RECORD


def documents_of(
    members: Iterable[tuple[str, bytes]], is_one: Callable[[Any], bool], kind: str, skipped: Counter[str]
) -> Iterator[Any]:
    """
    Give the documents of a kind, one at a time.

    :param members: name and content of each file of the archive.
    :param is_one: tells whether a document is of the kind.
    :param kind: what such a document is called.
    :param skipped: counts what is none.
    :raises SourceError: in the end, if not one of them was.
    """
    read = found = 0
    for _, content in members:
        read += 1
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            document = None
        if is_one(document):
            found += 1
            yield document
        else:
            skipped[NO_RECORD] += 1
    if not found:
        raise SourceError(f"none of its {read} members is {kind}")
