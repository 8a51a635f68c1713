"""
Conversion between packages and package URLs (purls), the names that other tools use for packages.

Source: the purl specification, and its definitions of the types ``deb``, ``rpm`` and ``apk``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from packageurl import PackageURL

from patches.platforms import InvalidPlatform, Platform
from patches.scanner.inventory import Package

#: version scheme → type of purl
TYPES = {"dpkg": "deb", "rpm": "rpm", "apk": "apk"}
#: family → namespace, where the two differ: the namespace is the vendor's own name, as in the ``ID`` of ``os-release``.
_NAMESPACES = {
    "rhel": "redhat",
    "centos-stream": "centos",
    "alma": "almalinux",
    "oracle": "ol",
    "amazon": "amzn",
    "opensuse-leap": "opensuse",
}
#: namespace → other namespaces that tools use for the same packages.
_ALSO = {
    "redhat": ("rhel",),
    "almalinux": ("alma",),
    "ol": ("oracle",),
    "amzn": ("amazon",),
    "sles": ("suse",),
    "opensuse": ("suse",),
}


def purl_of(package: Package, platform: str, scheme: str | None = None) -> PackageURL:
    """
    Return the purl of an installed package.

    A slash in a name is escaped, because it would split the purl; no valid package name contains one.

    :param scheme: the version scheme, used if the platform's name does not determine it.
    """
    told, namespace = _vendor(platform)
    kind = TYPES.get(told or scheme or "", "generic")
    epoch, version = _split(package.version) if kind == "rpm" else (None, package.version)
    qualifiers = {"arch": package.arch, "distro": platform, "epoch": epoch, "upstream": _upstream(package, kind)}
    given = {name: _unicode(value) for name, value in qualifiers.items() if value}
    return PackageURL(kind, namespace, _unicode(package.name.replace("/", "%2F")), _unicode(version), given)


def _unicode(text: str) -> str:
    """Return a text that is UTF-8, as a purl must be: bytes of a package database that are not, are escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class PurlTexts(dict[Package, str]):
    """The purls of packages as texts, each made once; a document may name a package with each of its findings."""

    def __init__(self, platform: str, scheme: str | None) -> None:
        super().__init__()
        self._platform = platform
        self._scheme = scheme
        self._packages: Counter[str] = Counter()

    def add(self, packages: Iterable[Package]) -> None:
        """Make the purls of packages, so that it is known which of them are shared."""
        for package in packages:
            self[package]

    def __missing__(self, package: Package) -> str:
        text = self[package] = purl_of(package, self._platform, self._scheme).to_string()
        self._packages[text] += 1
        return text

    def is_shared(self, purl: str) -> bool:
        """Return whether several of the packages so far have a purl."""
        return self._packages[purl] > 1


def matches_package(purl: PackageURL, package: Package, platform: str) -> bool:
    """
    Return whether a purl names an installed package; a part that the purl does not have matches anything.

    The purl may name the source package, either by ``arch=source`` or by its name. Its ``distro`` is not compared,
    because each tool spells it differently.
    """
    own = purl_of(package, platform)
    namespaces = (own.namespace, *_ALSO.get(own.namespace or "", ()))
    if purl.type != own.type or (purl.namespace and purl.namespace not in namespaces):
        return False
    qualifiers = purl.qualifiers if isinstance(purl.qualifiers, dict) else {}
    arch = qualifiers.get("arch")
    versions = {package.version} if purl.name == package.name and arch not in ("source", "src") else set()
    if purl.name == package.source and arch in (None, "source", "src"):
        versions.add(package.source_version)
    if purl.version and not any(
        _is_version(purl.version, qualifiers.get("epoch"), each, own.type) for each in versions
    ):
        return False
    return bool(versions) and arch in (None, "source", "src", package.arch)


def _is_version(version: str, epoch: str | None, installed: str, kind: str) -> bool:
    if kind != "rpm":
        return version == installed
    told, version = _split(version)
    have, installed = _split(installed)
    return version == installed and (epoch or told or have or "0") == (have or "0")


def _split(version: str) -> tuple[str | None, str]:
    """Return the epoch of an rpm version, ``None`` if it has no epoch, and the rest of the version."""
    epoch, colon, rest = version.partition(":")
    return (epoch, rest) if colon else (None, version)


def _upstream(package: Package, kind: str) -> str | None:
    """
    Return the qualifier ``upstream``: the source package, with its version if that differs from the package's.

    :return: ``None`` if the source package has the package's own name and version.
    """
    if (package.source, package.source_version) == (package.name, package.version):
        return None
    if kind == "rpm":
        return f"{package.source}-{_split(package.source_version)[1]}.src.rpm"
    if package.source_version == package.version:
        return package.source
    return f"{package.source}@{package.source_version}"


def _vendor(platform: str) -> tuple[str | None, str | None]:
    """Return the version scheme and the namespace of a platform; ``None`` for both if the platform is not known."""
    try:
        known = Platform.from_name(platform)
    except InvalidPlatform:
        return None, None
    return known.version_scheme, _NAMESPACES.get(known.family, known.family)
