"""
A check of the language of docstrings: ``python -m tests.language``, a part of ``make lint``.

The summary of a docstring is a noun phrase, or opens with a verb of the field: Return, Create, Open, Read. The openings
below are refused wherever they stand; that other verbs are in the imperative is checked by ruff (D401).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("patches", "twisted_plugins", "tests", "benchmarks", "docs")
#: What no docstring opens with: verbs that say nothing of what is done.
BANNED = ("Give", "Tell", "Have", "Let", "Say", "Take up", "Look")
#: A verb of the program that describes instead of commanding.
THIRD_PERSON = ("Gives", "Tells", "Returns", "Takes", "Says", "Lets", "Looks")

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def opens_with(summary: str, words: tuple[str, ...]) -> str | None:
    """Return the opening that a summary has of these; ``None`` if it has none of them."""
    return next((word for word in words if summary == word or summary.startswith((f"{word} ", f"{word}:"))), None)


def findings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the problem of each docstring that is refused."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, _DOCUMENTED):
            continue
        docstring = ast.get_docstring(node)
        if docstring is None:
            continue
        line = node.body[0].lineno
        banned = opens_with(docstring, BANNED)
        if banned is not None:
            yield line, f"a docstring opens with {banned!r}"
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        described = opens_with(docstring, THIRD_PERSON) if is_function else None
        if described is not None:
            yield line, f"a docstring opens with {described!r}, not with an imperative"


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
