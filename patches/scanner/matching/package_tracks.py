"""The track of each installed package: from its version, its names, and the repository that it was installed from."""

from __future__ import annotations

import re

from attrs import define, field

from patches.scanner.inventory import Package
from patches.tracks import TrackRules, extension_of

#: Amazon Linux 2: the repository of the main line, and the prefix of those of the extras.
_CORE, _EXTRA = "amzn2-core", "amzn2extra-"
#: Names of packages that Amazon Linux 2 has in extras, some of them in the core repository too, in older versions.
#: Source: the catalogue of the extras (``amazon-linux-extras list``) and the advisories of its topics.
_IN_EXTRAS = re.compile(
    r"(?:ansible|aws-nitro-enclaves-.*|awscli|bcc.*|bpftrace|collectd.*|containerd|dnsmasq.*|docker|ecs-(?:init|service-connect-agent)|"
    r"emacs.*|firecracker|firefox|gimp.*|golang.*|GraphicsMagick.*|haproxy2?|httpd.*|mod_(?:ssl|md|http2|session|lua)|"
    r"java-(?:1\.8\.0-amazon-corretto|11-openjdk|11-amazon-corretto|17-amazon-corretto).*|libreoffice.*|"
    r"kpatch-.*|lustre.*|lynis|mariadb.*|mate-.*|memcached.*|mock.*|mono.*|nano|nginx.*|oci-add-hooks|php.*|postgresql.*|libpq.*|"
    r"python38.*|python3-?8.*|R(?:-.*)?|redis.*|ruby.*|rust.*|cargo|runc|selinux-policy.*|squid.*|tomcat.*|unbound.*|vim.*)"
)


@define(eq=False)
class PackageTracks:
    """
    The tracks of the packages of one host.

    A package of Amazon Linux 2 without a record of its repository may be of the main line or of an extra of the same
    name. Its track is decided after the whole list was read: that of the advisories which name exactly its build, if
    they are all of one, else the main line, unless the package is known to be in extras too.

    :ivar rules: the rules of the platform.
    """

    rules: TrackRules
    _named: dict[Package, set[str | None]] = field(factory=dict)
    _listed: dict[Package, set[str | None]] = field(factory=dict)

    def line_of(self, package: Package) -> str | None:
        """Return the line of builds that a package belongs to; ``None``: the main line, or it is not known."""
        names = (package.name, package.source)
        track = self.rules.of_build(names, package.version) or self.rules.of_build(names, package.source_version)
        if track is not None:
            return None if extension_of(track) is not None else track
        repository = package.repository or ""
        if self.rules.family == "amazon" and repository.startswith(_EXTRA):
            return repository.removeprefix(_EXTRA).lower()
        return None

    def is_open(self, package: Package) -> bool:
        """Return whether the line of a package can only be decided with the list."""
        if self.rules.family != "amazon" or ".amzn2" not in package.version or ".amzn2023" in package.version:
            return False
        known = package.repository is not None and package.repository.startswith((_CORE, _EXTRA))
        return not known and self.line_of(package) is None

    def note(self, package: Package, track: str | None, is_listed: bool) -> None:
        """
        Record that a fix names a package whose line is open.

        :param track: the track of the fix.
        :param is_listed: whether the fix is exactly the installed build.
        """
        self._named.setdefault(package, set()).add(track)
        if is_listed:
            self._listed.setdefault(package, set()).add(track)

    def decided(self, package: Package) -> tuple[bool, str | None]:
        """Return whether the line of an open package could be decided, and the line."""
        if package.source == "kernel":
            return True, None  # a kernel of the main line is known by its series; see the rules
        listed = self._listed.get(package, set())
        if listed:
            (line, *others) = listed
            return not others, line
        elsewhere = self._named.get(package, set()) - {None}
        return not elsewhere and _IN_EXTRAS.fullmatch(package.name) is None, None
