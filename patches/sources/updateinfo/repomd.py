"""
``repodata/repomd.xml`` of an rpm repository: where its other files are, and what their checksums are.

Source: createrepo_c's ``repomd.xml``; of its files only that of type ``updateinfo`` matters here.
"""

from __future__ import annotations

import re
from typing import BinaryIO
from xml.etree.ElementTree import Element

from attrs import frozen

from patches.interfaces import SourceError
from patches.sources.archive.xml import children, name_of

_STRONG = ("sha512", "sha384", "sha256", "sha224")
#: How repomd calls an algorithm → how Python does; these are taken only where there is no other.
_WEAK = {"sha1": "sha1", "sha": "sha1", "md5": "md5"}
_HREF = re.compile(r"(?!/)(?!.*(?:^|/)\.\.(?:/|$))[\w./+~^@%=-]{1,500}\Z", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{32,128}\Z")


@frozen
class Location:
    """
    Where a file of a repository is.

    :ivar href: its path within the repository.
    :ivar algorithm: of its checksum, as :mod:`hashlib` calls it.
    :ivar digest: its checksum, in hexadecimal digits.
    :ivar unpacked: whether the checksum is that of the unpacked content.
    """

    href: str
    algorithm: str
    digest: str
    unpacked: bool = False


def parse_repomd(stream: BinaryIO, kind: str = "updateinfo") -> Location:
    """
    Find a file of a repository.

    :param kind: its type, as repomd calls it.
    :raises SourceError: if it is no such document, or tells of no such file.
    """
    found = None
    for element in children(stream, "repomd"):
        if name_of(element) == "data" and element.get("type") == kind:
            found = _location(element)
    if found is None:
        raise SourceError(f"the repository has no {kind}")
    return found


def _location(data: Element) -> Location:
    place = data.find("{*}location")
    href = place.get("href", "") if place is not None else ""
    if not _HREF.match(href):
        raise SourceError("the place of a file cannot be used: it is not a path within the repository")
    sums = [(data.find("{*}checksum"), False), (data.find("{*}open-checksum"), True)]
    told = [(each.get("type", "").lower(), _digest(each), is_open) for each, is_open in sums if each is not None]
    strong = [Location(href, kind, digest, is_open) for kind, digest, is_open in told if kind in _STRONG and digest]
    weak = [Location(href, _WEAK[kind], digest, is_open) for kind, digest, is_open in told if kind in _WEAK and digest]
    if not strong and not weak:
        raise SourceError(f"{href} has no checksum of a kind that is known")
    return (strong or weak)[0]


def _digest(element: Element) -> str:
    digest = (element.text or "").strip().lower()
    return digest if _DIGEST.match(digest) else ""
