"""The validators of responses: entity tags, as conditional requests compare them (RFC 9110 sections 8.8.3, 13.1.2)."""

from __future__ import annotations

import re

#: An entity tag: an opaque text in double quotes, perhaps marked as weak.
_TAG = r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"'
_TAGS = re.compile(rf"[ \t]*(?:{_TAG}[ \t]*(?:,[ \t]*|\Z))+\Z")


def weak_tag(name: str) -> str:
    """Return the weak entity tag of a representation whose meaning has a name; its bytes may differ."""
    return f'W/"{name}"'


def names(field: str | None, name: str) -> bool:
    """
    Return whether ``If-None-Match`` names a representation: compared weakly, in a list of entity tags, or by ``*``.

    :param field: the value of the field; ``None``: the request has none. One that is malformed names nothing.
    """
    if field is None:
        return False
    return field.strip() == "*" or (_TAGS.match(field) is not None and name in re.findall(_TAG, field))
