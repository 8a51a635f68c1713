"""
Strict JSON Schemas of the documents that we write.

They follow the specifications: OASIS SARIF 2.1.0 errata 01, section 3; OpenVEX 0.2.0; and those named below. Each
schema allows only the properties that we write, so that a misspelt one is detected.
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

#: GitLab's container scanning report, version 15.0.0 of its security report schemas.
GITLAB_TOOL = strict(
    "id,name,version,vendor", id=TEXT, name=TEXT, url=URI, version=TEXT, vendor=strict("name", name=TEXT)
)
GITLAB_TIME = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"}
GITLAB_URL = {"type": "string", "pattern": "^https?://.+"}
GITLAB_VULNERABILITY = strict(
    "id,identifiers,location",
    id=TEXT,
    name={"type": "string", "maxLength": 255},
    description={"type": "string", "maxLength": 1_048_576},
    severity=one("Info", "Unknown", "Low", "Medium", "High", "Critical"),
    solution={"type": "string", "maxLength": 7000},
    identifiers=many(strict("type,name,value", type=TEXT, name=TEXT, value=TEXT, url=GITLAB_URL), minItems=1),
    links=many(strict("url", url=GITLAB_URL)),
    location=strict(
        "dependency,operating_system,image",
        dependency=strict(
            "package,version", package=strict("name", name={"type": "string"}), version={"type": "string"}
        ),
        operating_system=TEXT,
        image={"type": "string", "minLength": 1, "pattern": r"^[^:]+(:\d+[^:]*)?:[^:]+(:[^:]+)?$"},
    ),
)
GITLAB = strict(
    "scan,version,vulnerabilities",
    version={"type": "string", "pattern": r"^15\.[0-9]+\.[0-9]+$"},
    schema=GITLAB_URL,
    scan=strict(
        "analyzer,end_time,scanner,start_time,status,type",
        analyzer=GITLAB_TOOL,
        scanner=GITLAB_TOOL,
        start_time=GITLAB_TIME,
        end_time=GITLAB_TIME,
        status=one("success", "failure"),
        type=one("container_scanning"),
        messages=many(strict("level,value", level=one("info", "warn", "fatal"), value=TEXT)),
    ),
    vulnerabilities=many(GITLAB_VULNERABILITY),
)

#: A snapshot of GitHub's dependency submission API; its metadata are at most 8 scalar values.
GITHUB_PACKAGE = strict(
    "",
    package_url={"type": "string", "pattern": "^pkg:"},
    relationship=one("direct", "indirect"),
    scope=one("runtime", "development"),
)
GITHUB = strict(
    "version,job,sha,ref,detector,scanned",
    version={"type": "integer"},
    job=strict("id,correlator", id=TEXT, correlator=TEXT),
    sha={"type": "string"},
    ref={"type": "string"},
    detector=strict("name,version,url", name=TEXT, version=TEXT, url=URI),
    metadata={"type": "object", "maxProperties": 8, "additionalProperties": {"type": "string"}},
    scanned=TIME,
    manifests={
        "type": "object",
        "additionalProperties": strict(
            "name", name=TEXT, resolved={"type": "object", "additionalProperties": GITHUB_PACKAGE}
        ),
    },
)

#: SPDX 2.3, as its JSON schema states what is required and what values there are.
SPDX_ID = {"type": "string", "pattern": "^SPDXRef-[a-zA-Z0-9.-]+$"}
SPDX_REFERENCE = strict(
    "referenceCategory,referenceLocator,referenceType",
    referenceCategory=one("OTHER", "PERSISTENT-ID", "SECURITY", "PACKAGE-MANAGER"),
    referenceType=one("purl", "advisory"),
    referenceLocator=URI,
    comment=TEXT,
)
SPDX_PACKAGE = strict(
    "SPDXID,downloadLocation,name",
    SPDXID=SPDX_ID,
    name={"type": "string"},
    versionInfo={"type": "string"},
    supplier={"type": "string", "pattern": "^(NOASSERTION|(Person|Organization): .+)$"},
    downloadLocation=one("NOASSERTION"),
    filesAnalyzed={"const": False},
    sourceInfo={"type": "string"},
    licenseConcluded=one("NOASSERTION"),
    licenseDeclared=one("NOASSERTION"),
    copyrightText=one("NOASSERTION"),
    primaryPackagePurpose=one("OPERATING-SYSTEM"),
    externalRefs=many(SPDX_REFERENCE),
)
SPDX = strict(
    "SPDXID,creationInfo,dataLicense,documentNamespace,name,spdxVersion",
    spdxVersion=one("SPDX-2.3"),
    dataLicense=one("CC0-1.0"),
    SPDXID=one("SPDXRef-DOCUMENT"),
    name=TEXT,
    documentNamespace={"type": "string", "pattern": "^[a-z]+:[^#]+$"},
    creationInfo=strict(
        "created,creators",
        created={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        creators=many({"type": "string", "pattern": "^(Tool|Person|Organization): .+"}, minItems=1),
        comment={"type": "string"},
    ),
    packages=many(SPDX_PACKAGE, minItems=1),
    relationships=many(
        strict(
            "relatedSpdxElement,relationshipType,spdxElementId",
            spdxElementId=SPDX_ID,
            relationshipType=one("DESCRIBES", "CONTAINS"),
            relatedSpdxElement=SPDX_ID,
        )
    ),
)
