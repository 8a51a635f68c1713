"""A case with bundles of a catalogue, which a test can take apart and put together."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from patches.server.catalogue.bundle.reader import BundleReader
from patches.server.catalogue.snapshot import Snapshot
from patches.signing import VerifyKey
from tests.server.catalogue_case import CommandCase

Member = tuple[str, bytes]


def members(data: bytes) -> list[Member]:
    """Return the members of a bundle."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return [(each.name, tar.extractfile(each).read()) for each in tar]  # type: ignore[union-attr]


def bundle(parts: Iterable[Member]) -> bytes:
    """Create a bundle of members, in the format of an export."""
    made = b""
    for name, content in parts:
        about = tarfile.TarInfo(name)
        about.size = len(content)
        made += about.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)
    return made + bytes(1024)


def read(data: bytes, key: VerifyKey | None) -> list[Snapshot]:
    """Read a bundle to its end; return its snapshots that have chunks."""
    return [snapshot for snapshot, chunks in BundleReader.begin(io.BytesIO(data), key).snapshots() if list(chunks)]


class BundleCase(CommandCase):
    """A case with a catalogue of two lists, and a second folder to import them into."""

    def setUp(self) -> None:
        super().setUp()
        self.big, self.small = self.publish(3000), self.publish(3, "alpine-3.20")
        self.file = Path(self.mktemp())
        self.there = Path(self.mktemp())
        self.other = self.make(self.there)

    def export(self, *words: str) -> bytes:
        """Export a bundle, and return its bytes."""
        ran = self.run_command("export", str(self.file), *words)
        self.assertEqual((ran.exit_code, ran.stderr), (0, ""))
        return self.file.read_bytes()

    def refused(self, data: bytes, *words: str) -> str:
        """Import a bundle that is refused, check that nothing changes, and return the error."""
        before = self.other.snapshots()
        self.file.write_bytes(data)
        said = self.refusal(5, "import", str(self.file), *words, folder=self.there)
        self.assertEqual(self.other.snapshots(), before)
        return said

    def imported(self, *words: str) -> str:
        """Import a bundle that is accepted; return the output."""
        ran = self.run_command("import", str(self.file), *words, folder=self.there)
        self.assertEqual((ran.exit_code, ran.stderr), (0, ""))
        return ran.stdout

    def changed(self, change: Callable[[dict[str, Any]], object]) -> bytes:
        """Return a bundle whose manifest was changed, and its checksum adapted."""
        parts = members(self.export())
        manifest = json.loads(parts[0][1])
        change(manifest)
        text = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        line = f"{hashlib.sha256(text).hexdigest()}  manifest.json\n".encode()
        return bundle([("manifest.json", text), ("manifest.sha256", line), *parts[2:]])


class SignedCase(BundleCase):
    """A case with a pair of keys."""

    def setUp(self) -> None:
        super().setUp()
        self.key = Path(self.mktemp())
        self.assertEqual(self.run_keygen(self.key), 0)
        self.verify = "--verify-key", f"{self.key}.pub"
