"""
A check of the language of docstrings: ``python -m tests.language``, a part of ``make lint``.

The summary of a docstring is a noun phrase, or opens with a verb of the field in the imperative: Return, Create, Open,
Read. The openings below are refused in every docstring, of modules, classes, functions and tests; that the verbs of
functions are in the imperative is checked by ruff (D401).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("patches", "twisted_plugins", "tests", "benchmarks", "docs")
#: What no docstring opens with: verbs that do not say what is done, in any form.
BANNED = re.compile(
    r"[\W_]*(give|tell|have|has|having|let|say|take\s+up|taking\s+up|takes\s+up|look)(s|ing|ting)?\b", re.I
)

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def findings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the problem of each docstring that is refused."""
    for node in ast.walk(ast.parse(source)):
        docstring = ast.get_docstring(node) if isinstance(node, _DOCUMENTED) else None
        opening = BANNED.match(docstring) if docstring is not None else None
        if opening is not None:
            yield node.body[0].lineno, f"a docstring opens with {opening[0].strip()!r}"  # type: ignore[attr-defined]


def main() -> int:
    """Print every finding in the repository. Return the exit code."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {problem}"
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "_build" not in path.parts
        for line, problem in findings(path.read_text("utf-8"))
    ]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
