"""
The outcome of a scan as CycloneDX: the host with all its packages, and the vulnerabilities that affect them.

Source: CycloneDX 1.6 (ECMA-424), in JSON; written by the project's own Python library.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6

from patches import __version__
from patches.scanner.inventory import Package
from patches.scanner.matching.purls import purl_of
from patches.scanner.outcome import Outcome
from patches.scanner.output.cyclonedx_vulnerabilities import vulnerabilities_of


def cyclonedx_text(outcome: Outcome) -> str:
    """Return the document of an outcome."""
    return JsonV1Dot6(_bom(outcome)).output_as_string(indent=2)


def _bom(outcome: Outcome) -> Bom:
    host = Component(name=outcome.host, type=ComponentType.DEVICE, bom_ref=f"host:{outcome.scan_id}")
    packages = _components(outcome)
    system = Component(name=outcome.platform or "unknown", type=ComponentType.OPERATING_SYSTEM, bom_ref="platform")
    tools = ToolRepository(components=[Component(name="Patches", type=ComponentType.APPLICATION, version=__version__)])
    return Bom(
        serial_number=UUID(outcome.scan_id),
        metadata=BomMetaData(
            timestamp=datetime.fromtimestamp(outcome.finished, UTC),
            tools=tools,
            component=host,
            properties=_properties(_facts(outcome)),
        ),
        components=[system, *packages],
        vulnerabilities=vulnerabilities_of(outcome),
        dependencies=[Dependency(host.bom_ref, [Dependency(each.bom_ref) for each in (system, *packages)])],
    )


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


def _components(outcome: Outcome) -> list[Component]:
    """Return the packages as components; packages with the same purl become one component."""
    coverage = outcome.coverage
    old = {finding.package for finding in outcome.findings if finding.is_old_kernel}
    components: dict[str, Component] = {}
    for package in coverage.packages:
        purl = purl_of(package, outcome.platform, coverage.scheme)
        facts = {
            "source": package.source,
            "sourceVersion": package.source_version,
            "module": package.module,
            "notEvaluated": "; ".join(coverage.not_evaluated.get(package, ())) or None,
            "notCovered": coverage.not_covered.get(package),
            "oldKernel": "true" if package in old else None,
        }
        components.setdefault(purl.to_string(), _component(package, purl.to_string(), facts, outcome))
    return list(components.values())


def _component(package: Package, ref: str, facts: dict[str, str | None], outcome: Outcome) -> Component:
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        publisher=package.vendor,
        bom_ref=ref,
        purl=purl_of(package, outcome.platform, outcome.coverage.scheme),
        properties=_properties(facts),
    )


def _properties(facts: dict[str, str | None]) -> Iterable[Property]:
    return [Property(name=f"patches:{name}", value=value) for name, value in facts.items() if value]
