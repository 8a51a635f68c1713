"""
The matcher: compares one vulnerability after the other with all installed packages.

It stands between the verified stream and the findings, and is the only place where a package is judged. A package is
judged for one reason only, in this order: its entry is damaged, it is foreign, the list has no record of its track, the
list does not know it, or it was compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from attrs import frozen

from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.aliases import aliases_of
from patches.scanner.matching.comparison import FixComparison, dist_tag
from patches.scanner.matching.decision import LISTS_EVERY_BUILD, Judgement, decide
from patches.scanner.matching.kernel_headers import has_no_kernel_code
from patches.scanner.matching.package_tracks import PackageTracks
from patches.scanner.matching.rules import Rule
from patches.tracks import Extension, TrackRules, extension_of, label_of
from patches.vulnerability import FixedPackage, Vulnerability

#: The families whose fixes that are sold may be in other records than those of the main line.
SOLD_APART = ("rhel", "sles", "sl-micro")

#: The most reasons that are remembered of a package that could not be compared.
MOST_REASONS = 100
#: The highest number of records that are named as being about unjudged packages.
MOST_UNJUDGED_RECORDS = 10_000


@frozen(weakref_slot=False)
class Match:
    """
    A vulnerability that affects an installed package.

    :ivar package: the installed package.
    :ivar fixed: the fix that the package lacks; its ``version`` is ``None`` if no fix exists yet.
    :ivar version: the version of the package that was compared.
    :ivar track: the track of the fix; ``None``: the main line.
    :ivar is_own: whether the host has that track.
    :ivar has_own_tag: whether the fix is a build for the same minor release as the installed one.
    :ivar remark: what a user should know about the fix.
    """

    vulnerability: Vulnerability
    package: Package
    fixed: FixedPackage
    version: str = ""
    track: str | None = None
    is_own: bool = False
    has_own_tag: bool = False
    remark: str | None = None


class Matcher:
    """
    Matches vulnerabilities with the packages of one inventory.

    :ivar names: all names, of source and binary packages, under which a list may name an installed package.
    :ivar not_evaluated: the number of pairs of a vulnerability and an installed package that could not be judged, by
        reason. Such a pair is neither a finding nor clean.
    :ivar unjudged: the packages of these pairs, with the reasons.
    :ivar proven: for each package the vulnerability ids of which a record proves that it has the fix.
    :ivar settled: for each package the vulnerability ids that a record of the main line has settled, where other
        records may have fixes that are sold.
    :ivar headers: the number of records that name headers or documentation of a kernel, which contain no kernel code.
    :ivar known: the names of installed packages, of source and binary ones, that a record of the list has.
    :ivar follows: whether the sources of the list say which source packages they follow.
    :ivar followed: these source packages, as far as packages of that name are installed.
    :ivar seen: the tracks of the fixes that name installed packages, as far as installed packages are of that track.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.not_evaluated: Counter[str] = Counter()
        self.unjudged: dict[Package, set[str]] = {}
        self.proven: dict[Package, set[str]] = {}
        self.settled: dict[Package, set[str]] = {}
        self.headers = 0
        self.known: set[tuple[str, str]] = set()
        self.follows = False
        self.followed: set[str] = set()
        self.seen: set[str | None] = set()
        self.tracks = PackageTracks(TrackRules(inventory.platform))
        self._inventory = inventory
        self._comparison = FixComparison(inventory.scheme)
        self._lines = {package: self.tracks.line_of(package) for package in inventory.packages}
        self._own_lines = frozenset(self._lines.values())
        self._open = {package for package in inventory.packages if self.tracks.is_open(package)}
        self._headers = {package for package in inventory.packages if has_no_kernel_code(package, inventory.scheme)}
        self._records: dict[Package, list[str]] = {}
        self._recorded = 0
        self._compared: set[Package] = set()
        self._elsewhere: set[Package] = set()
        self._tags = self.tracks.rules.family in LISTS_EVERY_BUILD
        self._listing = self._comparison if self._tags else None
        self._pinned = min((each for each in inventory.tracks if extension_of(each) is Extension.PINNED), default=None)
        self._is_sold = self.tracks.rules.family in SOLD_APART
        self._installed: dict[tuple[str, str], list[tuple[Package, str]]] = {}
        for package in inventory.packages:
            for kind, name, version in aliases_of(package, inventory.scheme):
                self._installed.setdefault((kind, name), []).append((package, version))
        self.names = frozenset(name for _, name in self._installed)

    def match(self, vulnerability: Vulnerability) -> Iterator[Match]:
        """Yield the installed packages that a vulnerability affects, each once; count those that cannot be judged."""
        if vulnerability.followed:
            self.follows = True
            self.followed.update(self.names.intersection(vulnerability.followed))
        for package, judgements, is_proven in self._grouped(vulnerability):
            decisive = [each for each in judgements if each.decides]
            if is_proven:
                self.proven.setdefault(package, set()).update(vulnerability.vulnerability_ids)
            elif self._is_sold and decisive and all(_is_settled(each) for each in decisive):
                self.settled.setdefault(package, set()).update(vulnerability.vulnerability_ids)
            if package in self._headers:
                self.headers += any(each.rule is Rule.NO_KERNEL_CODE for each in decisive)
                continue
            self._note_line(vulnerability, package, judgements)
            affecting = [each for each in decisive if each.rule.affects]
            if affecting and package not in self._open:
                affecting = [self._shown(affecting)]
            for each in affecting:
                yield self._match(vulnerability, each)
            if not affecting:
                for rule in dict.fromkeys(each.rule for each in decisive if each.rule.affects is None):
                    self._pass_over(vulnerability, package, rule, _notes(decisive, rule))

    def _match(self, vulnerability: Vulnerability, judgement: Judgement) -> Match:
        """Return the match of a judgement; a host on a minor release cannot get every fix of the main line."""
        is_main_fix = judgement.track is None and judgement.fixed.has_fix and not judgement.has_own_tag
        return Match(
            vulnerability,
            judgement.package,
            judgement.fixed,
            judgement.version,
            judgement.track,
            judgement.track in self._inventory.tracks,
            judgement.has_own_tag,
            f"in the main line; {label_of(self._pinned)} has no fix" if self._pinned and is_main_fix else None,
        )

    def judgements(self, vulnerability: Vulnerability) -> Iterator[Judgement]:
        """Yield the judgement of each fix and each installed package that it names, after the whole list was read."""
        for package, judgements, _ in self._grouped(vulnerability):
            if package in self._open:
                is_decided, line = self.tracks.decided(package)
                for each in judgements:
                    each.decides, each.reason = False, None
                    each.rule = each.rule if is_decided and each.line == line else Rule.OTHER_TRACK
                decide(judgements, self._inventory.tracks, self._listing)
            yield from judgements

    def line_of(self, package: Package) -> str | None:
        """Return the line of builds of a package, as far as it is known."""
        return self._lines.get(package)

    def reason_unjudged(self, package: Package) -> Rule | None:
        """
        Return why nothing can be said of a package, after the whole list was read; ``None`` if it could be compared.
        """
        if package.problem is not None:
            return Rule.DAMAGED
        if package in self._inventory.foreign:
            return Rule.FOREIGN
        if package in self._headers:
            return None
        if package in self._open:
            return None if self.tracks.decided(package)[0] else Rule.NO_REPOSITORY
        is_other = self._lines[package] is not None or package in self._elsewhere
        return Rule.NO_TRACK if is_other and package not in self._compared else None

    def is_topic_absent(self, package: Package) -> bool:
        """Return whether the list has no record at all of the extra of Amazon Linux that a package is from."""
        return self.tracks.rules.family == "amazon" and self._lines[package] not in self.seen

    def counts(self, vulnerability_id: str, match: Match) -> bool:
        """
        Return whether a match makes a finding of a vulnerability id, after the whole list was read.

        An open package is of one line only. Where a record proves that the package has the fix, only a fix for the same
        minor release makes a finding; where the main line has settled it, a fix that is sold does not.
        """
        package = match.package
        if package in self._open and self.tracks.decided(package) != (True, match.track):
            return False
        if vulnerability_id in self.proven.get(package, ()):
            return match.has_own_tag
        is_sold = extension_of(match.track) is Extension.SOLD and not match.is_own
        return not is_sold or vulnerability_id not in self.settled.get(package, ())

    def records_of(self, package: Package) -> list[str]:
        """Return the names of records that name a package which may turn out to be unjudged."""
        return self._records.get(package, [])

    @property
    def truncated(self) -> bool:
        """Whether there are more records about unjudged packages than are remembered."""
        return self._recorded > MOST_UNJUDGED_RECORDS

    def _grouped(self, vulnerability: Vulnerability) -> Iterator[tuple[Package, list[Judgement], bool]]:
        groups: dict[Package, list[Judgement]] = {}
        for fixed in vulnerability.fixed_in:
            named = self._installed.get((fixed.kind, fixed.name))
            if not named:
                continue
            self.known.add((fixed.kind, fixed.name))
            track = self.tracks.rules.of_fix(vulnerability.name, fixed)
            if track in self._own_lines:
                self.seen.add(track)
            for package, version in named:
                groups.setdefault(package, []).append(self._judge(fixed, package, version, track))
        for package, judgements in groups.items():
            yield package, judgements, decide(judgements, self._inventory.tracks, self._listing)

    def _judge(self, fixed: FixedPackage, package: Package, version: str, track: str | None) -> Judgement:
        tag = dist_tag(fixed.version) if self._tags else None
        has_own_tag = tag is not None and tag == dist_tag(version)
        judgement = Judgement(fixed, package, version, track, Rule.OTHER_TRACK, has_own_tag)
        if package.problem is not None:
            judgement.rule = Rule.DAMAGED
        elif package in self._inventory.foreign:
            judgement.rule = Rule.FOREIGN
        elif package in self._open or judgement.line == self._lines[package]:
            rule = self._comparison.rule(fixed, package, version)
            judgement.rule = Rule.NO_KERNEL_CODE if rule.affects and package in self._headers else rule
        return judgement

    def _note_line(self, vulnerability: Vulnerability, package: Package, judgements: list[Judgement]) -> None:
        """Remember what decides at the end whether a package could be judged, and the records that name it."""
        if package in self._open:
            for each in judgements:
                self.tracks.note(package, each.line, self._comparison.is_same(each.fixed, each.version))
        elif any(each.rule is not Rule.OTHER_TRACK for each in judgements):
            self._compared.add(package)
            self._recorded -= len(self._records.pop(package, ()))
        else:
            self._elsewhere.add(package)
        is_open = package in self._open or (package in self._elsewhere and package not in self._compared)
        if is_open or package.problem is not None or package in self._inventory.foreign:
            self._remember(vulnerability, package)

    def _remember(self, vulnerability: Vulnerability, package: Package) -> None:
        self._recorded += 1
        if self._recorded <= MOST_UNJUDGED_RECORDS:
            self._records.setdefault(package, []).append(vulnerability.name)

    def _shown(self, judgements: list[Judgement]) -> Judgement:
        """Return the fix that is shown: that of the same minor release, else the highest."""
        own = [each for each in judgements if each.has_own_tag] or judgements
        with_fix = [each for each in own if each.fixed.has_fix] or own
        return max(with_fix, key=lambda each: self._comparison.order(each.fixed.version or each.fixed.last_affected))

    def _pass_over(self, vulnerability: Vulnerability, package: Package, rule: Rule, notes: str) -> None:
        if rule in (Rule.DAMAGED, Rule.FOREIGN):
            return
        self.not_evaluated[rule.text] += 1
        reasons = self.unjudged.setdefault(package, set())
        if len(reasons) < MOST_REASONS:
            reasons.add(f"{rule.text}{notes}")
        self._remember(vulnerability, package)


def _is_settled(judgement: Judgement) -> bool:
    return judgement.track is None and judgement.rule in (Rule.FIXED, Rule.NOT_AFFECTED)


def _notes(judgements: list[Judgement], rule: Rule) -> str:
    notes = dict.fromkeys(each.fixed.note for each in judgements if each.rule is rule and each.fixed.note)
    return "".join(f": {note}" for note in notes)
