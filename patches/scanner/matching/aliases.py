"""The names and versions under which a vulnerability list may refer to an installed package."""

from __future__ import annotations

import re
from collections.abc import Iterator

from patches.scanner.inventory import Package

#: Debian and Ubuntu build signed kernels from a separate source package, but the lists name that of the kernel.
_SIGNED_KERNEL = re.compile(r"linux-signed(?:-(?:amd64|arm64|i386))?(-.+)?\Z")
#: The same holds for boot loaders. The version of the signed source package is a suffix of the package's version:
#: grub2's ``2.06-13+deb12u1`` in ``1+2.06-13+deb12u1`` (Debian), ``2.06-2ubuntu14.1`` in ``1.187.3+2.06-2ubuntu14.1``
#: (Ubuntu), shim's ``15.8-1~deb12u1`` in ``1.44~1+deb12u1+15.8-1~deb12u1``.
_SIGNED_LOADER = {
    "grub2-signed": "grub2",
    "grub-efi-amd64-signed": "grub2",
    "grub-efi-arm64-signed": "grub2",
    "grub-efi-ia32-signed": "grub2",
    "shim-signed": "shim",
    "shim-helpers-amd64-signed": "shim",
    "shim-helpers-arm64-signed": "shim",
    "shim-helpers-i386-signed": "shim",
}
_SIGNED_VERSION = re.compile(r".*\+(\d{1,3}(?:[.~][\w.~]*)?(?:\+[\w.]+)?-.*)\Z")


def aliases_of(package: Package, scheme: str) -> Iterator[tuple[str, str, str]]:
    """Yield each kind, name and version under which a list may name a package."""
    yield "binary", package.name, package.version
    yield "source", package.source, package.source_version
    if scheme == "dpkg":
        yield from _signed(package)


def _signed(package: Package) -> Iterator[tuple[str, str, str]]:
    """Yield the source package from which a signed package was built, with its version."""
    kernel = _SIGNED_KERNEL.match(package.source)
    if kernel:
        yield "source", f"linux{kernel[1] or ''}", package.version
    loader = _SIGNED_LOADER.get(package.source)
    version = _SIGNED_VERSION.match(package.version) if loader else None
    if loader and version:
        yield "source", loader, version[1]
