"""``patches catalogue export``, ``import`` and ``keygen``; each function returns its exit code."""

from __future__ import annotations

import time
from pathlib import Path

from patches.server.admin.commands import DONE, NotFound, chosen_snapshots, exit_codes
from patches.server.admin.open_catalogue import open_catalogue
from patches.server.admin.options import ExportSettings, ImportSettings
from patches.server.catalogue.bundle.manifest import BadBundle
from patches.server.catalogue.bundle.reader import BundleReader
from patches.server.catalogue.bundle.writer import write_bundle
from patches.signing import SigningKey, VerifyKey, create_keys
from patches.wire import rfc3339
from patches.wording import counted, file_problem, printable

#: How far the other machine's clock may be ahead, in seconds.
_AHEAD_SECONDS = 86400


@exit_codes
def run_export(settings: ExportSettings, path: Path) -> int:
    """Write current snapshots into a bundle."""
    key = SigningKey.from_file(settings.signing_key) if settings.signing_key is not None else None
    with open_catalogue(settings.catalogue) as catalogue:
        chosen = chosen_snapshots(catalogue, settings.choice.platforms)
        if not chosen:
            raise NotFound("the catalogue has no list")
        size = write_bundle(catalogue, chosen, path, key)
    signed = "signed" if key is not None else "not signed"
    print(f"{path}: {counted(len(chosen), 'list')}, {counted(size, 'byte')}, {signed}")
    return DONE


@exit_codes
def run_import(settings: ImportSettings, path: Path) -> int:
    """
    Make the snapshots of a bundle current.

    The bundle is read twice: a bad one changes nothing, and nobody waits for a database lock while it is verified.
    """
    key = VerifyKey.from_file(settings.verify_key) if settings.verify_key is not None else None
    now = time.time()
    try:
        with path.open("rb") as file:
            _verify(BundleReader.begin(file, key), now)
            file.seek(0)
            reader = BundleReader.begin(file, key)
            with open_catalogue(settings.catalogue, make=True) as catalogue:
                adopted = catalogue.adopt(reader.snapshots(), now, settings.force)
    except OSError as error:
        raise BadBundle(f"{path}: {file_problem(error)}") from error
    except BadBundle as error:
        raise BadBundle(f"{path}: {error}") from error
    for snapshot in adopted:
        about = f"{counted(snapshot.vulnerabilities, 'vulnerability')}, checked {rfc3339(snapshot.checked)}"
        print(printable(f"{snapshot.platform}: {snapshot.revision} is current: {about}"))
    if key is None:
        print("the signature was not verified" if reader.signed else "the bundle is not signed")
    return DONE


@exit_codes
def run_keygen(path: Path) -> int:
    """Create a key pair."""
    public = create_keys(path)
    print(f"Private key: {path} (keep it secret). Public key: {public}")
    return DONE


def _verify(reader: BundleReader, now: float) -> None:
    """Read a bundle to its end, and verify it."""
    for snapshot, chunks in reader.snapshots():
        if max(snapshot.created, snapshot.checked) > now + _AHEAD_SECONDS:
            raise BadBundle(f"{snapshot.platform}: its times are in the future")
        for _ in chunks:
            pass
