"""Parts that are not installed: ``pip install .`` installs the scanner, and extras install the other programs."""

from __future__ import annotations

import importlib
from typing import Any

#: The modules that the extras install, beside those of the scanner.
MODULES = frozenset(("alembic", "ijson", "klein", "prometheus_client", "sqlalchemy", "werkzeug", "zstandard"))


def missing_part(error: ModuleNotFoundError, program: str, extra: str) -> str | None:
    """
    Return the line for a program whose part is not installed; ``None`` if an error says something else.

    :param program: what was started, as ``patches catalogue``.
    :param extra: the extra that installs what it needs.
    """
    name = (error.name or "").partition(".")[0]
    if name not in MODULES:
        return None
    return f"{program} needs a part that is not installed ({name}): pip install '.[{extra}]' in the folder of Patches"


def import_part(module: str, program: str, extra: str) -> Any:
    """
    Import and return a module whose part may not be installed.

    :raises SystemExit: with one line, if it is not.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        line = missing_part(error, program, extra)
        if line is None:
            raise
        raise SystemExit(f"Error: {line}") from None
