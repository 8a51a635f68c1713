"""
The outcome of a scan in the form of a user's own template, in the language of Jinja2.

A template sees the JSON document and the upgrades, and cannot reach anything else: it runs in Jinja2's sandbox. Texts
are escaped in templates whose names end in ``.html``, ``.htm``, ``.xml`` or ``.svg``, with ``.j2`` after it or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from patches.scanner.inventory import package_document
from patches.scanner.outcome import Outcome
from patches.scanner.output.document import outcome_document
from patches.scanner.output.tables.upgrades import Upgrade
from patches.scanner.output.tables.view import View
from patches.storage.atomic_file import Unwritable
from patches.wording import file_problem, one_line

if TYPE_CHECKING:
    from jinja2 import Template

#: The most bytes of a template.
LARGEST_TEMPLATE = 1 << 20
_ESCAPED = (".html", ".htm", ".xml", ".svg")


class BadTemplate(ValueError):
    """A template that cannot be used; the text says why, in one line."""


@frozen
class UserTemplate:
    """
    A template.

    :ivar path: its file.
    """

    path: Path
    _template: Template

    @classmethod
    def read(cls, path: Path) -> UserTemplate:
        """
        Read a template.

        :raises BadTemplate: if it cannot be read, or is not a template, or Jinja2 is not installed.
        """
        try:
            from jinja2 import StrictUndefined, TemplateError
            from jinja2.sandbox import ImmutableSandboxedEnvironment
        except ImportError as error:
            raise BadTemplate("templates need Jinja2: pip install '.[templates]'") from error
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST_TEMPLATE + 1)
            text = content.decode("utf-8")
        except OSError as error:
            raise BadTemplate(f"{path}: {file_problem(error)}") from error
        except UnicodeDecodeError as error:
            raise BadTemplate(f"{path}: not UTF-8") from error
        if len(content) > LARGEST_TEMPLATE:
            raise BadTemplate(f"{path}: is larger than {LARGEST_TEMPLATE >> 10} KiB")
        is_markup = path.name.removesuffix(".j2").lower().endswith(_ESCAPED)
        environment = ImmutableSandboxedEnvironment(autoescape=is_markup, undefined=StrictUndefined)
        try:
            return cls(path, environment.from_string(text))
        except TemplateError as error:
            raise BadTemplate(f"{path}: {one_line(error)}") from error

    def pieces(self, outcome: Outcome, view: View) -> Iterator[str]:
        """
        Yield the text of an outcome, in pieces.

        :raises Unwritable: if the template fails.
        """
        upgrades = [_upgrade_document(each) for each in view.upgrades(outcome)]
        try:
            yield from self._template.generate(**outcome_document(outcome), upgrades=upgrades)
        except OSError:
            raise
        except Exception as error:
            raise Unwritable(f"{self.path}: the template failed: {one_line(error)}") from error


def _upgrade_document(upgrade: Upgrade) -> dict[str, Any]:
    return {
        "source": upgrade.source,
        "packages": [package_document(package) for package in upgrade.packages],
        "installed": upgrade.installed,
        "fixed": upgrade.fixed,
        "severity": upgrade.severity.name.lower(),
        "findings": upgrade.findings,
        "ids": {name: severity.name.lower() for name, severity in upgrade.ids.items()},
        "worst": upgrade.worst.vulnerability_id,
    }
