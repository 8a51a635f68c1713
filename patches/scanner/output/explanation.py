"""The output of ``patches explain``: a JSON document, or text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from patches.scanner.inventory import package_document
from patches.scanner.matching.explanation import Explanation, Step
from patches.scanner.outcome import Target
from patches.service.terminal import plain


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as a JSON object."""
    return {
        "flaw": explanation.vulnerability_id,
        "package": explanation.package,
        "affected": explanation.affected,
        "conclusion": explanation.conclusion,
        "list": explanation.snapshot,
        "records": [
            {
                "name": record.name,
                "aliases": list(record.aliases),
                "source": record.source,
                "note": record.note,
                "severity": record.severity.name.lower(),
                "detailsHref": record.details_href,
                "comparisons": [_step_document(step) for step in explanation.steps if step.record is record],
            }
            for record in explanation.records
        ],
    }


def _step_document(step: Step) -> dict[str, Any]:
    fixed = step.fixed
    return {
        "named": {"name": fixed.name, "kind": fixed.kind, "module": fixed.module, "track": step.track or fixed.track},
        "introduced": fixed.introduced,
        "fixed": fixed.version,
        "lastAffected": fixed.last_affected,
        "status": fixed.status,
        "installed": package_document(step.package) if step.package is not None else None,
        "compared": step.version,
        "affected": step.rule.affects if step.rule is not None else False,
        "rule": step.rule.text if step.rule is not None else f"no {fixed.kind} package of this name is installed",
        "decides": step.rule is not None and step.reason is None,
        "reason": step.reason,
        "note": fixed.note,
    }


def explanation_text(target: Target, explanation: Explanation) -> str:
    """Return an explanation as text with rich markup."""
    return "\n".join(_lines(target, explanation))


def _lines(target: Target, explanation: Explanation) -> Iterator[str]:
    snapshot = explanation.snapshot
    yield f"[bold]{plain(f'{target.host} ({target.platform})')}[/]: {plain(explanation.conclusion)}"
    yield plain(
        f"The list: revision {snapshot.get('revision')}, {snapshot.get('vulnerabilities')} records, "
        f"last checked {snapshot.get('checked') or snapshot.get('created')}"
    )
    for record in explanation_document(explanation)["records"]:
        also = f" ({', '.join(record['aliases'])})" if record["aliases"] else ""
        yield ""
        note = f" {record['note']}" if record["note"] else ""
        source = f", from {record['source']}" if record["source"] else ""
        yield f"[bold]{plain(record['name'])}[/]{plain(note + also)}: {record['severity']}{plain(source)}"
        if record["detailsHref"]:
            yield f"  {plain(record['detailsHref'])}"
        yield from (f"  {plain(_step(step))}" for step in record["comparisons"])


def _step(step: Mapping[str, Any]) -> str:
    named, installed = step["named"], step["installed"]
    where = "".join(f", {name} {named[name]}" for name in ("module", "track") if named[name])
    bounds = (("from", step["introduced"]), ("fixed in", step["fixed"]), ("up to", step["lastAffected"]))
    list_info = ", ".join(f"{word} {version}" for word, version in bounds if version) or step["status"].replace(
        "_", " "
    )
    said = f"{named['kind']} package {named['name']}{where}, {list_info}"
    if installed is None:
        return f"{said}: {step['rule']}"
    word = {True: "affected", False: "not affected", None: "not evaluated"}[step["affected"]]
    compared = f"{said}; {installed['name']} has {step['compared']}"
    if not step["decides"]:
        return f"{compared}: does not decide, {step['reason']}"
    note = f" ({step['note']})" if step["note"] else ""
    return f"{compared}: {word}, {step['rule']}{note}"
