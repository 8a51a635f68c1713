"""The commands of ``patches catalogue``; each function returns its exit code."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import ParamSpec

from patches.server.admin.open_catalogue import open_catalogue
from patches.server.admin.options import JSON, ListSettings, PruneSettings, ShowSettings
from patches.server.admin.views import (
    CURRENT,
    HELD,
    REPLACED,
    SnapshotRow,
    held_lines,
    listing_document,
    listing_table,
    records_document,
    records_table,
)
from patches.server.catalogue.bundle.manifest import BadBundle
from patches.server.catalogue.diff import CHANGES, Difference, diff_lists
from patches.server.catalogue.integrity import find_damage, read_lines
from patches.server.catalogue.pruning import MinimumAge
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.errors import CatalogueError
from patches.server.options import CatalogueSettings
from patches.service.terminal import plain, terminal
from patches.signing import BadKey
from patches.vulnerability import FOLLOWED, Vulnerability, canonical_id
from patches.wire import MalformedWire, decode_lines
from patches.wording import counted, printable

P = ParamSpec("P")

DONE, NOT_FOUND, USAGE, ERROR = 0, 1, 2, 5
#: The damage of a snapshot that has another description than the one that was stored.
UNSEALED = "its description was changed"


class NotFound(Exception):
    """The catalogue does not have what was asked for; the text says so in one line."""


def exit_codes(command: Callable[P, int]) -> Callable[P, int]:
    """Wrap a command so that errors are printed in one line, and have an exit code."""

    @wraps(command)
    def told(*arguments: P.args, **named: P.kwargs) -> int:
        try:
            return command(*arguments, **named)
        except (NotFound, BadKey) as error:
            return _fail(str(error), USAGE)
        except (CatalogueError, BadBundle, MalformedWire) as error:
            return _fail(str(error), ERROR)

    return told


@exit_codes
def run_list(settings: ListSettings) -> int:
    """List the snapshots."""
    with open_catalogue(settings.catalogue) as catalogue:
        listed = list(_listed(catalogue))
    if settings.output.format == JSON:
        print(json.dumps(listing_document(listed), indent=2))
    else:
        terminal().print_table(listing_table(listed))
        for line in held_lines(listed):
            print(printable(line))
    return DONE


@exit_codes
def run_show(settings: ShowSettings, name: str) -> int:
    """
    Show the records of a vulnerability id, or of an advisory.

    :return: 0 if there is a record, 1 if not.
    """
    name = canonical_id(name)
    with open_catalogue(settings.catalogue) as catalogue:
        chosen = chosen_snapshots(catalogue, settings.choice.platforms)
        records = [record for snapshot in chosen for record in _naming(read_lines(catalogue, snapshot), name)]
    if settings.output.format == JSON:
        print(json.dumps(records_document(name, records), indent=2))
    elif records:
        terminal().print_table(records_table(records))
    else:
        print(f"{printable(name)}: no record in {counted(len(chosen), 'list')}")
    return DONE if records else NOT_FOUND


@exit_codes
def run_diff(settings: ListSettings, old: str, new: str) -> int:
    """Show the differences of two snapshots, each line as soon as it is found."""
    with open_catalogue(settings.catalogue) as catalogue:
        before, after = _revision(catalogue, old), _revision(catalogue, new)
        if before.platform != after.platform:
            raise NotFound(f"{old} is a list of {before.platform}, {new} of {after.platform}")
        found = diff_lists(read_lines(catalogue, before), read_lines(catalogue, after))
        show = _print_json_differences if settings.output.format == JSON else _print_differences
        show(before, after, found)
    return DONE


@exit_codes
def run_check(settings: ListSettings) -> int:
    """
    Read every chunk of every snapshot again, and verify it; also the descriptions of snapshots.

    :return: 0 if everything is as it was published, 1 if not.
    """
    found: list[dict[str, str]] = []
    checked = 0
    with open_catalogue(settings.catalogue) as catalogue:
        for snapshot in catalogue.snapshots():
            lines = list(find_damage(catalogue, snapshot))
            if lines and catalogue.find(snapshot.revision) is None:
                continue  # the server has pruned it meanwhile
            checked += 1
            about = {"platform": snapshot.platform, "revision": snapshot.revision}
            found += [{**about, "damage": line} for line in lines]
        unsealed = catalogue.unsealed()
    checked += len(unsealed)
    found += [{"platform": platform, "revision": revision, "damage": UNSEALED} for platform, revision in unsealed]
    if settings.output.format == JSON:
        print(json.dumps({"checked": checked, "damage": found}, indent=2))
    else:
        for each in found:
            print(printable(f"{each['platform']} {each['revision']}: {each['damage']}"))
        print(f"{counted(checked, 'snapshot')} checked, {counted(len(found), 'problem')}")
    return NOT_FOUND if found else DONE


@exit_codes
def run_publish(settings: CatalogueSettings, platform: str) -> int:
    """Make the snapshot current that was held back."""
    with open_catalogue(settings) as catalogue:
        snapshot = catalogue.accept(platform, time.time())
    if snapshot is None:
        raise NotFound(f"{platform}: no list is held back")
    records = counted(snapshot.vulnerabilities, "vulnerability")
    print(f"{printable(platform)}: {snapshot.revision} with {records} is current")
    return DONE


@exit_codes
def run_prune(settings: PruneSettings) -> int:
    """Delete the snapshots that were replaced long enough ago."""
    with open_catalogue(settings.catalogue) as catalogue:
        count = catalogue.prune(set(), MinimumAge(time.time() - settings.keep.total_seconds()))
    print(f"{counted(count, 'snapshot')} deleted")
    return DONE


def chosen_snapshots(catalogue: Catalogue, platforms: Iterable[str] | None) -> list[Snapshot]:
    """
    Return the current snapshots of some platforms, or of all.

    :raises NotFound: if a platform has no current snapshot.
    """
    current = {snapshot.platform: snapshot for snapshot in catalogue.current()}
    for platform in platforms or ():
        if platform not in current:
            raise NotFound(f"{platform}: the catalogue has no list of this platform")
    return [snapshot for name, snapshot in current.items() if platforms is None or name in platforms]


def _listed(catalogue: Catalogue) -> Iterator[SnapshotRow]:
    current = {snapshot.revision for snapshot in catalogue.current()}
    for snapshot in catalogue.snapshots():
        state = CURRENT if snapshot.revision in current else REPLACED if snapshot.held_back is None else HELD
        yield SnapshotRow(snapshot, state)


def _naming(lines: Iterable[bytes], name: str) -> Iterator[Vulnerability]:
    """
    Yield the records with this name or alias; only lines that contain the name are decoded.

    The lists of followed packages are records of no vulnerability.
    """
    if name == FOLLOWED:
        return
    wanted = json.dumps(name, ensure_ascii=False).encode("utf-8", "surrogateescape")
    for line in lines:
        if wanted in line:
            yield from (record for record in decode_lines(line) if name in (record.name, *record.aliases))


def _revision(catalogue: Catalogue, start: str) -> Snapshot:
    found = [snapshot for snapshot in catalogue.snapshots() if snapshot.revision.startswith(start)]
    if len(found) != 1 or not start:
        problem = "several snapshots have" if found else "no snapshot has"
        raise NotFound(f"{problem} a revision that begins with {start!r}; see 'patches catalogue list'")
    return found[0]


def _print_differences(old: Snapshot, new: Snapshot, found: Iterable[Difference]) -> None:
    counts: Counter[str] = Counter()
    for each in found:
        counts[each.change] += 1
        print(f"{each.change:<9}  {printable(each.name)}")
    print(f"{printable(old.platform)}: " + ", ".join(f"{counts[change]} {change}" for change in CHANGES))


def _print_json_differences(old: Snapshot, new: Snapshot, found: Iterable[Difference]) -> None:
    """Print one JSON document, one difference at a time."""
    head = {"platform": old.platform, "old": old.revision, "new": new.revision}
    counts = Counter(dict.fromkeys(CHANGES, 0))
    print(json.dumps(head)[:-1] + ', "differences": [', end="")
    for number, each in enumerate(found):
        counts[each.change] += 1
        print(",\n" if number else "\n", json.dumps({"name": each.name, "change": each.change}), sep="", end="")
    print('],\n"counts": ' + json.dumps(counts) + "}")


def _fail(problem: str, code: int) -> int:
    terminal(stderr=True).print(f"Error: {plain(problem)}", soft_wrap=True)
    return code
