"""The ids of the records in a chunk: what a record is called, by its name and by its aliases."""

from __future__ import annotations

import hashlib
import json
import re

from patches.vulnerability import FOLLOWED
from patches.wire import MalformedWire

#: A longer id is stored as its digest.
LONGEST_ID = 120

# A line feed in place of a multi-line "^": it is searched for eight times as fast.
_NAME = re.compile(rb'\n\{"name":"([^"]+)"')
_ALIASES = re.compile(rb'"aliases":\[((?:"[^"]*"(?:,"[^"]*")*)?)\]')


def ids_in(body: bytes) -> set[str]:
    """
    Return the ids of the records in the body of a chunk; lists of followed packages have none.

    :raises MalformedWire: if a line is not a record.
    """
    found = _scanned(body)
    if found is None:
        found = {each for line in body.splitlines() for each in _scanned(line + b"\n") or _parsed(line)}
    found.discard(FOLLOWED)
    return found


def stored_id(text: str) -> str:
    """
    Return an id as it is stored: itself, or its digest if it is long or has characters that no database needs to keep.

    The digest makes the length of what a source can have stored, and a stranger can ask for, a small one.
    """
    if len(text) <= LONGEST_ID and text.isprintable():
        return text
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _scanned(body: bytes) -> set[str] | None:
    """
    Return the ids of records without escapes, as nearly all are, unparsed; ``None`` if they must be parsed.

    Where there is no backslash, each quote begins or ends a string: what looks like a member is one.
    """
    if b"\\" in body:
        return None
    names, aliases = _NAME.findall(b"\n" + body), _ALIASES.findall(body)
    if not len(names) == len(aliases) == body.count(b"\n") == body.count(b'"aliases"'):
        return None
    if not names:
        return set()
    texts = b'","'.join((*names, *(each[1:-1] for each in aliases if each)))
    return set(texts.decode("utf-8", "surrogatepass").split('","'))


def _parsed(line: bytes) -> set[str]:
    try:
        record = json.loads(line.decode("utf-8", "surrogatepass"))
        ids = [record.get("name"), *(record.get("aliases") or ())]
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedWire(f"not a record: {error!r}") from error
    return {each for each in ids if isinstance(each, str)}
