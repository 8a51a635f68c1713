"""CycloneDX: all packages, and the vulnerabilities that affect them."""

from __future__ import annotations

from packageurl import PackageURL
from twisted.trial.unittest import SynchronousTestCase

from tests.scanner.output.format_checks import made
from tests.scanner.sample_outcomes import BASH, KERNEL, outcome


class CycloneDxTests(SynchronousTestCase):
    """CycloneDX."""

    def test_components(self) -> None:
        """Every installed package is a component with its purl; packages that were not judged are marked."""
        components = {each["name"]: each for each in made("cyclonedx", outcome())["components"]}
        self.assertLessEqual({package.name for package in outcome().coverage.packages}, components.keys())
        self.assertEqual(PackageURL.from_string(components["bash"]["purl"]).version, BASH.version)
        marks = {each["name"] for each in components[KERNEL.name]["properties"]}
        self.assertIn("patches:notEvaluated", marks)
        self.assertIn("patches:notCovered", {each["name"] for each in components["docker-ce"]["properties"]})

    def test_references(self) -> None:
        """Everything that a vulnerability affects is a component of the document."""
        document = made("cyclonedx", outcome(with_unfixed=True))
        refs = {each["bom-ref"] for each in document["components"]}
        affected = {target["ref"] for each in document["vulnerabilities"] for target in each["affects"]}
        self.assertLessEqual(affected, refs)
        self.assertEqual(len(affected), 4)
