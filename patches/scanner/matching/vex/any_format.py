"""The parser of VEX documents in any of the formats that are read; the format is known by its members."""

from __future__ import annotations

from patches.scanner.matching.ignores import Ignores
from patches.scanner.matching.vex.csaf import parse_csaf
from patches.scanner.matching.vex.cyclonedx import parse_cyclonedx
from patches.scanner.matching.vex.json_document import CSAF, CYCLONEDX, OPENVEX, format_of
from patches.scanner.matching.vex.openvex import parse_vex

_PARSERS = {OPENVEX: parse_vex, CSAF: parse_csaf, CYCLONEDX: parse_cyclonedx}


def parse_document(content: bytes) -> Ignores:
    """
    Parse a VEX document and return its decisions.

    :raises BadVex: if it has none of the formats, or a part that decisions depend on is invalid.
    """
    return _PARSERS[format_of(content)](content)
