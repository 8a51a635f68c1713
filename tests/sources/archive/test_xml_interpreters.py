"""Tests for :mod:`patches.sources.archive.xml` in every Python at hand: expat and its bindings differ between them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

import patches

ROOT = Path(patches.__file__).parents[1]
OLDEST = (3, 8)

#: Run in another interpreter, which has no dependency of this project, and may be older than the project supports.
PROGRAM = r'''
import io, json, platform, sys
sys.path.insert(0, sys.argv[1])
from xml.parsers import expat

defers = hasattr(expat.ParserCreate(), "SetReparseDeferralEnabled")
if sys.argv[2] == "deferring":
    create = expat.ParserCreate

    class Deferring(object):
        """A parser whose deferral cannot be turned off, as in a Python that is older than its expat."""

        def __init__(self):
            object.__setattr__(self, "_parser", create())

        def __getattr__(self, name):
            if name == "SetReparseDeferralEnabled":
                raise AttributeError(name)
            return getattr(self._parser, name)

        def __setattr__(self, name, value):
            setattr(self._parser, name, value)

    expat.ParserCreate = Deferring

from patches.errors import SourceError
from patches.sources.archive.xml import children


class Feeds(io.BytesIO):
    """A stream that returns a few bytes at a time, whatever is asked for."""

    def __init__(self, content, most):
        super().__init__(content)
        self.most = most

    def read(self, size=-1):
        return super().read(min(size, self.most) if size > 0 else size)


def outcome(content, most):
    try:
        return [each.text for each in children(Feeds(content, most), "updates")]
    except SourceError as error:
        return str(error)


ENTITY = '<!DOCTYPE updates [<!ENTITY e "%s">]>' % ("x" * 1000)
HOSTILE = {
    "entity": ENTITY,
    "long entity": '<!DOCTYPE updates [<!ENTITY e "%s">]>' % ("x" * 15000),
    "parameter entity": '<!DOCTYPE updates [<!ENTITY % p "<!ENTITY e \'x\'>"> %p;]>',
    "external": '<!DOCTYPE updates SYSTEM "http://192.0.2.1/evil.dtd">',
    "attributes": '<!DOCTYPE updates [<!ATTLIST a b CDATA "x">]>',
    "empty": "<!DOCTYPE updates>",
    "after a comment": "<!--" + " " * 5000 + "-->" + ENTITY,
    "after a long comment": "<!--" + "-".join("x" * 10000) + "-->" + ENTITY,
    "after an instruction": "<?x " + "y" * 3000 + "?>" + ENTITY,
    "never ended": "<!DOCTYPE updates [<!ENTITY e '" + "x" * 20000,
    "after blanks": "<?xml version='1.0'?>" + "\n" * 10000 + ENTITY,
}
found = {}
for name, declared in HOSTILE.items():
    for encoding in ("utf-8", "utf-16"):
        for most in (61, 511, 513, 100000):
            content = (declared + "<updates><a>&e;</a></updates>").encode(encoding)
            found["%s, %s, %d bytes at a time" % (name, encoding, most)] = outcome(content, most)
whole = "<!--" + "x" * 4000 + "--><updates><a>1</a><b c='%s'>2</b></updates>" % ("y" * 70000)
truncated = {}
for length in (0, 3, 511, 512, 513, 4006, 4007, 4008, 4010, 4016, 4017, 4020, 30000, 74035, len(whole) - 1):
    for most in (61, 512, 100000):
        truncated["%d bytes, %d at a time" % (length, most)] = outcome(whole[:length].encode("ascii"), most)
right = [outcome(whole.encode("ascii"), most) for most in (512, 2000, 100000)]
print(json.dumps({
    "python": platform.python_implementation() + " " + platform.python_version(), "expat": expat.EXPAT_VERSION,
    "defers": defers, "hostile": found, "truncated": truncated, "right": right,
}))
'''


def interpreters() -> Iterator[Path]:
    """Yield each Python at hand once: on the path, in the system's folders, and of pyenv."""
    names = ["python3", *(f"python3.{minor}" for minor in range(8, 20)), "pypy3"]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    places = [Path(folder) for folder in (*os.get_exec_path(), "/usr/bin", "/usr/local/bin")]
    found = [Path(sys.executable), *(place / name for place in places for name in names), *pyenv.glob("*/bin/python3")]
    usable = (path.resolve() for path in found if shutil.which(path))
    yield from dict.fromkeys(usable)


def version_of(interpreter: Path) -> tuple[str, tuple[int, ...]] | None:
    """Return the installation of an interpreter, and its version; ``None``: it does not start."""
    code = "import sys; print(sys.base_prefix); print(*sys.version_info[:2])"
    ran = subprocess.run([str(interpreter), "-I", "-c", code], capture_output=True, text=True, timeout=60)
    # The front of pyenv does not start for a version that is not chosen.
    prefix, _, version = ran.stdout.strip().partition("\n")
    return (prefix, tuple(map(int, version.split()))) if ran.returncode == 0 else None


def run(interpreter: Path, mode: str) -> Mapping[str, Any]:
    """Run the program in an interpreter."""
    command = [str(interpreter), "-I", "-c", PROGRAM, str(ROOT), mode]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, f"{interpreter}: {ran.stderr}"
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


class InterpreterTests(SynchronousTestCase):
    """The guard against document types, in each interpreter."""

    def test_every_interpreter(self) -> None:
        """A document type is refused, however it arrives; so is what ends early; what is right is parsed."""
        tried: dict[str, str] = {}
        for interpreter in interpreters():
            known = version_of(interpreter)
            if known is None or known[0] in tried:
                continue
            prefix, version = known
            if version < OLDEST:
                tried[prefix] = f"not tried, cannot read this code: Python {'.'.join(map(str, version))}"
                continue
            for mode in ("as it is", "deferring"):
                found = run(interpreter, mode)
                where = tried[prefix] = f"tried: {found['python']}, {found['expat']}, can defer: {found['defers']}"
                self.judge(f"{where}, {mode}", found)
        print("", *tried.values(), sep="\n")
        self.assertTrue(any(said.startswith("tried") for said in tried.values()))

    def judge(self, where: str, found: Mapping[str, Any]) -> None:
        """Check the results of one interpreter."""
        for name, said in found["hostile"].items():
            self.assertIn("document type", str(said), f"{where}: {name}")
        for name, said in found["truncated"].items():
            self.assertIsInstance(said, str, f"{where}: {name}")
            self.assertTrue(said.startswith("not XML: "), f"{where}: {name}: {said}")
        self.assertEqual(found["right"], [["1", "2"]] * 3, where)
