"""
Tracks: the lines of builds that packages and fixes belong to. Versions are compared only within one track.

A track is either a line of its own, whose versions have no order with those of the main line, or it extends the main
line: its fixes are for main-line packages of the hosts that have it. :data:`RULES` recognises the line of a build by
its version, its package's name, or the id of its advisory; feeds and hosts name the tracks that extend the main line.
"""

from __future__ import annotations

import re
from enum import Enum

from attrs import field, frozen

from patches.platforms import Platform
from patches.vulnerability import FixedPackage

ESM, LTSS, SAP = "esm", "ltss", "sap"


class Extension(Enum):
    """The effect of the fixes of a track that extends the main line on hosts that do not have the track."""

    SOLD = "the flaw is in their packages too, and they can get the fix with a subscription"
    PINNED = "the fix is for hosts that stay on a minor release; the main line has a fix of its own"


#: The tracks that extend the main line: pattern, how they apply to other hosts, name for users, authority.
EXTENSIONS = tuple(
    (re.compile(pattern), extension, label, authority)
    for pattern, extension, label, authority in (
        (r"esm", Extension.SOLD, "Ubuntu Pro", "OSV records of Ubuntu: ecosystems Ubuntu:Pro:…"),
        (r"realtime", Extension.SOLD, "Ubuntu Pro, realtime", "OSV records of Ubuntu: Ubuntu:Pro:Realtime:…"),
        (r"eus-\d+\.\d+", Extension.PINNED, "Extended Update Support", "Red Hat: life cycle; CPE rhel_eus"),
        (r"aus-\d+\.\d+", Extension.PINNED, "Advanced Update Support", "Red Hat: life cycle; CPE rhel_aus"),
        (r"tus-\d+\.\d+", Extension.PINNED, "Telecommunications Update Service", "Red Hat: CPE rhel_tus"),
        (r"e4s-\d+\.\d+", Extension.PINNED, "Update Services for SAP Solutions", "Red Hat: CPE rhel_e4s"),
        (r"els", Extension.SOLD, "Extended Life Cycle Support", "Red Hat: life cycle; CPE rhel_els"),
        (r"ltss", Extension.SOLD, "LTSS", "SUSE: product SLES-LTSS; life cycle page"),
        (r"sap", Extension.SOLD, "SLES for SAP", "SUSE: product SLES_SAP"),
        (r"ha", Extension.SOLD, "High Availability", "SUSE: product sle-ha"),
        (r"we", Extension.SOLD, "Workstation Extension", "SUSE: product sle-we"),
        (r"desktop", Extension.SOLD, "Desktop", "SUSE: product SLED"),
        (r"live-patching", Extension.SOLD, "Live Patching", "SUSE: product sle-module-live-patching"),
        (r"hpc", Extension.SOLD, "HPC", "SUSE: product SLE_HPC"),
        (r"espos", Extension.SOLD, "ESPOS", "SUSE: product SLE_HPC-ESPOS"),
        (r"teradata", Extension.PINNED, "SLES for Teradata", "SUSE: product teradata"),
    )
)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


@frozen
class TrackRule:
    """
    One way to recognise the track of a build.

    :ivar families: the families of platforms for which it holds; empty: all.
    :ivar version: matches a part of the version.
    :ivar track: the name of the track, with ``{0}`` and so on for the groups of *version*.
    :ivar name: matches the whole name of the package, or of its source package.
    :ivar authority: who says so.
    """

    families: tuple[str, ...]
    version: re.Pattern[str] = field(converter=_compiled)
    track: str
    authority: str
    name: re.Pattern[str] = field(default=".*", converter=_compiled)


_UBUNTU = ("ubuntu",)
_SUSE = ("sles", "opensuse-leap", "opensuse", "sl-micro")

#: The first rule that matches decides.
RULES = (
    TrackRule(
        ("debian", "ubuntu"),
        r"~bpo\d",
        "backports",
        "Debian and Ubuntu Backports, version numbers: a rebuild of the next release, which the lists of this one "
        "do not follow",
    ),
    TrackRule((), r"\.ksplice\d", "ksplice", "Oracle: OVAL and errata of user-space Ksplice, epoch 2"),
    TrackRule((), r"fips", "fips", "Oracle: errata with _fips, epoch 10; Ubuntu: versions with Fips or +fips"),
    TrackRule(
        _UBUNTU, r"", "fips", "Ubuntu Pro: OSV ecosystem Ubuntu:Pro:FIPS…; kernels linux-fips", r"linux(-\w+)*-fips"
    ),
    TrackRule(_UBUNTU, r"[+~]esm\d", ESM, "Ubuntu security team: version numbers of ESM updates"),
    TrackRule(
        ("oracle",),
        r"(?:^|:)(2\.6\.32|2\.6\.39|3\.8\.13|4\.1\.12|4\.14\.35|5\.4\.17|5\.15\.0|6\.12\.0)-.*uek",
        "uek{0}",
        "Oracle: release notes of the Unbreakable Enterprise Kernel, one kernel version each",
    ),
    TrackRule(("oracle",), r"(?:^|:)(\d+\.\d+)\b.*uek", "uek-{0}", "Oracle: as above, for releases to come"),
    TrackRule(
        ("amazon",),
        r"(?:^|:)(?!4\.14\.)(\d+\.\d+)\.\d.*\.amzn2\b",
        "kernel-{0}",
        "Amazon Linux 2: extras kernel-5.4, kernel-5.10, kernel-5.15, kernel-ng; the core repository has 4.14",
        r"(?:kernel|perf|python-perf|bpftool)(?:-.*)?",
    ),
    TrackRule(_SUSE, r"\.PTF\.", "ptf", "SUSE: program temporary fixes, built for one customer"),
    TrackRule(_SUSE, r"\.TDC\.", "tdc", "SUSE: OVAL and OSV records of kernels for one customer, with TDC versions"),
)

