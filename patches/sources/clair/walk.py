"""
A walk along the pages of one of Clair's lists: its names, without their details; a second or less for the longest.

A list that changes meanwhile is still walked completely: changed entries move to its end, and are met again there.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from attrs import field, frozen
from twisted.logger import Logger

from patches.errors import ListChanged, SourceError
from patches.platforms import Platform
from patches.sources.clair.api import ClairAPI
from patches.sources.clair.parser import Details

log = Logger()

#: The most names of a list: a Clair that sends more is broken. The longest known list has 13,595.
MOST_NAMES = 100_000
#: The most pages of a list.
MAX_PAGES = 10_000
#: Clair never announces a next page after an empty one; a proxy in front of it may, so a few are accepted.
MAX_EMPTY_PAGES = 3
#: How often a walk may lose its place: Clair was restarted.
MOST_RESTARTS = 5


@frozen
class Names:
    """
    The names of a list.

    :ivar all: each once, in the order of the list.
    :ivar told: what the list tells of entries that cannot be asked for, by name.
    :ivar nameless: the number of entries without a name.
    :ivar end: the token of the last page; ``None``: there is one page only.
    :ivar last_page: the names on the last page.
    """

    all: list[str]
    told: Mapping[str, Details] = field(factory=dict)
    nameless: int = 0
    end: str | None = None
    last_page: tuple[str, ...] = ()


async def walk(api: ClairAPI, namespace: str, platform: Platform) -> Names:
    """
    Walk along a list, from its beginning.

    :raises SourceError: if it cannot be walked to its end.
    """
    for restarts in count():
        try:
            return await _walk(api, namespace, platform)
        except ListChanged:
            if restarts == MOST_RESTARTS:
                raise SourceError(f"Clair lost the place in its list of {namespace} {restarts + 1} times") from None
            log.info("Clair lost the place in its list of {namespace}: from the beginning", namespace=namespace)
    raise AssertionError  # the loop above has no end


async def _walk(api: ClairAPI, namespace: str, platform: Platform) -> Names:
    names: dict[str, None] = {}
    told: dict[str, Details] = {}
    token, empty_pages, nameless = None, 0, 0
    for _ in range(MAX_PAGES):
        page = await api.page(namespace, token, platform)
        for name in page.names:
            names.pop(name, None)
            names[name] = None
        nameless += page.names.count("")
        told.update(page.told)
        if page.next_page is None:
            names.pop("", None)
            return Names(list(names), told, nameless, token, page.names)
        empty_pages = 0 if page.names else empty_pages + 1
        if page.next_page == token or empty_pages > MAX_EMPTY_PAGES or len(names) > MOST_NAMES:
            break
        token = page.next_page
    raise SourceError(f"Clair has a list of {namespace} that does not end")
