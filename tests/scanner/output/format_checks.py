"""Helpers for the tests of all formats: create documents, read them, and validate them against their specifications."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from attrs import evolve
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from jsonschema import Draft7Validator, Draft202012Validator

from patches.scanner.outcome import Outcome, Verdict
from patches.scanner.output.formats import WRITERS
from tests.scanner.output.schemas import GITHUB, GITLAB, OPENVEX, SARIF, SPDX
from tests.scanner.sample_outcomes import failed, outcome

CYCLONEDX = JsonStrictValidator(SchemaVersion.V1_6)
# Documents repeat the same few addresses, and checking an IRI takes most of the time.
for _name in {"iri", "iri-reference"} & Draft7Validator.FORMAT_CHECKER.checkers.keys():
    _check, _raises = Draft7Validator.FORMAT_CHECKER.checkers[_name]
    Draft7Validator.FORMAT_CHECKER.checkers[_name] = (cache(_check), _raises)


def made(name: str, of: Outcome) -> Any:
    """Create a document and parse it."""
    return json.loads("".join(WRITERS[name](of)))


def everything() -> Iterator[Outcome]:
    """Return outcomes of every kind."""
    yield outcome()
    yield outcome(with_unfixed=True)
    yield outcome(verdict=Verdict.CLEAN, findings=(), unfixed=(), not_evaluated={}, kernels=None, end_of_life=None)
    yield outcome(verdict=Verdict.STALE, problem="the list was last checked 9 days ago")
    yield failed()
    yield failed(Verdict.ERROR, "no package database found under /")
    yield evolve(failed(Verdict.UNSUPPORTED, "unknown platform (no ID in os-release)"), platform="")


def problems(name: str, text: str) -> list[str]:
    """Return the violations of a document's specification."""
    if name == "cyclonedx":
        errors = CYCLONEDX.validate_str(text, all_errors=True)
        return [str(error) for error in errors or ()]
    schemas = {"sarif": SARIF, "openvex": OPENVEX, "gitlab": GITLAB, "github": GITHUB, "spdx": SPDX}
    if name not in schemas:
        return []
    return [error.message for error in Draft202012Validator(schemas[name]).iter_errors(json.loads(text))]
