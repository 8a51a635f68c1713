"""Directives that create tables from the code: options, modules, namespaces, public sources."""

from __future__ import annotations

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
    """``.. settings-of:: MODULE NAME``: a table of the settings in a module's tuple."""

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


class ClairNamespaces(SphinxDirective):
    """``.. clair-namespaces::``: a table of platforms and namespaces."""

    def run(self) -> list[Node]:
        """Return the table."""
        return self.parse_text_to_nodes(namespaces_table())


class PublicSources(SphinxDirective):
    """``.. public-sources::``: a table of platforms and public feeds."""

    def run(self) -> list[Node]:
        """Return the table."""
        return self.parse_text_to_nodes(public_table())


class Tracks(SphinxDirective):
    """``.. tracks::``: a table of the lines of builds."""

    def run(self) -> list[Node]:
        """Return the table."""
        return self.parse_text_to_nodes(tracks_table())


class Extensions(SphinxDirective):
    """``.. extensions::``: a table of the tracks that extend the main line."""

    def run(self) -> list[Node]:
        """Return the table."""
        return self.parse_text_to_nodes(extensions_table())


class Makers(SphinxDirective):
    """``.. makers::``: a table of makers of foreign packages."""

    def run(self) -> list[Node]:
        """Return the table."""
        return self.parse_text_to_nodes(makers_table())


class VersionMarks(SphinxDirective):
    """``.. version-marks::``: a table of the marks of makers in versions."""

    def run(self) -> list[Node]:
        """Return the table."""
        return self.parse_text_to_nodes(version_marks_table())


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("settings-of", SettingsOf)
    app.add_directive("modules-of", ModulesOf)
    app.add_directive("clair-namespaces", ClairNamespaces)
    app.add_directive("public-sources", PublicSources)
    app.add_directive("tracks", Tracks)
    app.add_directive("extensions", Extensions)
    app.add_directive("makers", Makers)
    app.add_directive("version-marks", VersionMarks)
    return {"parallel_read_safe": True}
