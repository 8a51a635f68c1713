"""The members of an archive, one at a time: of a folder, of a zip file, or of a tar file that may be compressed."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

from patches.errors import SourceError
from patches.skipped import NO_RECORD
from patches.sources.archive.decompress import Meter, UnpackLimits, decompression_errors, open_metered
from patches.sources.archive.zip import BadZip, read_member, zip_members
from patches.sources.parse_context import ParseContext

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_BLOCK = 64 * 1024
#: The bytes that a tar file may have between two members besides the content of the first: long names and the like.
_HEADERS = 1024 * 1024


class _Header(tarfile.TarInfo):
    """A header of a tar file; a truncated or damaged one raises, where ``tarfile`` would take it for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error


def members(path: Path, limits: UnpackLimits | None = None, suffix: str = ".json") -> Iterator[tuple[str, bytes]]:
    """
    Yield the name and the content of each regular file in an archive, one at a time.

    :param path: a folder, or a zip or tar file; the latter plain or compressed with gzip, bzip2, xz or zstd. The first
        bytes determine the format.
    :param suffix: the suffix of the names of the wanted members.
    :raises SourceError: if it is not an archive, is damaged, or exceeds its limits.
    """
    limits = limits or UnpackLimits()
    with decompression_errors(path):
        packed = None if path.is_dir() else path.stat().st_size
        begins = b"" if packed is None else _beginning(path)
    if packed is None:
        return _of_folder(path, Meter(path, limits, None, limits.member_bytes), suffix)
    if begins in _ZIP:
        return _of_zip(path, Meter(path, limits, packed, limits.member_bytes), suffix)
    return _of_tar(path, Meter(path, limits, packed, limits.member_bytes + _HEADERS), suffix)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _of_folder(path: Path, meter: Meter, suffix: str) -> Iterator[tuple[str, bytes]]:
    for folder, folders, names in os.walk(path, onerror=_refuse):
        folders.sort()
        for name in sorted(names):
            member = Path(folder, name)
            if name.endswith(suffix) and member.is_file() and not member.is_symlink():
                meter.begin()
                with decompression_errors(member), member.open("rb") as file:
                    content = _content(file, meter)
                yield member.relative_to(path).as_posix(), content


def _refuse(error: OSError) -> None:
    raise SourceError(f"{error.filename}: {error.strerror}") from error


def _of_zip(path: Path, meter: Meter, suffix: str) -> Iterator[tuple[str, bytes]]:
    with _damage(path), path.open("rb") as file:
        for member in zip_members(file):
            meter.begin()
            if member.name.endswith(suffix):
                pieces = []
                for piece in read_member(file, member):
                    meter.add(len(piece))
                    pieces.append(piece)
                yield member.name, b"".join(pieces)


def _content(file: IO[bytes], meter: Meter) -> bytes:
    pieces = []
    while piece := file.read(_BLOCK):
        meter.add(len(piece))
        pieces.append(piece)
    return b"".join(pieces)


def _of_tar(path: Path, meter: Meter, suffix: str) -> Iterator[tuple[str, bytes]]:
    with _damage(path), open_metered(path, meter) as file:
        with tarfile.open(fileobj=file, mode="r|", bufsize=_BLOCK, tarinfo=_Header) as archive:
            for info in archive:
                archive.members.clear()  # type: ignore[attr-defined]  # hidden by typeshed; tarfile never shortens it
                meter.begin()
                if info.isreg() and info.name.endswith(suffix):
                    yield info.name, _content_in_tar(archive, info, meter)
        while file.read(_BLOCK):
            pass  # read to the end: padding follows, and the checksum of the compressed data


def _content_in_tar(archive: tarfile.TarFile, info: tarfile.TarInfo, meter: Meter) -> bytes:
    if info.size > meter.limits.member_bytes:
        raise SourceError(f"{meter.path}: a member of more than {meter.limits.member_bytes} bytes")
    content = archive.extractfile(info)
    return content.read() if content is not None else b""


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Convert the errors of reading an archive to :class:`SourceError`."""
    try:
        with decompression_errors(path):
            yield
    except (BadZip, RuntimeError) as error:
        raise SourceError(f"{path}: damaged: {error}") from error
    except tarfile.TarError as error:
        raise SourceError(f"{path}: not an archive, or damaged: {error}") from error


def json_documents(
    members: Iterable[tuple[str, bytes]], is_one: Callable[[Any], bool], kind: str, context: ParseContext
) -> Iterator[Any]:
    """
    Yield the JSON documents of a kind, one at a time.

    :param members: the name and the content of each file of the archive.
    :param is_one: returns whether a document is of the kind.
    :param kind: the name of the kind, for the error message.
    :param context: counts the members that are not such documents.
    :raises SourceError: at the end, if no member was of the kind.
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
            context.skip(NO_RECORD)
    if not found:
        raise SourceError(f"none of its {read} members is {kind}")
