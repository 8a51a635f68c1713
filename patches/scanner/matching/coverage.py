"""
Coverage: which packages the lists of a distribution are not about, or do not know.

Foreign packages need positive evidence, by the table of makers or by an operator; those of an unknown origin are
compared. What the list does not know is decided after it was read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping
from fnmatch import fnmatchcase

from attrs import frozen

from patches.platforms import Platform
from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.aliases import aliases_of
from patches.scanner.matching.kernel_headers import has_no_kernel_code
from patches.scanner.matching.makers import is_own, maker_of
from patches.scanner.matching.matcher import Matcher
from patches.scanner.matching.rules import Rule

#: Names of packages with a kernel or a boot loader. What else is built from the same source shares their verdict.
_KERNEL_OR_LOADER = {
    "dpkg": re.compile(
        r"linux-(?:image|modules|binary)-.+|(?:pve|proxmox|raspberrypi)-kernel.*|grub-(?:efi|pc|xen|ieee1275|coreboot).*|"
        r"shim(?:-.+)?|systemd-boot(?:-efi)?|refind"
    ),
    "rpm": re.compile(
        r"kernel[\d.]*(?:-(?!(?:srpm|rpm)-macros|headers|devel|doc|tools|macros|source|syms|abi|livepatch|firmware)[\w.+]+)*|"
        r"linux(?:-(?:esx|aws|secure|rt|lts))?|grub2-(?:efi|pc|common|tools|x86_64-efi|i386-pc|arm64-efi).*|shim(?:-.+)?"
    ),
    "apk": re.compile(r"linux-(?:lts|virt|edge|stable|rpi\d?|asahi|openpax|gcp|hardened)|grub(?:-.+)?|shim"),
}
NO_RECORD_OF_SOURCE = "the list has no record of its source package"
UNKNOWN = "unknown to the list: its sources do not follow the package"


@frozen
class Origins:
    """
    An operator's word about origins, as patterns with ``*`` and ``?``, in any case.

    :ivar own: origins whose packages are the distribution's, such as a mirror.
    :ivar foreign: origins whose packages are not.
    """

    own: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


def general_reason(reason: str) -> str:
    """Return a reason for which a package is not covered, without the maker or the track that it may name."""
    if reason in (UNKNOWN, NO_RECORD_OF_SOURCE):
        return reason.partition(":")[0]
    return "the list has no records of its track" if reason.startswith("the list") else "not from the distribution"


def foreign_packages(packages: tuple[Package, ...], platform: str, origins: Origins) -> dict[Package, str]:
    """Return the packages that are not from the distribution, with the reason."""
    family = Platform.family_of(platform)
    found = {}
    for package in packages:
        origin = package.vendor
        if origin is not None and _matches(origin, origins.own):
            continue
        if origin is not None and _matches(origin, origins.foreign):
            found[package] = f"from {origin}"
            continue
        maker = maker_of(origin, package.version, family)
        if maker is not None:
            found[package] = f"from {origin}" if origin and not is_own(origin, family) else f"a build of {maker}"
    return found


def unknown_origins(
    packages: tuple[Package, ...], platform: str, origins: Origins, foreign: Mapping[Package, str]
) -> Counter[str]:
    """Return the number of packages of each origin that is not known; these packages are compared."""
    family = Platform.family_of(platform)
    told = (package.vendor for package in packages if package not in foreign)
    return Counter(
        origin for origin in told if origin and not is_own(origin, family) and not _matches(origin, origins.own)
    )


@frozen
class Unjudged:
    """
    The packages of which a scan cannot say that they are affected or fine, each with its reasons.

    :ivar not_covered: the packages that the list is not about, or does not know.
    :ivar not_evaluated: the packages that could not be compared.
    """

    not_covered: Mapping[Package, str]
    not_evaluated: Mapping[Package, tuple[str, ...]]


def unjudged_packages(inventory: Inventory, matcher: Matcher, affected: Container[Package] = ()) -> Unjudged:
    """
    Return the packages without a verdict, each for one reason, after the whole list was compared.

    :param affected: the packages with a finding; they have a verdict.
    """
    scheme, foreign = inventory.scheme, inventory.foreign
    not_covered: dict[Package, str] = {}
    not_evaluated: dict[Package, tuple[str, ...]] = {}
    known = {package.source for package in inventory.packages if _is_known(package, matcher, scheme)}
    kernels = {package.source for package in inventory.packages if _is_kernel_or_loader(package, scheme)}
    for package in inventory.packages:
        if package in affected:
            continue
        rule = matcher.reason_unjudged(package)
        unknown = None
        if rule is None and package.source not in known and not has_no_kernel_code(package, scheme):
            unknown = NO_RECORD_OF_SOURCE if package.source in kernels else UNKNOWN if matcher.follows else None
        if rule is Rule.FOREIGN:
            not_covered[package] = foreign[package]
        elif rule is Rule.DAMAGED:
            not_evaluated[package] = (f"{rule.text}: {package.problem}",)
        elif rule is Rule.NO_TRACK and matcher.is_topic_absent(package):
            not_covered[package] = f"the list has no records of {matcher.line_of(package)}"
        elif rule is not None:
            line = matcher.line_of(package)
            not_evaluated[package] = (f"{rule.text} ({line})" if line else rule.text,)
        elif package in matcher.unjudged:
            not_evaluated[package] = tuple(sorted(matcher.unjudged[package]))
        elif unknown is not None:
            not_covered[package] = unknown
    return Unjudged(not_covered, not_evaluated)


def _is_known(package: Package, matcher: Matcher, scheme: str) -> bool:
    """Return whether a record of the list names a package, or its sources follow it."""
    names = [(kind, name) for kind, name, _ in aliases_of(package, scheme)]
    return any(each in matcher.known or (each[0] == "source" and each[1] in matcher.followed) for each in names)


def _is_kernel_or_loader(package: Package, scheme: str) -> bool:
    pattern = _KERNEL_OR_LOADER.get(scheme)
    is_meta = package.source.startswith("linux-meta")  # Ubuntu: packages that only depend on a kernel
    return pattern is not None and pattern.fullmatch(package.name) is not None and not is_meta


def _matches(origin: str, patterns: tuple[str, ...]) -> bool:
    """Return whether one of the origins of a package, which are separated by ``"; "``, matches a pattern."""
    told = (origin, *origin.split("; "))
    return any(fnmatchcase(each.lower(), pattern.lower()) for pattern in patterns for each in told)
