"""Directives that create tables from the code: options, modules, namespaces, public sources."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from docutils.nodes import Node
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from tables import (
    extensions_table,
    makers_table,
    modules_table,
    namespaces_table,
    public_table,
    settings_table,
    tracks_table,
    version_marks_table,
)


class SettingsOf(SphinxDirective):
    """``.. settings-of:: MODULE NAME``: a table of the options of a settings class."""

    required_arguments = 2

    def run(self) -> list[Node]:
        """Return the table."""
        module, name = self.arguments
        return self.parse_text_to_nodes(settings_table(getattr(import_module(module), name)))


class ModulesOf(SphinxDirective):
    """``.. modules-of:: FOLDER``: a table of the modules in a folder of the package."""

    required_arguments = 1

    def run(self) -> list[Node]:
        """Return the table."""
        return self.parse_text_to_nodes(modules_table(self.arguments[0]))


def _directive(table: Callable[[], str]) -> type[SphinxDirective]:
    """Return a directive without arguments that is replaced by a table."""

    class Table(SphinxDirective):
        """A table that needs no argument."""

        def run(self) -> list[Node]:
            """Return the table."""
            return self.parse_text_to_nodes(table())

    return Table


#: ``.. clair-namespaces::`` and so on: the tables that need no argument.
TABLES = {
    "clair-namespaces": namespaces_table,
    "public-sources": public_table,
    "tracks": tracks_table,
    "extensions": extensions_table,
    "makers": makers_table,
    "version-marks": version_marks_table,
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("settings-of", SettingsOf)
    app.add_directive("modules-of", ModulesOf)
    for name, table in TABLES.items():
        app.add_directive(name, _directive(table))
    return {"parallel_read_safe": True}
