"""
The decision about one package by all fixes of one record that name it: which of them decide, and why the others do not.

Source: Red Hat's life cycle (a build for a minor release is fixed by the fix with the same dist tag), Ubuntu Pro and
SUSE's LTSS (fixes that a subscription adds to the main line); see :mod:`patches.tracks`.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from attrs import define

from patches.scanner.inventory import Package
from patches.scanner.matching.comparison import FixComparison
from patches.scanner.matching.rules import Rule
from patches.tracks import Extension, extension_of, label_of
from patches.vulnerability import FixedPackage


@define(eq=False)
class Judgement:
    """
    One fix, compared with one installed package.

    :ivar version: the version of the package that was compared.
    :ivar track: the track of the fix; ``None``: the main line.
    :ivar rule: the result of the comparison.
    :ivar has_own_tag: whether the fix is a build for the same minor release as the installed one.
    :ivar decides: whether it decides if the package is affected.
    :ivar reason: why it does not decide; ``None`` if it does.
    """

    fixed: FixedPackage
    package: Package
    version: str
    track: str | None
    rule: Rule
    has_own_tag: bool = False
    decides: bool = False
    reason: str | None = None

    @property
    def line(self) -> str | None:
        """The line of builds of the fix: the main line for tracks that extend it."""
        return None if extension_of(self.track) is not None else self.track


#: The families whose vendor lists every build with a fix, for each minor release: there an equal build has the fix, and
#: the dist tag selects among fixes. Other distributions have one line, in which a later fix is for every build.
LISTS_EVERY_BUILD = ("rhel",)


def decide(judgements: Sequence[Judgement], tracks: Set[str], comparison: FixComparison | None) -> bool:
    """
    Mark the judgements that decide about their package.

    :param judgements: those of one package, from one record.
    :param tracks: the tracks that the host has besides the main line.
    :param comparison: tells whether the installed build is listed as fixed; ``None``: the vendor lists no builds.
    :return: whether the installed build is proven to have the fix: it is listed as fixed, or it is not below the fix
        with its own dist tag, or of a track that the host has. Then no other record of the vulnerability makes it a
        finding.
    """
    about = [each for each in judgements if each.rule.concerns]
    if len(about) == 1 and about[0].track is None and not about[0].has_own_tag:
        about[0].decides = True
        return False
    tagged = [each for each in about if each.has_own_tag and each.rule in (Rule.FIXED, Rule.BELOW_FIX)]
    fixed = [each for each in about if each.rule is Rule.FIXED] if comparison is not None else []
    listed = [each for each in fixed if comparison is not None and comparison.is_same(each.fixed, each.version)]
    proven = bool(tagged) and all(each.rule is Rule.FIXED for each in tagged)
    if listed and not any(each.rule is Rule.BELOW_FIX for each in tagged):
        chosen, why = listed, "the installed build is listed as fixed"
    elif proven:
        chosen, why = tagged, "the fix for the same minor release decides"
    else:
        chosen, why = _by_track(about, tracks)
    for each in about:
        each.decides = each in chosen
        each.reason = None if each.decides else _reason(each, tracks, why)
    has_own_fix = bool(chosen) and all(each.track in tracks and each.rule is Rule.FIXED for each in chosen)
    return bool(listed or proven or has_own_fix) and not any(each.rule.affects for each in chosen)


def _by_track(about: Sequence[Judgement], tracks: Set[str]) -> tuple[list[Judgement], str]:
    """Return the judgements that decide by their tracks, and why others do not."""
    main = [each for each in about if each.line is not None or each.track is None]
    own = [each for each in about if each.track in tracks and each not in main]
    sold = [each for each in about if extension_of(each.track) is Extension.SOLD and each not in own]
    settled = [each for each in own if each.fixed.has_fix or each.rule is Rule.NOT_AFFECTED]
    if own and (settled or not any(each.fixed.has_fix for each in main)):
        return own, f"{label_of(own[0].track)} of this host takes precedence"
    has_no_fix = bool(main) and all(each.rule is Rule.NO_FIX for each in main if each.rule.affects is not False)
    is_open = has_no_fix and any(each.rule.affects for each in main)
    offered = [each for each in sold if each.fixed.has_fix]
    if offered and (is_open or not main):
        return offered, f"{label_of(offered[0].track)} has a fix"
    return (main, "the main line decides") if main else (sold, "")


def _reason(judgement: Judgement, tracks: Set[str], why: str) -> str:
    if extension_of(judgement.track) is not None and judgement.track not in tracks:
        return f"it is for hosts with {label_of(judgement.track)}"
    return why
