"""Tests for :mod:`patches.service.commit`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from unittest import skipIf

from twisted.trial.unittest import SynchronousTestCase

from patches import __version__
from patches.service.commit import commit_of, version_text


class CommitTests(SynchronousTestCase):
    """The commit of a package."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        (self.folder / "patches").mkdir(parents=True)

    def git(self, *words: str) -> str:
        """Run git in the repository."""
        options = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com"]
        ran = subprocess.run(["git", *options, *words], cwd=self.folder, capture_output=True, text=True, check=True)
        return ran.stdout.strip()

    def test_file(self) -> None:
        """An installed package has it in a file."""
        (self.folder / "patches/COMMIT").write_text("a" * 40 + "\n")
        self.assertEqual(commit_of(self.folder / "patches"), "a" * 40)

    def test_unknown(self) -> None:
        """Without a file and a repository it is not known, nor if they have anything else."""
        self.assertIsNone(commit_of(self.folder / "patches"))
        for path, text in (("patches/COMMIT", "x"), (".git/HEAD", "ref: refs/heads/none\n"), (".git/HEAD", "\udcff")):
            (self.folder / path).parent.mkdir(exist_ok=True)
            (self.folder / path).write_bytes(text.encode("utf-8", "surrogateescape"))
            self.assertIsNone(commit_of(self.folder / "patches"))
            (self.folder / path).unlink()

    @skipIf(shutil.which("git") is None, "needs git")
    def test_repository(self) -> None:
        """It is read of a repository: on a branch, of packed references, on none, and in another worktree."""
        self.git("init", "--quiet")
        self.git("commit", "--quiet", "--allow-empty", "--message", "The first one")
        first = self.git("rev-parse", "HEAD")
        self.assertEqual(commit_of(self.folder / "patches"), first)
        self.git("pack-refs", "--all")
        self.assertEqual(commit_of(self.folder / "patches"), first)
        self.git("worktree", "add", "--quiet", "other", "-b", "branch")
        self.assertEqual(commit_of(self.folder / "other/patches"), first)
        self.git("checkout", "--quiet", "--detach")
        self.assertEqual(commit_of(self.folder / "patches"), first)

    def test_text(self) -> None:
        """The version is first, and is there also if the commit is not known."""
        self.assertTrue(version_text().startswith(__version__))
