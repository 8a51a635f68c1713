"""
The packages of a host as a snapshot for GitHub's dependency submission API.

Source: *REST API endpoints for dependency submission*, GitHub. The format names packages, and GitHub itself compares
them with its advisories; it has no place for findings. The commit and the job are those of the GitHub action in which
the scan runs, as its environment variables state them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from patches import __version__
from patches.scanner.json_pieces import LazyObject, json_pieces
from patches.scanner.matching.purls import PurlTexts
from patches.scanner.outcome import Outcome
from patches.scanner.output.phrases import INFORMATION
from patches.wire import rfc3339


def github_pieces(outcome: Outcome) -> Iterator[str]:
    """Yield the text of the snapshot of an outcome, in pieces."""
    return json_pieces(_snapshot(outcome, os.environ))


def _snapshot(outcome: Outcome, environ: Mapping[str, str]) -> dict[str, Any]:
    workflow, job = environ.get("GITHUB_WORKFLOW", ""), environ.get("GITHUB_JOB", "")
    told = {"verdict": str(outcome.verdict), "problem": outcome.problem, "host": outcome.host}
    platform = outcome.platform or "unknown"
    manifest: dict[str, Any] = {"name": platform}
    if outcome.coverage.packages:
        manifest["resolved"] = LazyObject(lambda: _resolved(outcome))
    return {
        "version": 0,
        "job": {
            "correlator": f"{workflow}_{job}_{outcome.host}",
            "id": environ.get("GITHUB_RUN_ID") or outcome.scan_id,
        },
        "sha": environ.get("GITHUB_SHA", ""),
        "ref": environ.get("GITHUB_REF", ""),
        "detector": {"name": "Patches", "version": __version__, "url": INFORMATION},
        "metadata": {f"patches:{name}": value for name, value in told.items() if value},
        "scanned": rfc3339(outcome.finished),
        "manifests": {platform: manifest},
    }


def _resolved(outcome: Outcome) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the packages by their purls, each once."""
    purls = PurlTexts(outcome.platform, outcome.coverage.scheme)
    purls.add(outcome.coverage.packages)
    for purl in dict.fromkeys(purls.values()):
        yield purl, {"package_url": purl, "relationship": "direct", "scope": "runtime"}
