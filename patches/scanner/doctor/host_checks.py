"""The checks of this host itself: configuration, platform, packages, folders, kept lists, reports."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from patches.scanner.doctor.check import OK, PROBLEM, WARNING, Check, guarded
from patches.scanner.doctor.configuration import ConfigurationFacts, check_configuration
from patches.scanner.doctor.doctor_options import DoctorSettings
from patches.scanner.host.distributions import UnknownPlatform
from patches.scanner.host.end_of_life import support_ended
from patches.scanner.inventory import InventoryError
from patches.scanner.lists.kept import DAMAGED, FRESH, KeptFacts, age_text, kept_lists
from patches.scanner.outcome import Target
from patches.scanner.reporting.outbox import OutboxFacts, outbox_facts
from patches.scanner.scan import read_host_inventory
from patches.scanner.scan_inputs import policy_of, target_of, trust_of
from patches.service.places.user_folders import NoHomeFolder, cache_folder
from patches.settings import BadSetting
from patches.wording import counted, file_problem

#: The files of the package databases, whose time says when packages have last changed.
_DATABASES = (
    *("var/lib/dpkg/status", "lib/apk/db/installed", "usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite"),
    *("usr/lib/sysimage/rpm/Packages.db", "var/lib/rpm/Packages.db", "var/lib/rpm/Packages"),
)


def host_checks(settings: DoctorSettings, configuration: ConfigurationFacts) -> Iterator[Check]:
    """Yield the checks that need no network."""
    yield check_configuration(configuration)
    yield guarded("files", partial(_files, settings))
    target = None
    try:
        target = target_of(settings.host)
    except UnknownPlatform as error:
        yield Check("platform", PROBLEM, str(error), "name it with --platform")
    except Exception as error:
        yield guarded("platform", partial(_raise, error))
    if target is not None:
        yield guarded("platform", partial(_platform, target))
        yield guarded("packages", partial(_packages, target))
    yield from _cache_checks(settings, target.platform if target is not None else None)
    if settings.reporter is not None or settings.access.verify_key is not None:
        yield guarded("state folder", lambda: _writable("state folder", settings.access.state_dir))
    if settings.reporter is not None:
        yield guarded("outbox", lambda: check_outbox(outbox_facts(settings.access.state_dir / "outbox"), time.time()))


def check_outbox(found: OutboxFacts, now: float) -> Check:
    """
    Return whether reports are accepted.

    :param now: in seconds since the epoch.
    """
    told = "no report was accepted yet"
    if found.accepted is not None:
        when, number = f"{age_text(now - found.accepted)} ago", found.accepted_number
        told = f"the last report that was accepted is number {number}, {when}" if number else f"accepted {when}"
    if found.rejected:
        text = f"{counted(found.rejected, 'report')} rejected, kept in {found.folder / 'rejected'}; {told}"
        return Check("outbox", PROBLEM, text, "ask the operator of the reporter API why, then remove them")
    if found.pending:
        age = age_text(now - found.oldest) if found.oldest is not None else "?"
        text = f"{counted(found.pending, 'report')} not delivered, the oldest for {age}; {told}"
        return Check("outbox", WARNING, text, "see the check of the reporter; the next scan sends them again")
    return Check("outbox", OK, f"empty; {told}")


def _raise(error: Exception) -> Check:
    raise error


def _files(settings: DoctorSettings) -> Check:
    """Return whether the files that options name can be used: the key, and the decisions about findings."""
    try:
        trust_of(settings.access)
        policy = policy_of(settings.policy)
    except BadSetting as error:
        return Check("files", PROBLEM, str(error), "correct the file, or the option")
    expired = policy.ignores.expired(datetime.now(UTC).date())
    if expired:
        text = f"{counted(expired, 'entry')} of {settings.policy.ignore} expired"
        return Check("files", WARNING, text, "decide again, or remove them")
    return Check("files", OK, "the files that options name can be used")


def _platform(target: Target) -> Check:
    ended = support_ended(target.platform, datetime.now(UTC).date(), target.tracks or (), target.system.support_end)
    if ended is not None:
        text = f"{target.platform}: its support ended in {ended}"
        return Check("platform", WARNING, text, "upgrade the distribution: its list gets no new records")
    return Check("platform", OK, target.platform)


def _packages(target: Target) -> Check:
    try:
        inventory = read_host_inventory(target)
    except InventoryError as error:
        return Check("packages", PROBLEM, str(error), "a scan of this host cannot say anything")
    odd = sum(1 for package in inventory.packages if package.problem is not None)
    changed = [path.stat().st_mtime for name in _DATABASES if (path := target.root / name).exists()]
    age = f", changed {age_text(time.time() - max(changed))} ago" if changed else ""
    text = f"{counted(len(inventory.packages), 'package')} of {inventory.scheme}{age}"
    if odd:
        return Check("packages", WARNING, f"{text}; {odd} cannot be read whole", "'patches inventory' shows them")
    return Check("packages", OK, text)


def _cache_checks(settings: DoctorSettings, platform: str | None) -> Iterator[Check]:
    try:
        folder = settings.cache or cache_folder()
    except NoHomeFolder as error:
        yield Check("cache folder", PROBLEM, str(error), "a scan reads its list each time")
        return
    yield guarded("cache folder", lambda: _writable("cache folder", folder))
    try:
        kept = [KeptFacts.of(name, each, settings.policy.max_age, time.time()) for name, each in kept_lists(folder)]
    except OSError as error:
        yield Check("kept lists", PROBLEM, f"{folder}: {file_problem(error)}")
        return
    for facts in kept:
        yield _kept(facts, facts.platform == platform)
    if not kept:
        yield Check("kept lists", OK, f"no list is kept in {folder}")


def _kept(facts: KeptFacts, is_own: bool) -> Check:
    name, age = f"list of {facts.platform}", "?" if facts.age is None else age_text(facts.age)
    text = f"{facts.state}: {counted(facts.records or 0, 'record')} from {facts.origin or '?'}, checked {age} ago"
    if facts.state == FRESH:
        return Check(name, OK, text)
    state = PROBLEM if facts.state == DAMAGED and is_own else WARNING
    return Check(name, state, text, f"patches list update --platform {facts.platform}")


def _writable(name: str, folder: Path) -> Check:
    """Return whether a folder can be written to, or be created; nothing is left in it."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        if there == folder:
            with tempfile.TemporaryFile(dir=folder):
                pass
        elif not there.is_dir():
            return Check(
                name, PROBLEM, f"{folder}: Not a directory: {there}", "remove the file, or name another folder"
            )
        elif not os.access(there, os.W_OK | os.X_OK):
            return Check(name, PROBLEM, f"{folder}: it cannot be created in {there}", "create it for this user")
    except OSError as error:
        return Check(
            name, PROBLEM, f"{folder}: {file_problem(error)}", "let this user write to it, or name another one"
        )
    return Check(name, OK, f"{folder}{'' if there == folder else ' (not created yet)'}")
