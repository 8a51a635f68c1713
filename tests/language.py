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
#: Verbs that do not say what is done, in any form: no docstring opens with one.
_VERBS = r"giv(e|es|en|ing)|gave|tell(s|ing)?|told|ha(ve|s|d|ving)|let(s|ting)?|sa(y|ys|id|ying)|look(s|ed|ing)?"
#: The forms of "take up", also with a word between.
_TAKE_UP = r"(take|takes|taken|taking|took)\s+(\w+\s+)?up"
#: Clauses in place of a subject or of a noun phrase.
_CLAUSES = r"who|whoever|whom|whose|what|how|nothing"
#: What no docstring opens with.
BANNED = re.compile(rf"[\W_]*({_VERBS}|{_TAKE_UP}|{_CLAUSES})\b", re.I)
#: An opening for properties, which state a condition; elsewhere a condition is the object of a verb.
_WHETHER = re.compile(r"[\W_]*whether\b", re.I)

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def findings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the problem of each docstring that is refused."""
    for node in ast.walk(ast.parse(source)):
        docstring = ast.get_docstring(node) if isinstance(node, _DOCUMENTED) else None
        if docstring is None:
            continue
        opening = BANNED.match(docstring) or (None if _is_property(node) else _WHETHER.match(docstring))
        if opening is not None:
            yield node.body[0].lineno, f"a docstring opens with {opening[0].strip()!r}"  # type: ignore[attr-defined]


def _is_property(node: ast.AST) -> bool:
    """Return whether a definition is a property: a function with a decorator that is called so."""
    decorators = getattr(node, "decorator_list", ())
    return any(re.search(r"property\Z", ast.unparse(decorator)) for decorator in decorators)


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
