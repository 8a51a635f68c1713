"""The names and versions under which a vulnerability list may refer to an installed package."""

from __future__ import annotations

import re
from collections.abc import Iterator

from patches.scanner.inventory import Package

#: Debian and Ubuntu build signed kernels from a separate source package, but the lists name that of the kernel. The
#: series goes before the architecture: ``linux-signed-6.1-amd64`` is ``linux-6.1``.
_SIGNED_KERNEL = re.compile(r"linux-signed(-.+?)??(?:-(?:amd64|arm64|i386|armhf|ppc64el|s390x|riscv64))?\Z")
#: A signed kernel of Ubuntu that was signed again: ``5.8.0-1034.35~20.04.2+1``, ``4.15.0-1007.9+signed1``.
_SIGNED_AGAIN = re.compile(r"(?<!bpo\d\d)\+(?:signed)?\d{1,2}\Z")
#: The same holds for boot loaders.
_SIGNED_LOADER = re.compile(r"(grub2|grub-efi|shim|shim-helpers)(?:-(?:amd64|arm64|ia32|i386))?-signed\Z")
#: Debian's signed sources are native packages: the signed version follows a number and a plus, and its hyphen is a
#: plus too, because a native version has no hyphen. grub2's ``2.06-13+deb12u2`` is ``1+2.06+13+deb12u2``.
_NATIVE = re.compile(r"\d+\+(?P<upstream>[^+]+(?:\+[A-Za-z~][^+]*)*)\+(?P<revision>\d.*)\Z")
#: Other binary packages have the version of the signed source, a plus, and the version that was signed:
#: ``1.187.12+2.06-2ubuntu14.8``, ``1.51~1+deb12u1+16.1-2~deb12u1``.
_APPENDED = re.compile(r"[^+]+(?:\+[A-Za-z~][^+]*)*\+(?P<version>\d.*-.*)\Z")


def aliases_of(package: Package, scheme: str) -> Iterator[tuple[str, str, str]]:
    """Yield each kind, name and version under which a list may name a package."""
    yield "binary", package.name, package.version
    yield "source", package.source, package.source_version
    if scheme == "dpkg":
        signed = signed_source(package)
        if signed is not None:
            yield ("source", *signed)


def signed_source(package: Package) -> tuple[str, str] | None:
    """
    Return the name and the version of the source package that was signed.

    Debian records them as ``Built-Using``; the rules were tested with that field of the packages in the archives of
    Debian and Ubuntu.

    Ubuntu builds one GRUB for all releases from ``grub2-unsigned`` since 2.04-1ubuntu40, and its records name that.

    :return: ``None`` if the package is not a signed kernel or boot loader.
    """
    kernel = _SIGNED_KERNEL.match(package.source)
    if kernel:
        return f"linux{kernel[1] or ''}", _SIGNED_AGAIN.sub("", package.version)
    loader = _SIGNED_LOADER.match(package.source)
    version = _signed_version(package) if loader else None
    if loader is None or version is None:
        return None
    if loader[1].startswith("shim"):
        return "shim", version
    return "grub2-unsigned" if package.source == "grub2-signed" and _is_unsigned(version) else "grub2", version


def _is_unsigned(version: str) -> bool:
    found = re.match(r"2\.(\d+)-\d+ubuntu(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) >= (4, 40)


def _signed_version(package: Package) -> str | None:
    """Return the version that was signed, which the version of a signed boot loader contains."""
    if "-" not in package.version:
        native = _NATIVE.match(package.version)
        return f"{native['upstream']}-{native['revision']}" if native else None
    own = f"{package.source_version}+"
    if package.version.startswith(own):
        return package.version.removeprefix(own)
    appended = _APPENDED.match(package.version)
    return appended["version"] if appended else None
