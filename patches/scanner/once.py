"""``patches scan``: one scan in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from rich.console import Console
from rich.markup import escape
from twisted.internet.task import react

from patches.daemon import usable_folder
from patches.scanner.client import ClientSettings, PatchesClient, VulnerabilityStream
from patches.scanner.delivery import MAX_REPORTER_ANSWER, Delivery
from patches.scanner.exchange import Exchange, http_client
from patches.scanner.outbox import Outbox
from patches.scanner.outcome import Outcome, Target, Verdict
from patches.scanner.reports import report_document
from patches.scanner.scan import scan
from patches.scanner.table import findings_table, summary

_EXIT = {
    Verdict.CLEAN: 0,
    Verdict.FINDINGS: 1,
    Verdict.INCOMPLETE: 3,
    Verdict.STALE: 3,
    Verdict.UNSUPPORTED: 4,
    Verdict.ERROR: 5,
}


def run_once(values: Mapping[str, Any], target: Target) -> int:
    """
    Scan, show, and report if there is a reporter.

    :return: the exit code.
    """
    outcomes: list[Outcome] = []
    outbox = None
    if values["reporter"] is not None:
        try:
            outbox = Outbox(usable_folder("patches scan", values["state-dir"]) / "outbox")
        except SystemExit as end:
            Console(stderr=True).print(escape(str(end)))
            return _EXIT[Verdict.ERROR]
    try:
        react(partial(_run, values=values, target=target, outbox=outbox, outcomes=outcomes))
    except SystemExit as end:
        if end.code:
            raise
    return _EXIT[outcomes[0].verdict] if outcomes else 130


async def _run(
    reactor: Any, values: Mapping[str, Any], target: Target, outbox: Outbox | None, outcomes: list[Outcome]
) -> None:
    screen, notes = Console(), Console(stderr=True)
    http = http_client(reactor)
    client = PatchesClient(http, values["patches-server"], reactor, ClientSettings(patience=values["patience"]))
    with notes.status(f"Scanning {target.host} as {target.platform}") as status:
        outcome = await scan(client, target, watch=lambda stream: status.update(_progress(stream)))
    outcomes.append(outcome)
    if outcome.findings:
        screen.print(findings_table(outcome.findings, screen.width))
    screen.print(summary(outcome))
    if outbox is None:
        return
    outbox.put(partial(report_document, outcome))
    exchange = Exchange(http, values["reporter"], reactor, MAX_REPORTER_ANSWER)
    problem = await Delivery(outbox, exchange, reactor).send_all()
    if problem is not None:
        notes.print(f"The report waits in {escape(str(values['state-dir']))}: {escape(problem)}")


def _progress(stream: VulnerabilityStream) -> str:
    return f"{stream.served} of {stream.snapshot.get('vulnerabilities', '?')} vulnerabilities compared"
