"""The outputs of ``patches scan`` that options ask for."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.options import OutputSettings
from patches.scanner.output.destinations import StandardOutput
from patches.scanner.output.tables.view import View
from patches.scanner.scan_outputs import planned_outputs, view_of
from patches.settings import BadSetting, resolve
from patches.vulnerability import Severity


class OutputTests(SynchronousTestCase):
    """Documents and rows."""

    def planned(self, **texts: Any) -> list[tuple[str, str]]:
        """Return the format and the place of each document."""
        with ExitStack() as stack:
            return [(each.form, each.place) for each in planned_outputs(resolve(OutputSettings, texts), stack)]

    def test_documents(self) -> None:
        """Without --output the document goes to standard output; each output may have a format of its own."""
        self.assertEqual(self.planned(), [("table", "-")])
        self.assertEqual(self.planned(format="json"), [("json", "-")])
        path = self.mktemp()
        several = self.planned(format="json", output=f"sarif={path}\n-\ntable=/dev/null\n{path}.json")
        expected = [("sarif", path), ("json", "-"), ("table", "/dev/null"), ("json", f"{path}.json")]
        self.assertEqual(several, expected)
        self.assertEqual(self.planned(output=f"{path}=x"), [("table", f"{path}=x")])
        with ExitStack() as stack:
            (only,) = planned_outputs(resolve(OutputSettings, {"output": "json=/dev/stdout"}), stack)
            self.assertIsInstance(only.destination, StandardOutput)

    def test_template(self) -> None:
        """A template is a format; its output follows the last equals sign."""
        template, path = Path(self.mktemp()), self.mktemp()
        template.write_text("{{ host }}")
        form = f"template={template}"
        self.assertEqual(self.planned(format=form), [(form, "-")])
        self.assertEqual(self.planned(output=f"{form}={path}\ncsv=-"), [(form, path), ("csv", "-")])
        with self.assertRaisesRegex(BadSetting, "--format template=: none: there is no such file"):
            self.planned(format="template=none")
        for bad in ("template=", "xml"):
            with self.assertRaisesRegex(BadSetting, "must be one of"):
                self.planned(format=bad)

    def test_refused(self) -> None:
        """Two documents at one place, and a place that cannot be written, are wrong usage."""
        path = self.mktemp()
        for text in (f"{path}\nsarif={path}", "json=-\nsarif=/dev/stdout", f"{path}/no/folder", "sarif="):
            with self.assertRaisesRegex(BadSetting, "--output"):
                self.planned(output=text)

    def test_unknown_format(self) -> None:
        """A word that is no format is not taken for the name of a file."""
        with self.assertRaisesRegex(BadSetting, "there is no format 'sarfi', but .*sarif.*; .*, ./sarfi=out"):
            self.planned(output="sarfi=out")
        path = f"{self.mktemp()}=out"
        self.assertEqual(self.planned(output=path), [("table", path)])

    def test_view(self) -> None:
        """The rows follow the options; a column that they do not have is wrong usage."""
        texts = {"by": "finding", "columns": "id, package", "sort-by": "cvss", "severity": "high", "only-fixed": "true"}
        view = view_of(resolve(OutputSettings, texts))
        self.assertEqual(view, View("finding", ("id", "package"), "cvss", Severity.HIGH, True))
        with self.assertRaisesRegex(BadSetting, "no column 'id'"):
            view_of(resolve(OutputSettings, {"columns": "id"}))
