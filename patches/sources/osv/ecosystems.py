"""
What the lists of each distribution mean in OSV's format: a table, and the way from an ecosystem's name to a platform.

The format is one, its use is not: the name of a package is that of the source here and of the binary there, and the
CVE stands in another field of each. Epochs need no rule: no epoch is the epoch 0 wherever binary packages are named,
and source packages are compared without.

Source: OSV schema 1.7, and the feeds themselves.
"""

from __future__ import annotations

import re

from attrs import field, frozen

from patches.platforms import PATTERN
from patches.sources.parse_context import NOT_SECURITY

_ANYWHERE = ("upstream", "related", "aliases")
#: Not more than so many names of ecosystems are remembered; a feed has a thousand at most.
_REMEMBERED = 4096


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@frozen
class Release:
    """
    Releases of a distribution.

    :ivar pattern: matches the whole name of an OSV ecosystem.
    :ivar platform: the platform, with ``{0}`` and so on for the groups of the pattern.
    :ivar channel: where fixes of these entries are to be had; ``None``: every host gets them.
    """

    pattern: re.Pattern[str] = field(converter=_compiled)
    platform: str
    channel: str | None = None


@frozen
class Ecosystem:
    """
    How to read what is said of one distribution.

    :ivar name: of the ecosystem, as OSV writes it, without a release.
    :ivar releases: the releases that are platforms of ours; whatever else the ecosystem has is left out.
    :ivar scheme: how versions compare: ``dpkg``, ``rpm`` or ``apk``.
    :ivar kind: what packages are named: ``source`` or ``binary``.
    :ivar ids: how the ids of the records begin that make the complete list; empty: all do.
    :ivar flaws: what stands before the CVE in the id of a record about one flaw, of which there is one for each CVE.
    :ivar repeats: how ids begin that repeat what other records say.
    :ivar harmless: how ids begin that are not about security.
    :ivar cves: the fields that hold the CVEs.
    :ivar page: where to read more, with ``{name}``; empty: the references say.
    :ivar home: how the reference begins that is preferred to others.
    :ivar rated_in_summary: the summary begins with the severity: ``Important: …``.
    :ivar paid: the channel for subscribers; a package that has entries for it alone gets no fix elsewhere.
    """

    name: str
    releases: tuple[Release, ...]
    scheme: str
    kind: str
    ids: tuple[str, ...] = ()
    flaws: str | None = None
    repeats: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    cves: tuple[str, ...] = _ANYWHERE
    page: str = ""
    home: str = ""
    rated_in_summary: bool = False
    paid: str | None = None

    @classmethod
    def of_family(cls, name: str, family: str, scheme: str, kind: str) -> Ecosystem:
        """Make the row of an ecosystem whose releases, ``Name:release``, are those of a family: ``family-release``."""
        release = Release(rf"{re.escape(name)}:([A-Za-z0-9][\w.+~-]*)", f"{family}-{{0}}")
        return cls(name, (release, Release(re.escape(name), family)), scheme, kind)

    def refusal(self, record_id: str) -> str | None:
        """Tell why a record is left out, by its id; ``None``: it is not."""
        if record_id.startswith(self.repeats):
            return "repeats other records"
        if record_id.startswith(self.harmless):
            return NOT_SECURITY
        return f"not a record of {self.name}" if self.ids and not record_id.startswith(self.ids) else None


@frozen
class Target:
    """Where an entry belongs: a platform, a channel of it, and how to read it."""

    ecosystem: Ecosystem
    platform: str
    channel: str | None


_SUSE_IDS = ("SUSE-SU-", "openSUSE-SU-")
_SUSE_OTHERS = tuple(f"{name}-{kind}-" for name in ("SUSE", "openSUSE") for kind in ("RU", "FU", "OU"))

TABLE = (
    Ecosystem(
        "Debian",
        (Release(r"Debian:(\d+(?:\.\d+)?)", "debian-{0}"),),
        "dpkg",
        "source",
        ids=("DEBIAN-CVE-", "DSA-", "DLA-", "DTSA-"),
        flaws="DEBIAN-",
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
        flaws="UBUNTU-",
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
        flaws="ALPINE-",
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
    The rows by the names of OSV's ecosystems.

    :param rows: of two rows for one ecosystem the later one holds, so that a row of one's own may follow the table.
    """

    def __init__(self, rows: tuple[Ecosystem, ...] = TABLE) -> None:
        self._rows = {row.name: row for row in rows}
        self._known: dict[str, Target | str] = {}

    def place(self, name: str) -> Target | str:
        """
        Find the place of the entries of an ecosystem.

        :param name: as it stands in a record, ``Ubuntu:22.04:LTS``.
        :return: a reason, if there is none.
        """
        if name not in self._known:
            if len(self._known) >= _REMEMBERED:
                return "unknown ecosystem"
            self._known[name] = self._find(name)
        return self._known[name]

    def _find(self, name: str) -> Target | str:
        row = self._rows.get(name.partition(":")[0])
        if row is None:
            return f"unknown ecosystem: {ascii(name.partition(':')[0][:30])[1:-1]}"
        for release in row.releases:
            matched = release.pattern.fullmatch(name)
            platform = release.platform.format(*matched.groups()).lower() if matched else ""
            if matched and len(platform) <= 64 and PATTERN.match(platform):
                return Target(row, platform, release.channel)
        return f"another lineage of {row.name}"


#: The table, ready for use.
ECOSYSTEMS = Ecosystems()
