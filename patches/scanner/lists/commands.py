"""The commands ``patches list update``, ``status`` and ``show``; each function returns its exit code."""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError

from patches.platforms import Platform
from patches.scanner.client.cache import ListCache
from patches.scanner.client.http_client import http_client
from patches.scanner.client.verified_stream import NotVerified
from patches.scanner.compare import Comparison, compare
from patches.scanner.host.distributions import UnknownPlatform
from patches.scanner.host.os_release import detect_platform
from patches.scanner.inventory import Inventory
from patches.scanner.list_origin import ListOrigin
from patches.scanner.lists.kept import (
    FRESH,
    KeptFacts,
    age_text,
    kept_lists,
    record_lines,
    status_document,
    status_table,
    verify_list,
)
from patches.scanner.lists.list_options import (
    JSON,
    ListShowSettings,
    ListStatusSettings,
    ListUpdateSettings,
    PlaceSettings,
)
from patches.scanner.outcome import Verdict
from patches.scanner.output.exit_codes import CLEAN, ERROR, FINDINGS, INCOMPLETE, UNSUPPORTED
from patches.scanner.output.screen import Screen
from patches.scanner.scan_inputs import routes_of, trust_of
from patches.service import one_shot
from patches.service.places.user_folders import NoHomeFolder, cache_folder
from patches.service.terminal import plain, terminal
from patches.wire import MalformedWire
from patches.wording import counted, printable

#: What was just checked is not stale.
_ANY_AGE = timedelta.max


def run_update(settings: ListUpdateSettings) -> int:
    """
    Bring the kept list of a platform up to date.

    :raises BadSetting: if an option cannot be used.
    """
    trust, routes = trust_of(settings.access), routes_of(settings.access)
    try:
        platform, folder = _platform(settings.place), settings.place.cache or cache_folder()
    except UnknownPlatform as error:
        return _fail(str(error), UNSUPPORTED)
    except NoHomeFolder as error:
        return _fail(f"the list cannot be kept: {error}", ERROR)
    screen = Screen(quiet=settings.quiet)

    async def update(reactor: Any) -> int:
        http = http_client(reactor, routes)
        origin = ListOrigin(settings.access, settings.standalone, trust, http, screen, reactor, folder)
        origin.is_accepting = settings.accept
        try:
            updating = Deferred.fromCoroutine(_update(origin, platform, screen))
            updating.addTimeout(settings.access.timeout.total_seconds(), reactor)
            return await updating
        except TimeoutError:
            seconds = settings.access.timeout.total_seconds()
            return _fail(f"the list of {platform} was not received within {seconds:g} s", INCOMPLETE)
        finally:
            origin.close()

    return one_shot.run(update)


async def _update(origin: ListOrigin, platform: str, screen: Screen) -> int:
    source = await origin.find(platform)
    if origin.folder is None:  # what listens at the default address is not ours
        return _fail((await _received(source, None, platform)).problem or "", INCOMPLETE)
    cache = ListCache(origin.folder, platform)
    is_kept = cache.cached() is not None
    received = await _received(source, cache, platform)
    if received.verdict is not None and is_kept and cache.cached() is None:  # it was damaged, and is made anew
        origin.is_accepting = False
        received = await _received(await origin.find(platform), cache, platform)
    if received.verdict is not None:
        is_unknown = received.verdict is Verdict.UNSUPPORTED
        return _fail(received.problem or "", UNSUPPORTED if is_unknown else INCOMPLETE)
    problem = origin.problem or cache.trouble.why
    if problem is not None:
        return _fail(f"the list of {platform} cannot be kept: {problem}", ERROR)
    told = cache.cached()
    if received.away is not None or told is None:
        return _fail(f"the list of {platform} is the one that was kept before: {received.away}", INCOMPLETE)
    facts = KeptFacts.of(platform, told, _ANY_AGE, time.time())
    records = counted(facts.records or 0, "vulnerability")
    age = f", checked {age_text(facts.age)} ago" if facts.age is not None else ""
    screen.note(f"{platform}: {records} from {facts.origin}{age}, kept in {origin.folder}")
    return CLEAN


async def _received(source: Any, cache: ListCache | None, platform: str) -> Comparison:
    """Receive and verify a list as a scan does, for a host without packages: no record is kept in memory."""
    nothing = Inventory(Platform.from_name(platform).version_scheme or "dpkg", ())
    return await compare(source, cache, platform, nothing, lambda stream: None)


def run_status(settings: ListStatusSettings) -> int:
    """Show what is kept, and whether it is stale."""
    now = time.time()
    try:
        folder = settings.cache or cache_folder()
    except NoHomeFolder as error:
        return _fail(str(error), INCOMPLETE)
    listed = [
        KeptFacts.of(platform, cached, settings.max_age, now)
        for platform, cached in kept_lists(folder)
        if settings.platform in (None, platform)
    ]
    if settings.format == JSON:
        print(json.dumps({"folder": str(folder), **status_document(listed)}, indent=2))
    elif listed:
        terminal().print_table(status_table(listed))
    else:
        print(printable(f"{_of(settings.platform)} is kept in {folder}"))
    return CLEAN if listed and all(each.state == FRESH for each in listed) else INCOMPLETE


def run_show(settings: ListShowSettings, names: tuple[str, ...]) -> int:
    """Print the records of a kept list, which is verified before the first one is printed."""
    try:
        platform, folder = _platform(settings.place), settings.place.cache or cache_folder()
    except UnknownPlatform as error:
        return _fail(str(error), UNSUPPORTED)
    except NoHomeFolder as error:
        return _fail(f"{_of(None)} is kept: {error}", INCOMPLETE)
    cached = ListCache(folder, platform).cached()
    if cached is None:
        return _fail(f"{_of(platform)} is kept in {folder}", INCOMPLETE)
    printed = False
    try:
        verify_list(cached)
        for line in record_lines(cached, names):
            sys.stdout.write(line.decode("utf-8", "backslashreplace"))
            printed = True
    except (NotVerified, MalformedWire) as error:
        return _fail(f"the list of {platform} in {folder}: {error}", INCOMPLETE)
    return CLEAN if printed or not names else FINDINGS


def _of(platform: str | None) -> str:
    return "no list" if platform is None else f"no list of {platform}"


def _platform(settings: PlaceSettings) -> str:
    return settings.platform or detect_platform(settings.root)


def _fail(problem: str, code: int) -> int:
    terminal(stderr=True).print(f"Error: {plain(problem)}", soft_wrap=True)
    return code
