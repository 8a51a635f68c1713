"""
Installing from a folder of wheels, without a network, as the documentation says.

The folder is named by the variable ``TEST_WHEELHOUSE``; making it needs a network, so without it the test is skipped.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tomllib
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parents[2]
HOWTO = ROOT / "docs/howto"


def isolated(script: str, folder: Path, wheelhouse: str) -> str:
    """
    Run a script in a folder, in a namespace whose only interface is loopback. Return its standard output.

    :raises SkipTest: if namespaces may not be created here.
    """
    begun = ["unshare", "--map-root-user", "--net"]
    try:
        subprocess.run([*begun, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SkipTest(f"no namespace without a network can be created: {error}") from error
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    home = {"HOME": str(folder), "PIP_CONFIG_FILE": os.devnull, "WHEELHOUSE": wheelhouse}
    command = [*begun, "sh", "-ec", f"ip link set lo up\n{script}"]
    ran = subprocess.run(command, cwd=folder, env={**kept, **home}, capture_output=True, text=True, timeout=300)
    if ran.returncode:
        raise AssertionError(ran.stdout + ran.stderr)
    return ran.stdout


class OfflineInstallTests(SynchronousTestCase):
    """The commands of the page."""

    def test_wheelhouse(self) -> None:
        """The wheelhouse has what builds Patches, as the project requires it, and all parts."""
        words = shlex.split((HOWTO / "offline-wheelhouse.sh").read_text(), comments=True)
        built = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
        self.assertEqual(words[words.index("wheelhouse") + 1 :], [*built, ".[all]"])

    def test_installed(self) -> None:
        """A fresh clone shows its demonstration, and the scanner alone is installed, without a network."""
        wheelhouse = os.environ.get("TEST_WHEELHOUSE")
        if wheelhouse is None:
            raise SkipTest("TEST_WHEELHOUSE names no folder of wheels")
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        (folder / "wheelhouse").symlink_to(Path(wheelhouse).absolute())
        subprocess.run(["git", "clone", "--quiet", ROOT, folder / "clone"], check=True)
        told = isolated((HOWTO / "offline-demo.sh").read_text(), folder / "clone", wheelhouse)
        self.assertIn("sample-host", told)
        scanner = (HOWTO / "offline-scanner.sh").read_text().replace("/opt/patches", "../alone")
        isolated(scanner, folder / "clone", wheelhouse)
        listed = isolated("../alone/bin/pip list --format freeze", folder / "clone", wheelhouse)
        self.assertNotIn("klein", listed.lower())
        self.assertIn("patches==", listed)
