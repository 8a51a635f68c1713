"""The formats of the output: one module for each document, each with a function from the outcome to its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from patches.scanner.outcome import Outcome
from patches.scanner.output.document import document_text
from patches.scanner.output.openvex import openvex_text
from patches.scanner.output.sarif import sarif_text


def _cyclonedx(outcome: Outcome) -> str:
    """Return the CycloneDX document. Its library is large, so it is imported only when it is needed."""
    from patches.scanner.output.cyclonedx import cyclonedx_text

    return cyclonedx_text(outcome)


#: The format for people.
TABLE = "table"
#: name → a function that returns the text of the document, in ASCII and without a line feed at its end.
WRITERS: Mapping[str, Callable[[Outcome], str]] = {
    "json": document_text,
    "sarif": sarif_text,
    "cyclonedx": _cyclonedx,
    "openvex": openvex_text,
}
FORMATS = (TABLE, *WRITERS)
