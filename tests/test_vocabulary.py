"""
The vocabulary of the code: words that are no longer used, and words that stand in one sense only.

The terms themselves are explained in ``docs/reference/terms.rst``. Here the names that the code defines are checked:
modules, classes, functions, parameters and attributes, each split into its words.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import patches

ROOT = Path(patches.__file__).parent

#: Words of earlier versions, with the term that replaced them: none of them occurs in a name.
RETIRED: Mapping[str, str] = {
    "lane": "cohort",
    "lanes": "cohorts",
    "board": "request table",
    "inquiry": "poller",
    "intake": "importer",
    "offering": "source set",
    "rounds": "maintenance",
    "exchange": "HTTP client",
    "means": "source context",
    "holdings": "document store",
    "tally": "parse context",
    "gathering": "fragment store",
    "ruling": "rule",
    "rulings": "rules",
    "flaw": "vulnerability id",
    "flaws": "vulnerability ids",
    "judged": "coverage",
    "look": "sync, poll, find",
    "reading": "import, transaction, session service",
}

#: A word, its one sense, and where names may have it: a module or a folder.
ONE_SENSE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "catalogue": ("the server's store of the lists, as immutable snapshots", ("server", "cli")),
    "snapshot": ("one complete list of one platform", ("server", "scanner", "signing", "cli", "standalone")),
    "snapshots": ("snapshots of several platforms or times", ("server", "scanner", "cli")),
    "revision": (
        "the name of a snapshot; in versions, the part of a Debian or Alpine version that is called so",
        ("server", "scanner", "reporter/report", "versions"),
    ),
    "revisions": ("the names of snapshots", ("server", "scanner")),
    "chunk": (
        "a series of consecutive vulnerabilities; in names of Twisted, a piece of a request's body",
        (
            *("server", "standalone", "scanner/client", "scanner/simulation", "wire", "http/bounded_request"),
            "reporter/site",
        ),
    ),
    "chunks": ("the chunks of a snapshot", ("server", "scanner/client", "scanner/simulation")),
    "session": ("one scanner's pass over one snapshot or delta", ("server", "scanner/client", "scanner/compare")),
    "sessions": ("the sessions of a server, or of a scan", ("server", "scanner/client", "scanner/compare")),
    "finding": ("a vulnerability id that affects an installed package", ("scanner", "reporter", "demo")),
    "findings": ("the findings of a scan or of a host", ("scanner", "reporter", "demo")),
    "report": ("the whole state of a host after one scan", ("scanner", "reporter", "demo")),
    "unjudged": ("a package of which the scan cannot say whether it is affected", ("scanner",)),
    "feed": ("a vulnerability source whose lists are files", ("sources", "server")),
    "feeds": ("the feeds of a server", ("sources", "server")),
    "track": (
        "the line of builds that a package or a fix belongs to",
        ("tracks", "vulnerability", "wire", "sources", "server", "scanner"),
    ),
    "tracks": (
        "the tracks of a host",
        ("tracks", "vulnerability", "wire", "sources", "server", "scanner", "reporter"),
    ),
    "bundle": ("a file with snapshots for a server without a network", ("server", "cli")),
    "held": ("a snapshot that is kept back from publication", ("server", "cli")),
    "window": ("the chunks of a snapshot that are in memory", ("server",)),
    "verdict": ("how a scan ended", ("scanner", "reporter")),
    "formats": ("forms in which the outcome of a scan is written", ("scanner",)),
    "documents": (
        "the CSAF documents of a provider; JSON documents",
        ("sources/csaf", "sources/archive/members", "testing/clair", "reporter/store"),
    ),
    "staging": (
        "the store of the lists that were read last",
        ("server/refresh", "server/assembly/refresh", "server/catalogue/store"),
    ),
    "delta": (
        "what was added, changed and withdrawn between two revisions",
        ("server", "scanner/client", "scanner/compare"),
    ),
    "admission": ("when a queued session becomes active", ("server/sessions",)),
    "outbox": ("the reports that wait to be accepted", ("scanner", "demo")),
    "rank": ("the precedence of a source", ("sources", "interfaces", "server/refresh")),
    "claimed": (
        "the number of entries that a source says it has",
        ("sources", "interfaces", "server/refresh", "server/http/metrics"),
    ),
}

#: Names that several public classes have, and the reason.
SEVERAL: Mapping[str, str] = {
    "Options": "the class that a twistd plugin looks for, in the module of each daemon",
    "Api": "the API of each daemon; a program has one",
    "UnknownPlatform": "of a host whose platform is not known, and of a server without its list: two programs",
    "Target": "the host of a scan; in the reader of OSV, the platform, track and rules of an entry",
}


def words(name: str) -> set[str]:
    """Return the words of an identifier, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield every name that a module defines, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr if isinstance(node, ast.Attribute) else node.id


def defined() -> Iterator[tuple[str, int, str]]:
    """Yield every name that the package defines: the module's path, the line, the name."""
    for path in sorted(ROOT.rglob("*.py")):
        bare = path.relative_to(ROOT).with_suffix("").as_posix()
        yield bare, 0, bare.rpartition("/")[2]
        for line, name in names(ast.parse(path.read_text("utf-8"))):
            yield bare, line, name


def classes() -> Mapping[str, list[str]]:
    """Return the public classes, by name: the modules that define one."""
    found: dict[str, list[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(path.relative_to(ROOT).as_posix())
    return found


class VocabularyTests(SynchronousTestCase):
    """One term for one thing, and one thing for one term."""

    def test_retired(self) -> None:
        """No name has a word that was replaced."""
        found = [f"{path}:{line}: {name}" for path, line, name in defined() if words(name) & RETIRED.keys()]
        self.assertEqual(found, [])

    def test_one_sense(self) -> None:
        """A word with one sense is used only where that sense is meant, and there it is used."""
        seen: set[str] = set()
        found = []
        for path, line, name in defined():
            for word in words(name) & ONE_SENSE.keys():
                _, places = ONE_SENSE[word]
                if any(path == place or path.startswith(place + "/") for place in places):
                    seen.add(word)
                else:
                    found.append(f"{path}:{line}: {name}")
        self.assertEqual(found, [])
        self.assertEqual(ONE_SENSE.keys() - seen, set())

    def test_classes(self) -> None:
        """A name has one public class, except those in the list of exceptions."""
        found = {name: paths for name, paths in classes().items() if len(paths) > 1}
        self.assertEqual({name: paths for name, paths in found.items() if name not in SEVERAL}, {})
        self.assertEqual(SEVERAL.keys() - found.keys(), set())

    def test_words(self) -> None:
        """Names are split as a reader splits them."""
        self.assertEqual(words("HTTPClient_for_lists"), {"http", "client", "for", "lists"})
        self.assertEqual(words("_read_cachedChunk"), {"read", "cached", "chunk"})
