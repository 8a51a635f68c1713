"""Tests for :mod:`patches.scanner.inventory.rpm_query`: a program named ``rpm`` that each test writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from patches.scanner.inventory import InventoryError
from patches.scanner.inventory import rpm_header as header
from patches.scanner.inventory.rpm_query import query_packages

BASH = r"bash\t(none)\t5.1.8\t6.el9\tx86_64\tbash-5.1.8-6.el9.src.rpm\tA Vendor\t(none)\n"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the only ``rpm`` that is found."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder / "rpm"


def write(path: Path, *lines: str) -> None:
    """Write the program."""
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(0o755)


def refused() -> str:
    """Return the reason why there are no packages, which is a single line."""
    with pytest.raises(InventoryError) as caught:
        query_packages()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_packages(path: Path) -> None:
    """Each line is a package; a tag that a package does not have is absent."""
    write(path, f"printf '{BASH}'", r"printf 'nodejs\t1\t18\t1\tx86_64\t(none)\t(none)\tnodejs:18\n'")
    bash, nodejs = query_packages()
    assert bash == {
        header.NAME: "bash",
        header.VERSION: "5.1.8",
        header.RELEASE: "6.el9",
        header.ARCH: "x86_64",
        header.SOURCERPM: "bash-5.1.8-6.el9.src.rpm",
        header.VENDOR: "A Vendor",
    }
    assert (nodejs[header.EPOCH], nodejs[header.MODULARITYLABEL]) == ("1", "nodejs:18")
    assert header.SOURCERPM not in nodejs


def test_arguments(path: Path) -> None:
    """All packages are queried, with a tag in each column."""
    write(path, r"""printf '%s\t' "$@" >&2; exit 1""")
    said = refused()
    assert "-qa\t--qf\t%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}" in said


def test_none(path: Path) -> None:
    """A host without packages has none."""
    write(path, "exit 0")
    assert list(query_packages()) == []


def test_other_bytes(path: Path) -> None:
    """Bytes that are not UTF-8 are escaped, and do not hide the package."""
    write(path, r"printf 'b\377sh\t(none)\t1\t1\n'")
    (package,) = query_packages()
    assert package[header.NAME] == "b\\xffsh"


def test_failed(path: Path) -> None:
    """If rpm fails, the first line of its error is the reason; packages that it has printed are not used."""
    write(path, f"printf '{BASH}'", "echo 'error: cannot open Packages' >&2", "echo more >&2", "exit 1")
    assert refused() == "rpm -qa: error: cannot open Packages"
    write(path, "exit 7")
    assert refused() == "rpm -qa: it failed"


def test_absent(path: Path) -> None:
    """A host without rpm is an error."""
    assert not path.exists()
    assert refused().startswith("rpm -qa: ")


def test_endless(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If rpm does not end in time, that is the reason."""
    monkeypatch.setattr("patches.scanner.inventory.rpm_query._SECONDS", 0.1)
    write(path, "while :; do :; done")
    assert "timed out after 0.1 seconds" in refused()
