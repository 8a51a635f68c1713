"""The output of ``patches explain``: a JSON document, or text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from patches.scanner.inventory import package_document
from patches.scanner.matching.explanation import Explanation, Step
from patches.scanner.outcome import Target
from patches.service.terminal import plain
from patches.service.text_table import TextTable
from patches.vulnerability import Vulnerability
from patches.wording import counted


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


def explanation_parts(target: Target, explanation: Explanation) -> Iterator[str | TextTable]:
    """Yield the parts of an explanation: texts with rich markup, and a table of the comparisons of each record."""
    snapshot = explanation.snapshot
    yield f"[bold]{plain(f'{target.host} ({target.platform})')}[/]: {plain(explanation.conclusion)}"
    yield plain(
        f"The list: revision {snapshot.get('revision')}, {_records(snapshot)}, "
        f"last checked {snapshot.get('checked') or snapshot.get('created')}"
    )
    told = explanation_document(explanation)["records"]
    for record, document in zip(explanation.records, told, strict=True):
        yield ""
        yield _heading(record)
        yield from (f"  {plain(text)}" for text in (record.title, _facts(record), record.details_href) if text)
        yield _table(document["comparisons"])


def _records(snapshot: Mapping[str, Any]) -> str:
    number = snapshot.get("vulnerabilities")
    return counted(number, "record") if isinstance(number, int) else "an unknown number of records"


def _heading(record: Vulnerability) -> str:
    also = f" ({', '.join(record.aliases)})" if record.aliases else ""
    note = f" {record.note}" if record.note else ""
    source = f", from {record.severity_source or record.source}" if record.source else ""
    return f"[bold]{plain(record.name)}[/]{plain(note + also)}: {record.severity.name.lower()}{plain(source)}"


def _facts(record: Vulnerability) -> str:
    """Return what is known about a record beside its severity, in words."""
    score = f"CVSS {record.score:.1f}" if record.score is not None else ""
    kev = f"known to be exploited since {record.kev} (KEV)" if record.kev is not None else ""
    epss = f"EPSS percentile {record.epss:.1f} or more" if record.epss is not None else ""
    return ", ".join(filter(None, (score, kev, epss)))


def _table(comparisons: list[Mapping[str, Any]]) -> TextTable:
    """Return the comparisons of a record as rows."""
    table = TextTable("Result", "Listed package", "Vulnerable", "Installed", "Why")
    for each in comparisons:
        result, why = _result(each)
        table.add_texts(result, _listed(each), _range(each), _installed(each), why)
    return table


def _result(step: Mapping[str, Any]) -> tuple[str, str]:
    """Return the result of a comparison, and the reason for it."""
    if step["installed"] is None:
        return "not installed", step["rule"]
    if not step["decides"]:
        return "does not decide", step["reason"]
    word = {True: "affected", False: "not affected", None: "not evaluated"}[step["affected"]]
    return word, step["rule"] + (f" ({step['note']})" if step["note"] else "")


def _listed(step: Mapping[str, Any]) -> str:
    named = step["named"]
    where = "".join(f", {name} {named[name]}" for name in ("module", "track") if named[name])
    return f"{named['name']} ({named['kind']}{where})"


def _range(step: Mapping[str, Any]) -> str:
    bounds = (("from", step["introduced"]), ("below", step["fixed"]), ("up to", step["lastAffected"]))
    told = " ".join(f"{word} {version}" for word, version in bounds if version)
    return told or step["status"].replace("_", " ")


def _installed(step: Mapping[str, Any]) -> str:
    installed = step["installed"]
    return f"{installed['name']} {step['compared']}" if installed is not None else ""
