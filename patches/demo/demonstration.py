"""The command ``patches demo``: server, scanner and reporter in one process, on loopback, with a bundled list."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from treq import json_content
from twisted.application.service import MultiService
from twisted.internet.defer import maybeDeferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from patches.reporter import service as reporter_service
from patches.reporter.service import ReporterSettings
from patches.scanner.client.client import PatchesClient
from patches.scanner.client.http_client import HttpClient, http_client
from patches.scanner.host.distributions import UnknownPlatform
from patches.scanner.host.os_release import detect_platform
from patches.scanner.inventory import InventoryError, read_inventory
from patches.scanner.outcome import Outcome, Target
from patches.scanner.output.table import summary
from patches.scanner.output.tables.view import View
from patches.scanner.reporting.delivery import MAX_REPORTER_ANSWER, Delivery
from patches.scanner.reporting.outbox import Outbox
from patches.scanner.reporting.report import report_document
from patches.scanner.scan import scan
from patches.server import service as server_service
from patches.server.options import CatalogueSettings, HttpSettings, ServerSettings, SourceSettings
from patches.service import one_shot
from patches.service.daemon import ListeningService, address_text
from patches.service.terminal import Terminal, plain, terminal
from patches.service.text_table import TextTable
from patches.wording import counted

LISTEN = "tcp:0:interface=127.0.0.1"


def run_demo() -> int:
    """
    Run the demonstration.

    :return: the exit code.
    """
    return one_shot.run(partial(_play, screen=terminal()))


async def _play(reactor: Any, screen: Terminal) -> int:
    with tempfile.TemporaryDirectory(prefix="patches-demo-") as name, as_file(files("patches.demo")) as bundled:
        stage = _Demonstration(reactor, screen, Path(name), bundled)
        try:
            await stage.start()
            return await stage.run_steps()
        finally:
            await stage.end()


class _Demonstration:
    def __init__(self, reactor: Any, screen: Terminal, folder: Path, bundled: Path) -> None:
        self._reactor = reactor
        self._screen = screen
        self._folder = folder
        self._bundled = bundled
        self._http = http_client(reactor)
        self._service = MultiService()

    async def start(self) -> None:
        """Start the server with the bundled list, and the reporter; both listen on a free port of the loopback."""
        server = server_service.create_server(self._reactor, self._server_settings())
        reporter_settings = ReporterSettings(listen=LISTEN, state_dir=self._folder / "reporter")
        budget = reporter_service.create_budget(reporter_settings.memory_limit, resident=0)
        reporter = reporter_service.create_reporter(self._reactor, deferToThread, reporter_settings, budget)
        for service in (server.service, reporter.service):
            service.setServiceParent(self._service)
        self._service.privilegedStartService()
        self._service.startService()
        self._server_url, self._reporter_url = _url(server.listening), _url(reporter.listening)
        while not server.refresh.registry.ready:
            await deferLater(self._reactor, 0.05)
        self._print("patches-server", f"listens on {self._server_url} and has read a bundled list:")
        for platform, status in sorted(server.refresh.statuses.items()):
            if status.snapshot is not None:
                self._screen.print(f"    {platform}: {counted(status.snapshot.vulnerabilities, 'vulnerability')}")
        self._print("patches-reporter", f"listens on {self._reporter_url}")

    def _server_settings(self) -> ServerSettings:
        return ServerSettings(
            http=HttpSettings(listen=LISTEN),
            catalogue=CatalogueSettings(state_dir=self._folder / "server"),
            sources=SourceSettings(list_file=self._bundled / "sample.ndjson", no_public_sources=True),
        )

    async def run_steps(self) -> int:
        """Scan this host if its packages can be read; scan a bundled sample host if this host has no findings."""
        outcomes = []
        for target in self._targets():
            self._print("patches-scanner", f"scans {target.host} ({target.platform}), root {target.root}")
            outcome = await scan(PatchesClient(self._http, self._server_url, self._reactor), target)
            self._show(outcome)
            outcomes.append(outcome)
            if outcome.findings:
                break
        await self._report(outcomes)
        return 0 if outcomes[-1].complete else 3

    def _targets(self) -> list[Target]:
        sample_root = Path(shutil.copytree(self._bundled / "host", self._folder / "host"))
        sample = Target("sample-host", detect_platform(sample_root), sample_root)
        try:
            here = Target("this-host", detect_platform(Path("/")), Path("/"))
            read_inventory(here.root)
        except (UnknownPlatform, InventoryError) as error:
            self._print("patches-scanner", f"scans a bundled host, because this host cannot be scanned: {error}")
            return [sample]
        return [here, sample]

    def _show(self, outcome: Outcome) -> None:
        if outcome.findings:
            self._screen.print_table(View().table(outcome))
        self._screen.print(summary(outcome))

    async def _report(self, outcomes: list[Outcome]) -> None:
        outbox = Outbox(self._folder / "outbox")
        for outcome in outcomes:
            outbox.put(partial(report_document, outcome))
        reporter_http = HttpClient(self._http, self._reporter_url, self._reactor, MAX_REPORTER_ANSWER)
        problem = await Delivery(outbox, reporter_http, self._reactor).send_all()
        if problem is not None:
            raise RuntimeError(problem)
        await self._show_hosts()

    async def _show_hosts(self) -> None:
        """Show the hosts and findings that the reporter has stored, with the sources of the findings."""
        hosts = await json_content(await self._http.get(f"{self._reporter_url}/v1/hosts"))
        table = TextTable("Host", "Platform", "Complete", "Findings", "Sources")
        for host in hosts["hosts"]:
            path = f"{self._reporter_url}/v1/hosts/{host['host']}/findings"
            findings = (await json_content(await self._http.get(path)))["vulnerabilities"]
            sources = Counter(finding["source"] for finding in findings)
            came_from = ", ".join(f"{source}: {count}" for source, count in sources.items())
            complete = "yes" if host["complete"] else "no"
            table.add_texts(host["host"], host["platform"], complete, str(len(findings)), came_from)
        self._print("patches-reporter", "has accepted the reports, and shows at GET /v1/hosts:")
        self._screen.print_table(table)

    def _print(self, who: str, what: str) -> None:
        self._screen.print(f"[bold cyan]{who}[/] {plain(what)}")

    async def end(self) -> None:
        """Stop the server and the reporter."""
        await maybeDeferred(self._service.stopService)


def _url(listening: ListeningService) -> str:
    if listening.port is None:
        raise RuntimeError("the port is not bound")
    return f"http://{address_text(listening.port)}"
