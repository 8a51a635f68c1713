"""Checksums that a server announces in the headers of its response."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from attrs import frozen
from twisted.web.http_headers import Headers

#: The names of algorithms in headers, and in :mod:`hashlib`; other algorithms are ignored.
_ALGORITHMS = {"md5": "md5", "sha-256": "sha256", "sha-512": "sha512"}
_TAG = re.compile(r'"([0-9a-f]{32})"\Z')
_LENGTHS = {"md5": 16, "sha256": 32, "sha512": 64}
_MEMBER = re.compile(r"([A-Za-z0-9-]+)\s*=\s*:?([A-Za-z0-9+/]+={0,2}):?\s*\Z")


@frozen
class Checksum:
    """
    The checksum that a body must have.

    :ivar algorithm: its name in :mod:`hashlib`.
    :ivar digest: in hexadecimal.
    """

    algorithm: str
    digest: str


def parse_checksums(headers: Headers) -> tuple[Checksum, ...]:
    """
    Parse the checksums of a complete response (status 200), of its body as it is sent.

    See RFC 9530 (``Repr-Digest``, ``Content-Digest``), RFC 3230 (``Digest``), RFC 1864 (``Content-MD5``), Google Cloud
    Storage (``x-goog-hash``), and Amazon S3 (``x-amz-checksum-sha256``, ``ETag``). A checksum that cannot be parsed is
    ignored, as is Google's CRC32C, which would take longer to compute than to download.
    """
    found: list[Checksum] = []
    for name in ("repr-digest", "content-digest", "digest"):
        found += _members(_joined(headers, name))
    if _stored_as_sent(headers):
        found += _members(_joined(headers, "x-goog-hash"))
    found += _members(f"md5={_joined(headers, 'content-md5')}")
    found += _members(f"sha-256={_joined(headers, 'x-amz-checksum-sha256')}")
    if (tagged := etag_checksum(headers)) is not None and _has_md5_tags(headers):
        found.append(tagged)
    return tuple(dict.fromkeys(found))


def etag_checksum(headers: Headers) -> Checksum | None:
    """Return the MD5 that a strong ``ETag`` may be, by its form; many servers have tags of this form that are not."""
    found = _TAG.match(_joined(headers, "etag"))
    return Checksum("md5", found[1]) if found else None


def _has_md5_tags(headers: Headers) -> bool:
    """
    Return whether the entity tags of a server are the MD5 of what it sends, where they have its form.

    That is said of Amazon S3 (*Common response headers*, ``ETag``), except of objects that are encrypted with a key of
    their owner; those uploaded in parts have tags of another form. The storage sends what it stores, and what a cache
    before it compresses has a weak tag.
    """
    is_amazon = headers.hasHeader("x-amz-request-id") and _joined(headers, "server") == "AmazonS3"
    own_key = headers.hasHeader("x-amz-server-side-encryption-customer-algorithm")
    own_key = own_key or _joined(headers, "x-amz-server-side-encryption") not in ("", "AES256")
    return is_amazon and not own_key


def _members(text: str) -> Iterator[Checksum]:
    for member in text.split(","):
        read = _MEMBER.match(member.strip())
        algorithm = _ALGORITHMS.get(read[1].lower()) if read else None
        if read is None or algorithm is None:
            continue
        try:
            digest = base64.b64decode(read[2], validate=True)
        except binascii.Error:
            continue
        if len(digest) == _LENGTHS[algorithm]:
            yield Checksum(algorithm, digest.hex())


def _stored_as_sent(headers: Headers) -> bool:
    """
    Return whether the body is sent as Google's storage stores it.

    The storage may decompress an object before it sends it, but its checksum is that of the compressed object.
    """
    stored = _joined(headers, "x-goog-stored-content-encoding").lower() or "identity"
    sent = [name.strip().lower() for name in _joined(headers, "content-encoding").split(",")]
    return stored == "identity" or stored in sent


def _joined(headers: Headers, name: str) -> str:
    return ",".join(headers.getRawHeaders(name) or ()).strip()
