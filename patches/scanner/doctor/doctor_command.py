"""The command ``patches doctor``: one line for each check, within a bounded time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError

from patches.http.access.routed_agent import Routes
from patches.scanner.client.http_client import http_client
from patches.scanner.doctor.check import PROBLEM, Check, checks_document
from patches.scanner.doctor.configuration import ConfigurationFacts
from patches.scanner.doctor.doctor_options import JSON, DoctorSettings
from patches.scanner.doctor.host_checks import host_checks
from patches.scanner.doctor.server_checks import ServerDoctor
from patches.scanner.host.distributions import UnknownPlatform
from patches.scanner.output.exit_codes import CLEAN, FINDINGS
from patches.scanner.scan_inputs import routes_of, target_of
from patches.service import one_shot
from patches.settings import BadSetting
from patches.wording import one_line

#: The longest time of the checks that need a network, in seconds.
LONGEST_CHECKS = 20.0


def run_doctor(settings: DoctorSettings, configuration: ConfigurationFacts) -> int:
    """
    Check what scans of this host need, and print the result of each check.

    :param configuration: what was found of options.
    :return: 1 if something is wrong.
    """
    made = []

    def show(check: Check) -> None:
        made.append(check)
        if settings.format != JSON:
            print(check.line, flush=True)

    for each in host_checks(settings, configuration):
        show(each)

    async def ask(reactor: Any) -> int:
        limit = min(LONGEST_CHECKS, settings.access.timeout.total_seconds())
        asking = Deferred.fromCoroutine(_ask(settings, reactor, show)).addTimeout(limit, reactor)
        try:
            await asking
        except TimeoutError:
            show(Check("network", PROBLEM, f"the checks did not end within {limit:g} s", "see the connection"))
        except Exception as error:
            show(Check("network", PROBLEM, f"the check failed: {one_line(error)}"))
        return FINDINGS if any(check.state == PROBLEM for check in made) else CLEAN

    code = one_shot.run(ask)
    if settings.format == JSON:
        print(json.dumps(checks_document(made), indent=2))
    return code


async def _ask(settings: DoctorSettings, reactor: Any, show: Any) -> None:
    try:
        routes = routes_of(settings.access)
    except BadSetting as error:
        show(Check("access", PROBLEM, str(error), "correct it; the servers are asked without it"))
        routes = Routes()
    async for check in _checks(settings, reactor, routes):
        show(check)


def _checks(settings: DoctorSettings, reactor: Any, routes: Routes) -> AsyncIterator[Check]:
    http = http_client(reactor, routes)
    return ServerDoctor(http, reactor, settings.access.patches_server, settings.reporter, _platform(settings)).checks()


def _platform(settings: DoctorSettings) -> str | None:
    """Return the platform of the host; ``None``: it is not known, which is a check of its own."""
    try:
        return target_of(settings.host).platform
    except (UnknownPlatform, OSError):
        return None
