"""
Strict JSON Schemas of the SARIF and OpenVEX documents that we write.

They follow the specifications: OASIS SARIF 2.1.0 errata 01, section 3, and OpenVEX 0.2.0. Each schema allows only the
properties that we write, so that a misspelt one is detected.
"""

from __future__ import annotations

from typing import Any

JUSTIFICATIONS = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
]

TEXT = {"type": "string", "minLength": 1}
URI = {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+$"}
#: A time as in RFC 3339, which both formats require.
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
BAG = {"type": "object"}


def strict(required: str, **properties: Any) -> dict[str, Any]:
    """Return the schema of an object with only these properties; names separated by commas are required."""
    names = [name for name in required.split(",") if name]
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


def many(items: Any, **more: Any) -> dict[str, Any]:
    """Return the schema of a list."""
    return {"type": "array", "items": items, **more}


def one(*values: str) -> dict[str, Any]:
    """Return the schema of a string with one of these values."""
    return {"enum": list(values)}


LEVEL = one("none", "note", "warning", "error")
MESSAGE = strict("text", text=TEXT)
RULE = strict(
    "id,shortDescription,fullDescription,help",
    id=TEXT,
    shortDescription=MESSAGE,
    fullDescription=strict("text", text={**TEXT, "maxLength": 1000}),
    help=strict("text,markdown", text=TEXT, markdown=TEXT),
    helpUri=URI,
    defaultConfiguration=strict("", level=LEVEL),
    properties=strict(
        "tags",
        **{
            "tags": many(TEXT, uniqueItems=True),
            "severity": TEXT,
            "security-severity": {"type": "string", "pattern": r"^(10\.0|\d\.\d)$"},
        },
    ),
)
LOCATION = strict(
    "",
    physicalLocation=strict(
        "artifactLocation,region",
        artifactLocation=strict("", uri={"type": "string"}, uriBaseId=TEXT),
        region=strict("startLine", startLine={"type": "integer", "minimum": 1}),
    ),
    logicalLocations=many(strict("", name=TEXT, fullyQualifiedName=TEXT, kind=TEXT), uniqueItems=True),
)
SUPPRESSION = strict(
    "kind",
    kind=one("inSource", "external"),
    status=one("accepted", "underReview", "rejected"),
    justification=TEXT,
    properties=BAG,
)
RESULT = strict(
    "message",
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": -1},
    level=LEVEL,
    message=MESSAGE,
    locations=many(LOCATION),
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
    suppressions=many(SUPPRESSION, uniqueItems=True),
    properties=BAG,
)
INVOCATION = strict(
    "executionSuccessful",
    executionSuccessful={"type": "boolean"},
    startTimeUtc=TIME,
    endTimeUtc=TIME,
    toolExecutionNotifications=many(strict("message", level=LEVEL, message=MESSAGE)),
)
DRIVER = strict("name,informationUri", name=TEXT, version=TEXT, informationUri=URI, rules=many(RULE, uniqueItems=True))
RUN = strict(
    "tool",
    tool=strict("driver", driver=DRIVER),
    invocations=many(INVOCATION),
    originalUriBaseIds={
        "type": "object",
        "additionalProperties": strict("", uri={"type": "string", "pattern": "/$"}, description=MESSAGE),
    },
    automationDetails=strict("", id=TEXT),
    results=many(RESULT),
    properties=BAG,
)
SARIF = strict("version,runs", **{"$schema": URI, "version": one("2.1.0"), "runs": many(RUN)})

COMPONENT = strict("", **{"@id": URI, "identifiers": strict("", purl=URI)})
STATEMENT = {
    **strict(
        "vulnerability,status,products",
        vulnerability=strict("name", **{"@id": URI, "name": TEXT, "aliases": many(TEXT, uniqueItems=True)}),
        products=many(COMPONENT, uniqueItems=True, minItems=1),
        status=one("not_affected", "affected", "fixed", "under_investigation"),
        status_notes=TEXT,
        justification=one(*JUSTIFICATIONS),
        impact_statement=TEXT,
        action_statement=TEXT,
    ),
    "allOf": [
        {
            "if": {"properties": {"status": {"const": "affected"}}},
            "then": {"required": ["action_statement"]},
        },
        {
            "if": {"properties": {"status": {"const": "not_affected"}}},
            "then": {"oneOf": [{"required": ["justification"]}, {"required": ["impact_statement"]}]},
        },
    ],
}
OPENVEX = strict(
    "@context,@id,author,timestamp,version,statements",
    **{
        "@context": one("https://openvex.dev/ns/v0.2.0"),
        "@id": URI,
        "author": TEXT,
        "role": TEXT,
        "timestamp": TIME,
        "version": {"type": "integer", "minimum": 1},
        "tooling": TEXT,
        "statements": many(STATEMENT, uniqueItems=True),
    },
)
