"""
A quick look at the records of a chunk: which of them name a package, before any is decoded whole.

Most records are about packages that a host does not have. A typed decoder reads the names of packages for about a
microsecond a record. It is a filter and no judge: where it stumbles, every record of the chunk is looked at as before,
and refused in words.

A record that names an installed package is decoded whole, with all checks. Of a record that is passed over it is
checked that it is one line of valid UTF-8 and JSON, and that the names of its packages are strings; of two members of
one name the last one counts, and what else it has is not looked at. That is safe: the digest of the list proves that it
is what the server published, the server has checked every record before, and nothing in it can become a finding of this
host.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

import msgspec

from patches.vulnerability import Vulnerability
from patches.wire import MalformedWire, decode_lines


class _Package(msgspec.Struct, gc=False):
    name: str


class _Record(msgspec.Struct, gc=False):
    fixedInPackages: list[_Package]
    followed: msgspec.Raw | msgspec.UnsetType | None = msgspec.UNSET


_DECODER = msgspec.json.Decoder(_Record)


def decode_naming(body: bytes, names: Container[str] | None) -> Iterator[Vulnerability]:
    """
    Decode the records of a chunk that name a package of one of these names, and the lists of followed packages.

    :param names: ``None``: decode every record.
    :raises MalformedWire: if one of them is malformed, or another one in what is looked at of it.
    """
    records = _looked_at(body) if names is not None else None
    if records is None or names is None:
        yield from decode_lines(body, names)
        return
    begin = 0
    for record in records:
        end = body.find(b"\n", begin)  # no copies of the lines that are passed over
        for package in record.fixedInPackages:
            if package.name in names:
                yield _decoded(body[begin:end], record)
                break
        else:
            if record.followed is not msgspec.UNSET:
                yield _decoded(body[begin:end], record)
        begin = end + 1


def _looked_at(body: bytes) -> list[_Record] | None:
    """Return what is looked at of each line; ``None`` if a line cannot be read, or is not one record."""
    try:
        records = _DECODER.decode_lines(body)
        if not body.isascii():
            body.decode("utf-8")  # the decoder does so with the names only
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    is_one_a_line = body.count(b"\n") == len(records) and body[-1:] in (b"", b"\n")
    return records if is_one_a_line else None


def _decoded(line: bytes, record: _Record) -> Vulnerability:
    """
    Decode a line.

    The decoder takes line feeds within a record, and several records in a line: if both are in one chunk, the number of
    lines is right, but not their order.

    :raises MalformedWire: if it is malformed, or not the record that was looked at.
    """
    vulnerability = next(decode_lines(line), None)
    if vulnerability is None or [fixed.name for fixed in vulnerability.fixed_in] != [
        package.name for package in record.fixedInPackages
    ]:
        raise MalformedWire("not JSON: a record is not one line")
    return vulnerability
