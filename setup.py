"""Build Patches: the package ``patches``, its twistd plugins, and the console command ``patches``."""

import re
import subprocess
from pathlib import Path
from typing import Any

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "([^"]+)"', (HERE / "patches/__init__.py").read_text()).group(1)

#: For those who keep the catalogue in PostgreSQL.
PSYCOPG = "psycopg[binary]>=3.2.1"

#: For those who write the output of a scan with templates of their own.
JINJA = "jinja2>=3.1.6"

#: For those who run a server, or read a list without one: what is installed beside the scanner.
SERVER = [
    "klein>=24.8",
    "SQLAlchemy>=2.0.30",
    "alembic>=1.16",
    "prometheus-client>=0.20",
    "zstandard>=0.22",
    "ijson>=3.2.3",
]
#: For those who run a reporter.
REPORTER = ["klein>=24.8", "SQLAlchemy>=2.0.30"]
ALL = sorted({*SERVER, *REPORTER}, key=str.lower)


def write_commit(folder: Path) -> None:
    """Write the commit into a copy of the package, unless it is not known: ``--version`` shows it."""
    words = ["git", "-C", str(HERE), "rev-parse", "--verify", "--quiet", "HEAD"]
    if not (HERE / ".git").exists():
        return
    try:
        commit = subprocess.run(words, capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return
    (folder / "COMMIT").write_text(commit)


class BuildWithCommit(build_py):
    """Builds the package with the commit."""

    def run(self) -> None:
        """Build; an editable installation reads its repository."""
        super().run()
        if not self.editable_mode:
            write_commit(Path(self.build_lib, "patches"))


class SourcesWithCommit(sdist):
    """Makes an archive of the sources with the commit."""

    def make_release_tree(self, base_dir: str, files: Any) -> None:
        """Make the folder of the archive."""
        super().make_release_tree(base_dir, files)
        write_commit(Path(base_dir, "patches"))


setup(
    name="patches",
    version=VERSION,
    description="Tells a fleet which installed packages are vulnerable, without any inventory leaving its host",
    long_description=(HERE / "README.rst").read_text(),
    long_description_content_type="text/x-rst",
    license_expression="MPL-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=[*find_packages(include=["patches", "patches.*"]), "twisted.plugins"],
    package_dir={"twisted.plugins": "twisted_plugins"},
    cmdclass={"build_py": BuildWithCommit, "sdist": SourcesWithCommit},
    package_data={"patches": ["py.typed", "COMMIT"], "patches.demo": ["*.ndjson", "host/**/*"]},
    install_requires=[
        "twisted[tls]>=24.10",
        "treq>=24.9",
        "attrs>=24.2",
        "zope.interface>=7.0",
        "click>=8.2",
        "rich>=13.7",
        "msgspec>=0.19",
        "packageurl-python>=0.11.1",
        "cryptography>=42",
        "cvss>=3.2",
    ],
    extras_require={
        "server": SERVER,
        "reporter": REPORTER,
        "standalone": SERVER,
        "all": ALL,
        "postgresql": [PSYCOPG],
        "templates": [JINJA],
        "test": [
            *ALL,
            "pytest>=8.3",
            "pytest-twisted>=1.14",
            "pytest-xdist>=3.6",
            "hypothesis>=6.115",
            "coverage>=7.6",
            "cyclonedx-python-lib[json-validation]>=11",
            PSYCOPG,
            JINJA,
        ],
        "lint": ["ruff>=0.8", "mypy>=1.13", "mypy-zope>=1.0.9", "towncrier>=24.8"],
        "docs": [*ALL, "sphinx>=8.1", "furo>=2025.7.19", "sphinx-design>=0.6.1"],
    },
    entry_points={"console_scripts": ["patches = patches.cli.entry:main"]},
    classifiers=[
        "Framework :: Twisted",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Security",
    ],
)
