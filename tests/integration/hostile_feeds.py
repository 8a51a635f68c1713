"""Files that try to exhaust whoever reads them, each small on the wire."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

MIB = 1 << 20


def packed(path: Path, pieces: Iterator[bytes]) -> Path:
    """Write pieces to a gzip file."""
    with gzip.open(path, "wb", compresslevel=6) as file:
        for piece in pieces:
            file.write(piece)
    return path


def _filled(begin: bytes, filling: bytes, times: int, end: bytes) -> Iterator[bytes]:
    yield begin
    for _ in range(times):
        yield filling
    yield end


def long_string(path: Path) -> Path:
    """Write a JSON document with one string of 400 MiB, in some 400 KB."""
    return packed(path, _filled(b'{"packages":[{"pkg":{"name":"', b"x" * MIB, 400, b'"}}]}'))


def many_values(path: Path) -> Path:
    """Write a JSON document with one package of millions of small values."""
    return packed(path, _filled(b'{"packages":[{"pkg":{"name":"a","secfixes":{"1":[', b'"",' * 300_000, 40, b"0]}}}]}"))


def deep_nesting(path: Path) -> Path:
    """Write a JSON document that is nested many millions deep."""
    return packed(path, _filled(b'{"packages":[{"pkg":', b'{"a":' * 500_000, 10, b"7"))


def endless_line(path: Path) -> Path:
    """Write a file whose only line has 400 MiB."""
    return packed(path, _filled(b'{"name":"CVE-2024-1","x":"', b"y" * MIB, 400, b'"}\n'))


def large_text(path: Path) -> Path:
    """Write an XML document with one element whose text has 400 MiB."""
    return packed(path, _filled(b"<updates><update><title>", b"z" * MIB, 400, b"</title></update></updates>"))


def entities(path: Path) -> Path:
    """Write an XML document whose entities expand to billions of characters."""
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    document = f'<!DOCTYPE updates [<!ENTITY e0 "lol">{levels}]><updates><update><title>&e9;</title></update></updates>'
    return packed(path, iter([document.encode()]))


def huge_member(path: Path) -> Path:
    """Write a zip file with one member of 1 GiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = bytearray()
    crc = 0
    block = b'{"id":"A","details":"' + b"x" * (MIB - 21)
    for _ in range(1024):
        content += packer.compress(block)
        crc = zlib.crc32(block, crc)
    content += packer.flush()
    return _zip(path, [(b"a.json", bytes(content), crc, 1024 * MIB)])


def many_members(path: Path) -> Path:
    """Write a zip file with a million members that are no records."""
    content, crc = b"{}", zlib.crc32(b"{}")
    return _zip(path, ((b"%d.json" % number, content, crc, 2) for number in range(1_000_000)), method=0)


def _zip(path: Path, members: object, method: int = 8) -> Path:
    directory, count, offset = io.BytesIO(), 0, 0
    with path.open("wb") as file:
        for name, content, crc, size in members:  # type: ignore[attr-defined]
            facts = 20, 0, method, 0, 0, crc, len(content), size, len(name), 0
            file.write(struct.pack("<4s5H3L2H", b"PK\3\4", *facts) + name + content)
            directory.write(struct.pack("<4sH", b"PK\1\2", 20) + struct.pack("<5H3L2H", *facts))
            directory.write(struct.pack("<3H2L", 0, 0, 0, 0, offset) + name)
            offset += 30 + len(name) + len(content)
            count += 1
        file.write(directory.getbuffer())
        size, number = directory.tell(), min(count, 0xFFFF)
        if count > 0xFFFF:
            file.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset))
            file.write(struct.pack("<4sLQL", b"PK\6\7", 0, offset + size, 1))
            offset = 0xFFFFFFFF
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, number, number, size, offset, 0))
    return path


#: name → the kind of source that reads it, the name of the file, and its writer
HOSTILE: Mapping[str, tuple[str, str, Callable[[Path], Path]]] = {
    "long-string": ("secdb", "a.json", long_string),
    "many-values": ("secdb", "b.json", many_values),
    "deep-nesting": ("secdb", "c.json", deep_nesting),
    "endless-line": ("ndjson", "d.ndjson", endless_line),
    "large-text": ("updateinfo", "e.xml", large_text),
    "entities": ("updateinfo", "f.xml", entities),
    "huge-member": ("osv", "g.zip", huge_member),
    "many-members": ("osv", "h.zip", many_members),
}
