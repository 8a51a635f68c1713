"""What a scan says, as a document for other programs: one module for each format, each a function of the outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from patches.scanner.outcome import Outcome
from patches.scanner.output.document import document_text
from patches.scanner.output.openvex import openvex_text
from patches.scanner.output.sarif import sarif_text


def _cyclonedx(outcome: Outcome) -> str:
    """Its library is large, and is loaded only where it is asked for."""
    from patches.scanner.output.cyclonedx import cyclonedx_text

    return cyclonedx_text(outcome)


#: What is for people.
TABLE = "table"
#: name → what makes the text of the document, in ASCII and without a line feed at its end.
DOCUMENTS: Mapping[str, Callable[[Outcome], str]] = {
    "json": document_text,
    "sarif": sarif_text,
    "cyclonedx": _cyclonedx,
    "openvex": openvex_text,
}
FORMATS = (TABLE, *DOCUMENTS)
