"""
The outcome of a scan as CycloneDX: the host with all its packages, and the vulnerabilities that affect them.

Source: CycloneDX 1.6 (ECMA-424), in JSON. It is written piece by piece; the project's own library, with which the tests
validate it, needs the whole document in memory several times over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from patches import __version__
from patches.scanner.inventory import Package
from patches.scanner.json_pieces import LazyList, json_pieces, lazy_list
from patches.scanner.matching.purls import PurlTexts
from patches.scanner.outcome import Outcome
from patches.scanner.output.cyclonedx_vulnerabilities import vulnerabilities_of

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"


def cyclonedx_pieces(outcome: Outcome) -> Iterator[str]:
    """Yield the text of the document of an outcome, in pieces."""
    return json_pieces(_bom(outcome))


def _bom(outcome: Outcome) -> dict[str, Any]:
    purls = PurlTexts(outcome.platform, outcome.coverage.scheme)
    purls.add(outcome.coverage.packages)
    packages = {purls[package]: package for package in reversed(outcome.coverage.packages)}  # the first of each purl
    host = f"host:{outcome.scan_id}"
    refs = ["platform", *packages]
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": UUID(outcome.scan_id).urn,
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(outcome.finished, UTC).isoformat(),
            "tools": {"components": [{"type": "application", "name": "Patches", "version": __version__}]},
            "component": {"type": "device", "bom-ref": host, "name": outcome.host},
            "properties": _properties(_facts(outcome)),
        },
        "components": LazyList(lambda: _components(outcome, packages)),
        "dependencies": LazyList(lambda: _dependencies(host, refs)),
        "vulnerabilities": LazyList(lambda: vulnerabilities_of(outcome, purls)) if outcome.shown else [],
    }


def _facts(outcome: Outcome) -> dict[str, str | None]:
    return {
        "verdict": str(outcome.verdict),
        "problem": outcome.problem,
        "platform": outcome.platform,
        "system": outcome.system.name,
        "endOfLife": outcome.end_of_life,
        "list.revision": outcome.list_info.revision,
        "list.checked": outcome.list_info.checked,
        "unfixedCount": str(len(outcome.unfixed)),
    }


def _components(outcome: Outcome, packages: Mapping[str, Package]) -> Iterator[dict[str, Any]]:
    """Yield the system, and the packages; packages with the same purl are one component."""
    yield {"type": "operating-system", "bom-ref": "platform", "name": outcome.platform or "unknown"}
    coverage = outcome.coverage
    old = {finding.package for finding in outcome.findings if finding.is_old_kernel}
    for purl, package in packages.items():
        facts = {
            "source": package.source,
            "sourceVersion": package.source_version,
            "module": package.module,
            "notEvaluated": "; ".join(coverage.not_evaluated.get(package, ())) or None,
            "notCovered": coverage.not_covered.get(package),
            "oldKernel": "true" if package in old else None,
        }
        component = {"type": "library", "bom-ref": purl, "name": package.name, "version": package.version, "purl": purl}
        publisher = {"publisher": package.vendor} if package.vendor else {}
        yield {**component, **publisher, "properties": _properties(facts)}


def _dependencies(host: str, refs: list[str]) -> Iterator[dict[str, Any]]:
    yield {"ref": host, "dependsOn": lazy_list(str, refs)}
    for ref in refs:
        yield {"ref": ref}


def _properties(facts: Mapping[str, str | None]) -> list[dict[str, str]]:
    return [{"name": f"patches:{name}", "value": value} for name, value in facts.items() if value]
