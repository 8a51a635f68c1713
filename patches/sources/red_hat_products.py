"""
Which of Red Hat's products are releases of Enterprise Linux that every host gets its packages from.

A product's CPE tells. Products of longer support (``rhel_eus``, ``rhel_aus``, ``rhel_e4s``, ``rhel_els``) have fixes of
their own, and so have layered products; a host that has them is not known by its platform.

Sources: *Common Platform Enumeration: Naming Specification Version 2.3*, NISTIR 7695, for both forms of a name.
"""

from __future__ import annotations

import re

_MAINLINE = re.compile(
    r"cpe:(?:/|2\.3:)[ao]:redhat:enterprise_linux:(?P<major>\d{1,3})(?:\.\d{1,3}|\.\*)?(?::[^/]{0,200})?\Z"
)


def rhel_of(cpe: str) -> str | None:
    """
    Give the platform of which a product is a part.

    :param cpe: as a URI, ``cpe:/a:redhat:enterprise_linux:9::appstream``, or as a formatted string,
        ``cpe:2.3:a:redhat:enterprise_linux:9:*:appstream:*:*:*:*:*``.
    :return: ``rhel-9``; ``None`` if it is another product.
    """
    found = _MAINLINE.match(cpe.replace("\\", ""))
    return f"rhel-{found['major']}" if found else None
