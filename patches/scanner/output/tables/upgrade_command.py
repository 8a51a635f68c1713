"""
The command that installs the upgrades of a host, in the words of its own package tool.

Sources: apt-get(8), ``--only-upgrade``; dnf(8) and yum(8), ``upgrade``; zypper(8), ``update``; transactional-update(8),
``pkg update``; apk-upgrade(8) of apk-tools 3, where packages may be named; before version 3 the command upgrades all
packages, and takes no names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from patches.platforms import Platform
from patches.scanner.inventory import Package
from patches.scanner.matching.comparison import EVERY_ARCH
from patches.scanner.matching.findings import Finding
from patches.scanner.outcome import Outcome

#: The names that a package may have in a command line: none needs quotes, and none is taken for an option.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._~-]*\Z")
#: The tools that a host with rpm packages may have, the first that is installed is used: package → command.
_RPM_TOOLS = {
    "dnf5": "dnf upgrade",
    "dnf": "dnf upgrade",
    "tdnf": "tdnf update",
    "zypper": "zypper update",
    "yum": "yum update",
    "microdnf": "microdnf upgrade",
}
_ZYPPER = ("sles", "opensuse-leap", "opensuse")
#: An image of packages is replaced as a whole, so no package is named.
_IMAGE_TOOL, _IMAGE_COMMAND = "rpm-ostree", "rpm-ostree upgrade"


def upgrade_command(outcome: Outcome) -> str | None:
    """
    Return the command that installs all upgrades of the findings that count.

    Upgrades of a track that the host does not have are not among them: its tool does not find them.

    :return: ``None`` if there is nothing to upgrade.
    """
    packages = tuple(dict.fromkeys(each.package for each in outcome.counted if _is_for(each, outcome)))
    names = sorted(package.name for package in packages if _NAME.match(package.name))
    if not names:
        return None
    installed = {package.name: package for package in outcome.coverage.packages}
    if outcome.coverage.scheme == "dpkg":
        qualified = _dpkg_names(packages, outcome.coverage.packages)
        return " ".join(("apt-get install --only-upgrade", *qualified)) if qualified else None
    if outcome.coverage.scheme == "apk":
        named = dict.fromkeys(names) if _takes_names(installed.get("apk-tools")) else ()
        return " ".join(("apk upgrade", *named))
    if outcome.coverage.scheme == "rpm":
        tool_command = _rpm_command(Platform.family_of(outcome.platform), installed.keys())
        named = () if tool_command == _IMAGE_COMMAND else dict.fromkeys(names)
        return " ".join((tool_command, *named))
    return None


def _is_for(finding: Finding, outcome: Outcome) -> bool:
    return finding.fixed.has_fix and (finding.track is None or finding.track in outcome.coverage.tracks)


def _takes_names(apk_tools: Package | None) -> bool:
    major = apk_tools.version.partition(".")[0] if apk_tools is not None else ""
    return major.isdecimal() and int(major) >= 3


def _rpm_command(family: str, installed: Iterable[str]) -> str:
    names = set(installed)
    if family == "sl-micro":
        return "transactional-update pkg update"
    if family in _ZYPPER:
        return _RPM_TOOLS["zypper"]
    for tool, command in _RPM_TOOLS.items():
        if tool in names:
            return command
    return _IMAGE_COMMAND if _IMAGE_TOOL in names else "dnf upgrade"


def _dpkg_names(packages: Iterable[Package], installed: Iterable[Package]) -> list[str]:
    """Return the names of packages for apt-get; those of a foreign architecture are qualified with it."""
    native = _native_arch(installed)
    return sorted(
        {
            package.name if package.arch in (native, "", *EVERY_ARCH) else f"{package.name}:{package.arch}"
            for package in packages
            if _NAME.match(package.name) and _NAME.match(package.arch or native)
        }
    )


def _native_arch(installed: Iterable[Package]) -> str:
    """Return the architecture of dpkg itself, or else the one that most packages have."""
    counts: Counter[str] = Counter()
    for package in installed:
        if package.name == "dpkg":
            return package.arch
        if package.arch not in EVERY_ARCH:
            counts[package.arch] += 1
    return counts.most_common(1)[0][0] if counts else "all"
