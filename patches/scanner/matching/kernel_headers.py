"""
Packages that are built from a kernel's source and contain no kernel code: headers, documentation, sources.

Source: the contents of these packages in the archives of Debian, Ubuntu, Red Hat, SUSE and Alpine. Tools such as
``perf``, ``bpftool`` and ``linux-tools`` contain code that is compiled, and are compared.
"""

from __future__ import annotations

import re

from patches.scanner.inventory import Package

_DPKG = re.compile(
    r"linux-libc-dev(?:-\w+-cross)?|linux-(?:[a-z0-9.]+-)*headers(?:-.+)?|linux-kbuild-.+|linux-doc(?:-.+)?|"
    r"linux-(?:[a-z0-9.]+-)*source(?:-.+)?|linux-manual-.+|linux-config-.+|linux-support-.+"
)
_RPM = re.compile(
    r"kernel[\d.]*(?:-\w+)*-"
    r"(?:headers|devel|devel-matched|doc|docs|docs-html|source|syms|macros|abi-stablelists|abi-whitelists)|"
    r"linux(?:-\w+)*-(?:devel|docs|headers)"
)
_APK = re.compile(r"linux-headers|linux-\w+-(?:dev|doc)")
_BY_SCHEME = {"dpkg": _DPKG, "rpm": _RPM, "apk": _APK}


def has_no_kernel_code(package: Package, scheme: str) -> bool:
    """Return whether a package of a kernel's source contains headers, documentation or sources only."""
    pattern = _BY_SCHEME.get(scheme)
    return pattern is not None and pattern.fullmatch(package.name) is not None
