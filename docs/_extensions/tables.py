"""Tables generated from the code, as reST, so that they are never out of date."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import AttrsInstance

import patches
from patches.scanner.matching.makers import MAKERS, VERSION_MARKS
from patches.settings import CONFIG, settings_of
from patches.sources.clair.namespaces import NAMESPACES
from patches.sources.public import ENRICHING, PUBLIC
from patches.tracks import EXTENSIONS, RULES


def settings_table(declared: type[AttrsInstance]) -> str:
    """Return a table of the options of a program."""
    rows = [(f"``--{each.name}``", _literal(each.default), each.help) for each in (*settings_of(declared), CONFIG)]
    return list_table(("Option", "Default", "Meaning"), rows, "26 30 44")


def namespaces_table() -> str:
    """Return a table of platforms and their namespaces in Clair."""
    rows = [(f"``{platform}``", f"``{namespace}``") for platform, namespace in NAMESPACES.items()]
    return list_table(("Platform", "Namespace"), rows, "50 50")


def public_table() -> str:
    """Return a table of the public feeds that are read for platforms without a configured source."""
    rows = [
        (f"``{name}``", f"``{each.kind}``", " ".join((f"``{each.locations[0]}``", *each.ecosystems)))
        for name, each in PUBLIC.items()
    ] + [("all of these", f"``{each.kind}``", f"``{each.locations[0]}``") for each in ENRICHING]
    return list_table(("Platforms", "Kind", "Feed"), rows, "18 18 64")


def tracks_table() -> str:
    """Return a table of the rules by which the track of a build is recognised."""
    rows = [
        (
            f"``{rule.track}``",
            ", ".join(rule.families) or "all",
            f"``{rule.version.pattern or '.*'}``"
            + ("" if rule.name.pattern == ".*" else f", name ``{rule.name.pattern}``"),
            rule.authority,
        )
        for rule in RULES
    ]
    return list_table(("Track", "Families", "Version contains", "Authority"), rows, "14 16 32 38")


def extensions_table() -> str:
    """Return a table of the tracks that extend the main line."""
    rows = [
        (f"``{pattern.pattern}``", label, extension.value, authority)
        for pattern, extension, label, authority in EXTENSIONS
    ]
    return list_table(("Track", "Name", "On hosts without it", "Authority"), rows, "16 22 34 28")


def makers_table() -> str:
    """Return a table of the makers whose packages are foreign."""
    rows = [(maker.name, f"``{maker.origin.pattern}``", maker.authority) for maker in MAKERS]
    return list_table(("Maker", "Vendor or origin begins with", "Authority"), rows, "22 34 44")


def version_marks_table() -> str:
    """Return a table of the marks of makers in versions."""
    rows = [
        (maker, f"``{pattern.pattern}``", ", ".join(families) or "all", authority)
        for pattern, maker, families, authority in VERSION_MARKS
    ]
    return list_table(("Maker", "Version contains", "Families", "Authority"), rows, "18 30 14 38")


def modules_table(folder: str) -> str:
    """
    Return a table of a package's modules: the first paragraph of each docstring.

    :param folder: the package, relative to ``patches``; packages within it have tables of their own.
    """
    rows = []
    for path in sorted((Path(patches.__file__).parent / folder).glob("*.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        if path.name != "__init__.py":
            rows.append((f"``{path.name}``", " ".join(docstring.partition("\n\n")[0].split())))
    return list_table(("Module", "What it is"), rows, "30 70")


def list_table(head: Sequence[str], rows: Iterable[Sequence[str]], widths: str) -> str:
    """Return a table in reST."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", ""]
    for row in (head, *rows):
        lines += [f"   {'* -' if number == 0 else '  -'} {cell}" for number, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def _literal(text: str | None) -> str:
    return f"``{text}``" if text is not None else "none"
