"""Directives that create tables and drawings from the code: options, modules, public sources, states."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from docutils.nodes import Node, raw
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from state_drawing import drawing, transitions_of
from tables import (
    extensions_table,
    list_table,
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


class StateMachine(SphinxDirective):
    """``.. state-machine:: MODULE NAME``: a drawing of a table of transitions, and the same as a table of text."""

    required_arguments = 2

    def run(self) -> list[Node]:
        """Return the drawing and the table."""
        module, name = self.arguments
        table = getattr(import_module(module), name)
        names, transitions = transitions_of(table)
        rows = [(f"*{names[each.before]}*", each.label, f"*{names[each.after]}*") for each in transitions]
        text = list_table(("State", "Event", "Next state"), rows, "34 32 34")
        return [raw("", drawing(table), format="html"), *self.parse_text_to_nodes(text)]


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
    app.add_directive("state-machine", StateMachine)
    for name, table in TABLES.items():
        app.add_directive(name, _directive(table))
    return {"parallel_read_safe": True}
