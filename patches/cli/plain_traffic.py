"""
Commands whose traffic is plain do without OpenSSL, which takes 14 MiB and a tenth of a second.

Twisted imports pyOpenSSL, wherever it is installed, with the modules for TCP, and does without TLS where it is not; so
do the modules of the standard library with ``ssl``, which a build of Python need not have. So a command that cannot
need TLS says, before Twisted's modules for TCP are imported, that they are not there: ``sys.modules`` has ``None`` for
them, which makes their import an ``ImportError`` (the import system, section 5.3.1 of the language reference). Whether
TLS is needed is known from the options alone: redirects are not followed, and a list that is read in this process may
be read from anywhere.

The standard library's ``ssl`` is withheld before the options are read, as asyncio, which Twisted imports, and
``http.client`` look for it early; no request of these commands is made with either.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, cast

from patches.http.access.proxies import Proxies
from patches.settings import BadSetting

if TYPE_CHECKING:
    from patches.scanner.options import AccessSettings, StandaloneSettings

#: pyOpenSSL brings an OpenSSL of its own; the standard library's module loads the system's.
_PYOPENSSL, _STANDARD = "OpenSSL", "ssl"
#: The modules whose import looks for pyOpenSSL: later it is too late.
_FIRST_USERS = (_PYOPENSSL, "twisted.internet.tcp", "twisted.internet.endpoints", "twisted.web.client")


def is_plain(
    access: AccessSettings,
    standalone: StandaloneSettings,
    reporter: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> bool:
    """
    Return whether a command with these options never needs TLS.

    :param reporter: the URL to which it reports; ``None``: it does not report.
    :param environment: names proxies where no option does.
    """
    reads_itself = standalone.standalone or standalone.source is not None or standalone.list_file is not None
    # without the name of a server, the list may be read in this process
    asks = access.patches_server if not standalone.offline else ""
    if reads_itself or asks is None or access.ca is not None:
        return False
    if not all(url.lower().startswith("http://") for url in (asks, reporter) if url):
        return False
    try:
        proxies = Proxies.always(access.proxy) if access.proxy is not None else Proxies.from_environment(environment)
    except BadSetting:
        return False  # the command says so later
    return not any(proxy is not None and proxy.encrypted for proxy in (proxies.http, proxies.https))


def withhold_standard_tls(modules: dict[str, ModuleType] = sys.modules) -> None:
    """Make the import of the standard library's module fail until it is known what is needed."""
    if _STANDARD not in modules:
        _nullable(modules)[_STANDARD] = None


def settle_tls(is_needed: bool, modules: dict[str, ModuleType] = sys.modules) -> None:
    """Make the imports of TLS fail from now on, or make them possible again; what is imported already stays."""
    if is_needed and _nullable(modules).get(_STANDARD, sys) is None:
        del modules[_STANDARD]
    if not is_needed and not any(name in modules for name in _FIRST_USERS):
        _nullable(modules)[_PYOPENSSL] = None


def _nullable(modules: dict[str, ModuleType]) -> dict[str, ModuleType | None]:
    """Return the same modules, of which ``None`` is what the import system reads as withheld."""
    return cast("dict[str, ModuleType | None]", modules)
