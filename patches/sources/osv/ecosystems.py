"""
The rules for the records of each distribution in OSV's format: a table, and the platform of an ecosystem's name.

The format is shared, its use is not: a package name is that of the source package for one distribution and of the
binary package for another, and the CVE is in a different field for each. Epochs need no rule: a missing epoch is the
epoch 0 wherever binary packages are named, and source packages are compared without it.

Source: OSV schema 1.7, and the feeds themselves.
"""

from __future__ import annotations

import re

from attrs import field, frozen

from patches.platforms import PATTERN
from patches.sources.parse_context import NOT_SECURITY, NoPlatform

_ANYWHERE = ("upstream", "related", "aliases")
#: The highest number of ecosystem names that are remembered; a feed has a thousand at most.
_REMEMBERED = 4096


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@frozen
class Release:
    """
    The releases of a distribution.

    :ivar pattern: matches the whole name of an OSV ecosystem.
    :ivar platform: the platform, with ``{0}`` and so on for the groups of the pattern.
    :ivar track: the subscription that the fixes of these entries require; ``None``: every host gets them.
    """

    pattern: re.Pattern[str] = field(converter=_compiled)
    platform: str
    track: str | None = None


@frozen
class Ecosystem:
    """
    The rules by which the records of one distribution are read.

    :ivar name: the ecosystem as OSV writes it, without a release.
    :ivar releases: the releases that are platforms; other releases of the ecosystem are skipped.
    :ivar scheme: the order of versions: ``dpkg``, ``rpm`` or ``apk``.
    :ivar kind: the kind of packages that records name: ``source`` or ``binary``.
    :ivar ids: the prefixes of the ids of those records that make the complete list; empty: all records do.
    :ivar cve_prefix: the text before the CVE in the id of a record about a single CVE; ``None`` if there are no such
        records.
    :ivar repeats: the prefixes of the ids of records that repeat other records.
    :ivar harmless: the prefixes of the ids of records that are not about security.
    :ivar cves: the fields that contain the CVEs.
    :ivar page: the URL of a description, with ``{name}``; empty: one of the references.
    :ivar home: the prefix of the reference that is preferred to others.
    :ivar rated_in_summary: whether the summary begins with the severity: ``Important: …``.
    :ivar paid: the track for subscribers; a package that has entries for it only gets no fix elsewhere.
    """

    name: str
    releases: tuple[Release, ...]
    scheme: str
    kind: str
    ids: tuple[str, ...] = ()
    cve_prefix: str | None = None
    repeats: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    cves: tuple[str, ...] = _ANYWHERE
    page: str = ""
    home: str = ""
    rated_in_summary: bool = False
    paid: str | None = None

    def refusal(self, record_id: str) -> str | None:
        """Return the reason to skip a record, by its id; ``None``: it is not skipped."""
        if record_id.startswith(self.repeats):
            return "repeats other records"
        if record_id.startswith(self.harmless):
            return NOT_SECURITY
        return f"not a record of {self.name}" if self.ids and not record_id.startswith(self.ids) else None


@frozen
class Target:
    """The target of an entry: a platform, its track, and the rules of its ecosystem."""

    ecosystem: Ecosystem
    platform: str
    track: str | None


_SUSE_IDS = ("SUSE-SU-", "openSUSE-SU-")
_SUSE_OTHERS = tuple(f"{name}-{kind}-" for name in ("SUSE", "openSUSE") for kind in ("RU", "FU", "OU"))

