"""The formats of the output: one module for each document, each with a function from the outcome to its text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from patches.scanner.outcome import Outcome
from patches.scanner.output.cyclonedx import cyclonedx_pieces
from patches.scanner.output.document import document_pieces
from patches.scanner.output.openvex import openvex_pieces
from patches.scanner.output.sarif import sarif_pieces

#: The format for people.
TABLE = "table"
#: name → a function that yields the text of the document in pieces, in ASCII and without a line feed at its end.
WRITERS: Mapping[str, Callable[[Outcome], Iterator[str]]] = {
    "json": document_pieces,
    "sarif": sarif_pieces,
    "cyclonedx": cyclonedx_pieces,
    "openvex": openvex_pieces,
}
FORMATS = (TABLE, *WRITERS)
#: The formats that say nothing of an outcome without findings, so that no document is written then.
ONLY_FINDINGS = ("openvex",)
