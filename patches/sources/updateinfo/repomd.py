"""
Parser of ``repodata/repomd.xml`` of an rpm repository: the paths and the checksums of its other files.

Source: createrepo_c's ``repomd.xml``; only its file of type ``updateinfo`` is used.
"""

from __future__ import annotations

import re
from typing import BinaryIO
from xml.etree.ElementTree import Element

from attrs import frozen

from patches.errors import SourceError
from patches.sources.archive.xml import children, name_of

_STRONG = ("sha512", "sha384", "sha256", "sha224")
#: repomd's name of an algorithm → Python's; these are used only if there is no stronger checksum.
_WEAK = {"sha1": "sha1", "sha": "sha1", "md5": "md5"}
_HREF = re.compile(r"(?!/)(?!.*(?:^|/)\.\.(?:/|$))[\w./+~^@%=-]{1,500}\Z", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{32,128}\Z")


@frozen
class Location:
    """
    The location of a file in a repository.

    :ivar href: its path within the repository.
    :ivar algorithm: the algorithm of its checksum, by its name in :mod:`hashlib`.
    :ivar digest: its checksum, in hexadecimal digits.
    :ivar unpacked: whether the checksum is that of the decompressed content.
    """

    href: str
    algorithm: str
    digest: str
    unpacked: bool = False


class NoSuchFile(SourceError):
    """A repository that has no file of a kind: no advisories were ever published there."""


def parse_repomd(stream: BinaryIO, kind: str = "updateinfo") -> Location:
    """
    Return the location of a file of a repository.

    :param kind: its type in ``repomd.xml``.
    :raises SourceError: if the document is not a ``repomd.xml``, or has no such file.
    """
    found = None
    for element in children(stream, "repomd"):
        if name_of(element) == "data" and element.get("type") == kind:
            found = _location(element)
    if found is None:
        raise NoSuchFile(f"the repository has no {kind}")
    return found


def _location(data: Element) -> Location:
    place = data.find("{*}location")
    href = place.get("href", "") if place is not None else ""
    if not _HREF.match(href):
        raise SourceError("the location of a file is not a path within the repository")
    sums = [(data.find("{*}checksum"), False), (data.find("{*}open-checksum"), True)]
    told = [(each.get("type", "").lower(), _digest(each), is_open) for each, is_open in sums if each is not None]
    strong = [Location(href, kind, digest, is_open) for kind, digest, is_open in told if kind in _STRONG and digest]
    weak = [Location(href, _WEAK[kind], digest, is_open) for kind, digest, is_open in told if kind in _WEAK and digest]
    if not strong and not weak:
        raise SourceError(f"{href} has no checksum of a known kind")
    return (strong or weak)[0]


def _digest(element: Element) -> str | None:
    digest = (element.text or "").strip().lower()
    return digest if _DIGEST.match(digest) else None