TABLE = (
    Ecosystem(
        "Debian",
        (Release(r"Debian:(\d+(?:\.\d+)?)", "debian-{0}"),),
        "dpkg",
        "source",
        ids=("DEBIAN-CVE-", "DSA-", "DLA-", "DTSA-"),
        cve_prefix="DEBIAN-",
        cves=("upstream",),
        page="https://security-tracker.debian.org/tracker/{name}",
    ),
    Ecosystem(
        "Ubuntu",
        (
            Release(r"Ubuntu:(\d\d\.\d\d)(?::LTS)?", "ubuntu-{0}"),
            Release(r"Ubuntu:Pro:(\d\d\.\d\d)(?::LTS)?", "ubuntu-{0}", "esm"),
        ),
        "dpkg",
        "source",
        ids=("UBUNTU-CVE-",),
        cve_prefix="UBUNTU-",
        repeats=("USN-", "LSN-"),
        cves=("upstream",),
        page="https://ubuntu.com/security/{name}",
        paid="esm",
    ),
    Ecosystem(
        "Alpine",
        (Release(r"Alpine:v(\d+\.\d+)", "alpine-{0}"), Release("Alpine:edge", "alpine-edge")),
        "apk",
        "source",
        ids=("ALPINE-CVE-",),
        cve_prefix="ALPINE-",
        cves=("upstream",),
        page="https://security.alpinelinux.org/vuln/{name}",
    ),
    Ecosystem("Wolfi", (Release("Wolfi", "wolfi"),), "apk", "source", ids=("CGA-",)),
    Ecosystem("Chainguard", (Release("Chainguard", "chainguard"),), "apk", "source", ids=("CGA-",)),
    Ecosystem(
        "AlmaLinux",
        (Release(r"AlmaLinux:(\d+)", "alma-{0}"),),
        "rpm",
        "binary",
        ids=("ALSA-",),
        harmless=("ALBA-", "ALEA-"),
        cves=("related",),
        home="https://errata.almalinux.org/",
        rated_in_summary=True,
    ),
    Ecosystem(
        "Rocky Linux",
        (Release(r"Rocky Linux:(\d+)", "rocky-{0}"),),
        "rpm",
        "source",
        ids=("RLSA-", "RXSA-"),
        harmless=("RLBA-", "RLEA-", "RXBA-", "RXEA-"),
        page="https://errata.rockylinux.org/{name}",
        rated_in_summary=True,
    ),
    Ecosystem(
        "Red Hat",
        (Release(r"Red Hat:enterprise_linux:(\d+)(?:\.\d+)?(?:::[\w-]+)?", "rhel-{0}"),),
        "rpm",
        "binary",
        ids=("RHSA-", "RHBA-", "RHEA-"),
        page="https://access.redhat.com/errata/{name}",
        rated_in_summary=True,
    ),
    Ecosystem(
        "SUSE",
        (
            Release(r"SUSE:Linux Enterprise (?:Server|Module for .+) (\d+) SP(\d+)", "sles-{0}.{1}"),
            Release(r"SUSE:Linux Enterprise (?:Server|Module for .+) (1[6-9]\.\d+)", "sles-{0}"),
            Release(r"SUSE:Linux Enterprise Server (\d+)", "sles-{0}"),
        ),
        "rpm",
        "source",
        ids=_SUSE_IDS,
        harmless=_SUSE_OTHERS,
        home="https://www.suse.com/support/update/",
    ),
    Ecosystem(
        "openSUSE",
        (
            Release(r"openSUSE:Leap (\d+\.\d+)", "opensuse-leap-{0}"),
            Release("openSUSE:Tumbleweed", "opensuse-tumbleweed"),
        ),
        "rpm",
        "source",
        ids=_SUSE_IDS,
        harmless=_SUSE_OTHERS,
    ),
    Ecosystem(
        "Mageia",
        (Release(r"Mageia:(\d+)", "mageia-{0}"),),
        "rpm",
        "source",
        ids=("MGASA-",),
        harmless=("MGAA-",),
        page="https://advisories.mageia.org/{name}.html",
    ),
    Ecosystem("Azure Linux", (Release(r"Azure Linux:(\d+)", "azurelinux-{0}.0"),), "rpm", "source", ids=("AZL-",)),
    Ecosystem(
        "openEuler",
        (
            Release(r"openEuler:(\d+\.\d+)(?:-LTS)?", "openeuler-{0}"),
            Release(r"openEuler:(\d+\.\d+)(?:-LTS)?-SP(\d+)", "openeuler-{0}.sp{1}"),
        ),
        "rpm",
        "source",
        ids=("OESA-",),
    ),
)


class Ecosystems:
    """
    The rows of the table by the names of OSV's ecosystems.

    :param rows: of two rows for one ecosystem the later one is used, so that additional rows may follow the table.
    """

    def __init__(self, rows: tuple[Ecosystem, ...] = TABLE) -> None:
        self._rows = {row.name: row for row in rows}
        self._known: dict[str, Target] = {}
        self._refused: dict[str, str] = {}

    def place(self, name: str) -> Target:
        """
        Return the target of the entries of an ecosystem.

        :param name: as in a record, ``Ubuntu:22.04:LTS``.
        :raises NoPlatform: with the reason to skip the entries.
        """
        target = self._known.get(name)
        if target is not None:
            return target
        if name in self._refused:
            raise NoPlatform(self._refused[name])
        if len(self._known) + len(self._refused) >= _REMEMBERED:
            raise NoPlatform("unknown ecosystem")
        try:
            return self._known.setdefault(name, self._find(name))
        except NoPlatform as error:
            self._refused[name] = error.reason
            raise

    def _find(self, name: str) -> Target:
        row = self._rows.get(name.partition(":")[0])
        if row is None:
            raise NoPlatform(f"unknown ecosystem: {ascii(name.partition(':')[0][:30])[1:-1]}")
        for release in row.releases:
            matched = release.pattern.fullmatch(name)
            if matched is None:
                continue
            platform = release.platform.format(*matched.groups()).lower()
            if len(platform) <= 64 and PATTERN.match(platform):
                return Target(row, platform, release.track)
        raise NoPlatform(f"another lineage of {row.name}")


#: The table, ready for use.
ECOSYSTEMS = Ecosystems()