_UEK = {
    "2.6.32": "1",
    "2.6.39": "2",
    "3.8.13": "3",
    "4.1.12": "4",
    "4.14.35": "5",
    "5.4.17": "6",
    "5.15.0": "7",
    "6.12.0": "8",
}

#: The highest number of versions whose tracks are remembered.
_REMEMBERED = 4096

#: Tracks that are named after a series.
_SERIES = re.compile(r"uek\d+\Z|(?:uek|kernel)-\d+\.\d+\Z")

#: ``ALAS-…``, ``ALAS2-…`` and ``ALAS2023-…`` are of the core repository; ``ALAS2KERNEL-5.10-…`` and
#: ``ALASKERNEL-5.10-…`` of the extra ``kernel-5.10``. Source: Amazon Linux Security Center.
_ALAS = re.compile(r"ALAS(?:2023|2)?(.*)-\d{4}-\d+\Z")
#: The topics of advisories that have another name than their repository.
_TOPICS = {"nitro-enclaves": "aws-nitro-enclaves-cli"}


def extension_of(track: str | None) -> Extension | None:
    """Return how a track extends the main line; ``None`` for the main line and for lines of their own."""
    found = _extension(track)
    return found[0] if found else None


def is_track(name: str) -> bool:
    """Return whether a track of this name is in one of the tables."""
    plain = {rule.track for rule in RULES if "{" not in rule.track}
    return extension_of(name) is not None or name in plain or _SERIES.match(name) is not None


def label_of(track: str | None) -> str:
    """Return the name of a track for users."""
    found = _extension(track)
    if found is None or track is None:
        return track or "the main line"
    extension, label = found
    return f"{label} {track.partition('-')[2]}".rstrip() if extension is Extension.PINNED else label


def _extension(track: str | None) -> tuple[Extension, str] | None:
    matched = (row for row in EXTENSIONS if track is not None and row[0].fullmatch(track))
    return next(((extension, label) for _, extension, label, _ in matched), None)


class TrackRules:
    """
    The rules of one platform.

    :param platform: its name; an invalid one has the rules of all platforms only.
    """

    def __init__(self, platform: str) -> None:
        self.family = Platform.family_of(platform)
        # Amazon Linux 2023 has live patches in the packages of its one list.
        self._has_extras = platform == "amazon-2"
        # The builds of a record mostly have one version.
        self._shown: dict[tuple[str, tuple[str, ...]], str | None] = {}
        self._rules = [rule for rule in RULES if not rule.families or self.family in rule.families]
        self._needs_names = any(rule.name.pattern != ".*" for rule in self._rules)

    def of_build(self, names: tuple[str, ...], version: str) -> str | None:
        """
        Return the track that the version or a name of a build shows; ``None``: they show none.

        :param names: the names of the package and of its source package, as far as they are known.
        """
        key = (version, tuple(names) if self._needs_names else ())
        if key not in self._shown:
            if len(self._shown) >= _REMEMBERED:
                self._shown.clear()
            self._shown[key] = self._find(names, version)
        return self._shown[key]

    def _find(self, names: tuple[str, ...], version: str) -> str | None:
        for rule in self._rules:
            found = rule.version.search(version)
            if found and any(rule.name.fullmatch(name) for name in names):
                return rule.track.format(*(_UEK.get(group, group) for group in found.groups()))
        return None

    def of_advisory(self, name: str) -> str | None:
        """Return the track that the id of an advisory shows; ``None``: it shows none."""
        found = _ALAS.match(name) if self._has_extras else None
        topic = found[1].strip("-").lower() if found else ""
        return _TOPICS.get(topic, topic) or None

    def of_fix(self, record: str, fixed: FixedPackage) -> str | None:
        """
        Return the track of a fix; a line of its own that its version shows goes before the track that the list names.

        :param record: the name of its record.
        """
        shown = self.of_build((fixed.name,), fixed.version or "")
        if fixed.track is not None and (shown is None or extension_of(shown) is not None):
            return fixed.track
        return shown or self.of_advisory(record)
