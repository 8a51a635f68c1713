"""The formats of the output: one module for each document, each with a function from the outcome to its text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from patches.scanner.outcome import Outcome
from patches.scanner.output.cyclonedx import cyclonedx_pieces
from patches.scanner.output.document import document_pieces
from patches.scanner.output.interchange.github import github_pieces
from patches.scanner.output.interchange.gitlab import gitlab_pieces
from patches.scanner.output.interchange.junit import junit_pieces
from patches.scanner.output.interchange.spdx import spdx_pieces
from patches.scanner.output.openvex import openvex_pieces
from patches.scanner.output.sarif import sarif_pieces
from patches.scanner.output.tables.comma_separated import csv_pieces
from patches.scanner.output.tables.html_page import html_pieces
from patches.scanner.output.tables.view import View

#: The format for people.
TABLE = "table"
#: name → a function that yields the text of the document in pieces, in ASCII and without a line feed at its end.
WRITERS: Mapping[str, Callable[[Outcome], Iterator[str]]] = {
    "json": document_pieces,
    "sarif": sarif_pieces,
    "cyclonedx": cyclonedx_pieces,
    "openvex": openvex_pieces,
    "spdx": spdx_pieces,
    "gitlab": gitlab_pieces,
    "github": github_pieces,
}
#: name → a function that yields the text of the rows of a view, or of a document that is not JSON, in the same way.
TEXT_WRITERS: Mapping[str, Callable[[Outcome, View], Iterator[str]]] = {
    "csv": csv_pieces,
    "html": html_pieces,
    "junit": lambda outcome, view: junit_pieces(outcome),
}
FORMATS = (TABLE, *WRITERS, *TEXT_WRITERS)
#: The beginning of a format that is a template: the path of its file follows.
TEMPLATE = "template="
#: The formats that say nothing of an outcome without findings, so that no document is written then.
ONLY_FINDINGS = ("openvex",)
#: The formats that have no place for the verdict, so that an incomplete scan is told on standard error.
ROWS_ONLY = ("csv",)
