"""Tests for :mod:`tests.guarantees`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests import guarantees
from tests.chaos.attack import Outcome
from tests.guarantees import PARTS, Part, Result, kept, main, run, table

HOLDS = Outcome("memory ≤ 1 MiB", "9 *bad* requests", "0.5 MiB", True, times=9000)
BROKEN = Outcome("ends", "SIGTERM", "never", False)


class GuaranteeTests(SynchronousTestCase):
    """Parts that do nothing, and the list of the real ones."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.patch(guarantees, "KEPT", self.folder)
        self.results = {"chaos.a": Result("v", "", 1.0, (HOLDS,)), "chaos.b": Result("v", "", 1.0, (BROKEN,))}
        self.ran: list[str] = []

    def fake(self, part: Part, options: Any) -> Result:
        """Return a result in place of a run."""
        self.ran.append(part.module)
        return Result(guarantees.version(), " ".join(options), 1.0, self.results[part.module].outcomes)

    def test_parts(self) -> None:
        """Each part is a module with a program, its scales are those of its attack, and its name is its own."""
        self.assertEqual(len({part.name for part in PARTS}), len(PARTS))
        for part in PARTS:
            module = importlib.import_module(f"tests.{part.module}")
            text = Path(str(module.__file__)).read_text()
            for scale in {**part.scales, **(part.short or {})}:
                self.assertRegex(text, rf"program\([^)]*\b{scale}=", part.name)

    def test_table(self) -> None:
        """There is a row for each outcome, and for each part that could not be tried."""
        text = table({**self.results, "clock-steps": Result("v", "", 0.0, skipped="libfaketime is not installed")})
        self.assertIn(
            "   * - memory ≤ 1 MiB\n     - 9 \\*bad\\* requests\n     - 9,000\n     - 0.5 MiB\n     - holds\n", text
        )
        self.assertIn("     - **broken**\n", text)
        self.assertIn(
            "   * - clock-steps\n     - \n     - 0\n     - libfaketime is not installed\n     - not tried\n", text
        )

    def test_cases(self) -> None:
        """Many cases of one promise that all hold are one row, with the worst of them."""
        cases = tuple(Outcome(f"memory: case {n}", "once", f"{n % 7} MiB, 1 s", True) for n in range(9))
        text = table({"chaos.a": Result("v", "", 1.0, cases)})
        self.assertIn(
            "* - memory\n     - 9 cases; the worst: case 6\n     - 9\n     - 6 MiB, 1 s\n     - holds\n", text
        )
        self.assertEqual(text.count("holds"), 1)
        broken = table({"chaos.a": Result("v", "", 1.0, (*cases, Outcome("memory: b", "once", "9 MiB", False)))})
        self.assertEqual((broken.count("- holds"), broken.count("**broken**")), (9, 1))

    def test_goes_on(self) -> None:
        """A part that this version has been through is not run again, unless it is asked for afresh."""
        self.patch(guarantees, "PARTS", (Part("chaos.a", 9, short={"runs": 3}), Part("chaos.b", 9)))
        self.patch(guarantees, "run", self.fake)
        self.patch(guarantees, "version", lambda: "one")
        path = self.folder / "table"
        for words, code, ran in (
            (["a"], 0, ["chaos.a"]),
            ([], 1, ["chaos.b"]),
            (["--fresh", "a"], 0, ["chaos.a"]),
            (["--seed", "2", "a"], 0, ["chaos.a"]),
            (["--short"], 0, ["chaos.a"]),
            (["--list"], 0, []),
        ):
            self.ran.clear()
            self.assertEqual((main([*words, "--table", str(path)]), self.ran), (code, ran), words)
        self.patch(guarantees, "version", lambda: "two")
        self.assertEqual((main(["a", "--table", str(path)]), self.ran), (0, ["chaos.a"]))
        self.assertEqual(path.read_text().splitlines()[-1], "Versions of the code: two.")
        self.ran.clear()
        self.assertEqual((main(["--older", "--table", str(path)]), self.ran), (1, []))
        self.assertRaises(SystemExit, main, ["absent"])

    def test_kept(self) -> None:
        """A record that is cut or damaged is none."""
        self.folder.mkdir()
        path = self.folder / "a.json"
        for text in ("", "{", "[]", '{"outcomes": [{}]}'):
            path.write_text(text)
            self.assertIsNone(kept(path))

    def test_run(self) -> None:
        """A program that fails is an outcome that does not hold, with its last line; one that ends too late as well."""
        self.folder.mkdir()
        result = run(Part("chaos.absent", 60), [])
        self.assertFalse(result.holds)
        self.assertIn("No module named", result.outcomes[0].worst)
        late = run(Part("chaos.load.connects", 0), [])
        self.assertEqual((late.holds, late.is_whole, result.is_whole), (False, False, False))
