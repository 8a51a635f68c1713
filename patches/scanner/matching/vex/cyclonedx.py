"""
Parser of CycloneDX documents: a vulnerability whose analysis says that its components are not affected is a decision.

Source: CycloneDX 1.4 to 1.7, in JSON: ``vulnerabilities`` and ``components``. A later analysis of the same
vulnerability and component replaces an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import unquote

from msgspec import Struct, field
from packageurl import PackageURL

from patches.scanner.matching.ignores import Ignores
from patches.scanner.matching.vex.json_document import decode
from patches.scanner.matching.vex.statements import (
    FIRST,
    BadVex,
    NamedProduct,
    PackagePurls,
    Statement,
    decisions_of,
    is_package,
    reason_of,
    shortened,
    time_in,
    unidentified_in,
)
from patches.vulnerability import canonical_id

VERSIONS = ("1.4", "1.5", "1.6", "1.7")
#: CycloneDX's states → OpenVEX's statuses.
STATES = {
    "not_affected": "not_affected",
    "false_positive": "not_affected",
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
    "exploitable": "affected",
    "in_triage": "under_investigation",
}
#: CycloneDX's keywords for why a product is not affected → OpenVEX's.
JUSTIFIED = {
    "code_not_present": "vulnerable_code_not_present",
    "code_not_reachable": "vulnerable_code_not_in_execute_path",
    "requires_configuration": "vulnerable_code_cannot_be_controlled_by_adversary",
    "requires_dependency": "vulnerable_code_cannot_be_controlled_by_adversary",
    "requires_environment": "vulnerable_code_cannot_be_controlled_by_adversary",
    "protected_by_compiler": "inline_mitigations_already_exist",
    "protected_at_runtime": "inline_mitigations_already_exist",
    "protected_at_perimeter": "inline_mitigations_already_exist",
    "protected_by_mitigating_control": "inline_mitigations_already_exist",
}
_STATUSES = ("affected", "unaffected", "unknown")
#: The beginning of a link to a component of a document: ``urn:cdx:SERIAL/VERSION#BOM-REF``.
_LINK, _SERIAL = "urn:cdx:", "urn:uuid:"


class _Component(Struct):
    ref: str | None = field(name="bom-ref", default=None)
    version: str | None = None
    purl: str | None = None
    components: list[_Component] = []


class _Metadata(Struct):
    timestamp: str | None = None
    component: _Component | None = None


class _Version(Struct):
    version: str | None = None
    status: str = "affected"


class _Target(Struct):
    ref: str
    versions: list[_Version] = []


class _Analysis(Struct):
    state: str | None = None
    justification: str | None = None
    response: list[str] = []
    detail: str | None = None
    first_issued: str | None = field(name="firstIssued", default=None)
    last_updated: str | None = field(name="lastUpdated", default=None)


class _Reference(Struct):
    id: str


class _Vulnerability(Struct):
    id: str | None = None
    references: list[_Reference] = []
    analysis: _Analysis | None = None
    affects: list[_Target] = []


class _Bom(Struct):
    form: str = field(name="bomFormat")
    version: str = field(name="specVersion")
    serial: str | None = field(name="serialNumber", default=None)
    metadata: _Metadata | None = None
    components: list[_Component] = []
    vulnerabilities: list[_Vulnerability] = []


def parse_cyclonedx(content: bytes) -> Ignores:
    """
    Parse a CycloneDX document and return its decisions, the newest first.

    :raises BadVex: if a part that decisions depend on is invalid.
    """
    bom = decode(content, _Bom)
    if bom.form != "CycloneDX" or bom.version not in VERSIONS:
        raise BadVex(f"{shortened(f'{bom.form} {bom.version}')} is not known: only CycloneDX {', '.join(VERSIONS)} are")
    components = _Components(bom)
    told = time_in(bom.metadata.timestamp if bom.metadata else None, "metadata.timestamp") or FIRST
    statements = [
        _statement(number, each, each.analysis, components, told)
        for number, each in enumerate(bom.vulnerabilities, 1)
        if each.analysis is not None and each.analysis.state is not None
    ]
    return Ignores(tuple(decisions_of(statements)), unidentified_in(statements))


def _statement(
    number: int, given: _Vulnerability, analysis: _Analysis, components: _Components, told: datetime
) -> Statement:
    where = f"vulnerability {number}"
    status = STATES.get(analysis.state or "")
    if status is None:
        raise BadVex(f"{where}: analysis.state must be one of {', '.join(STATES)}")
    why = analysis.justification
    if why is not None and why not in JUSTIFIED:
        raise BadVex(f"{where}: analysis.justification must be one of {', '.join(JUSTIFIED)}")
    names = [name for name in (given.id, *(each.id for each in given.references)) if name and name.strip()]
    if not given.id or not given.id.strip():
        raise BadVex(f"{where}: id is missing")
    products = (named for target in given.affects for named in components.named(target, where))
    responses = ", ".join(analysis.response).replace("_", " ")
    return Statement(
        number,
        status,
        tuple(dict.fromkeys(map(canonical_id, names))),
        tuple(dict.fromkeys(products)),
        reason_of((analysis.detail, why and why.replace("_", " "), responses), status),
        JUSTIFIED.get(why or "") if status == "not_affected" else None,
        time_in(analysis.last_updated or analysis.first_issued, where) or told,
    )


class _Components:
    """
    The components of a document, by their references.

    :raises BadVex: if two components that differ have the same reference.
    """

    def __init__(self, bom: _Bom) -> None:
        self._purls = PackagePurls()
        self._serial = (bom.serial or "").removeprefix(_SERIAL)
        self._found: dict[str, _Component] = {}
        waiting = [*bom.components, *([bom.metadata.component] if bom.metadata and bom.metadata.component else [])]
        while waiting:
            each = waiting.pop()
            waiting += each.components
            if each.ref is not None:
                other = self._found.setdefault(each.ref, each)
                if (other.purl, other.version) != (each.purl, each.version):
                    raise BadVex(f"bom-ref {shortened(each.ref)!r} is given twice")

    def named(self, target: _Target, where: str) -> Iterator[NamedProduct]:
        """
        Yield the packages that a target stands for: one, or one for each version; none if it is not known to be one.

        :raises BadVex: if a purl or the status of a version is invalid.
        """
        if not all(each.status in _STATUSES for each in target.versions):
            raise BadVex(f"{where}: the status of a version must be one of {', '.join(_STATUSES)}")
        purl = self._purl(target.ref, where)
        if purl is None or not is_package(purl):
            return
        if not target.versions:
            yield NamedProduct(purl)
        for version in self._versions(purl, target.versions):
            yield NamedProduct(purl if purl.version else purl._replace(version=version))

    def _versions(self, purl: PackageURL, versions: Sequence[_Version]) -> list[str]:
        """Return the versions that an analysis is about: not those about which nothing is known, and no range."""
        known = [each.version for each in versions if each.version and each.status != "unknown"]
        return known[:1] if purl.version else list(dict.fromkeys(known))

    def _purl(self, ref: str, where: str) -> PackageURL | None:
        """Return the purl of a component of this document, or one that is the reference itself."""
        if ref.startswith(_LINK):
            document, _, fragment = ref.removeprefix(_LINK).partition("#")
            ref = unquote(fragment)
            found = self._found.get(ref) if document.partition("/")[0] == self._serial else None
        else:
            found = self._found.get(ref)
        text = found.purl if found is not None and found.purl else ref
        if not text.startswith("pkg:"):
            return None
        purl = self._purls.parse(text, where)
        if not purl.version and found is not None and found.version:
            return purl._replace(version=found.version)
        return purl
