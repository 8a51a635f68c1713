"""The packages of the running host from the output of ``rpm -qa``: the last resort, run once per scan."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping

from patches.scanner.inventory import InventoryError
from patches.scanner.inventory import rpm_header as header

_TAGS = {
    "NAME": header.NAME,
    "EPOCHNUM": header.EPOCH,
    "VERSION": header.VERSION,
    "RELEASE": header.RELEASE,
    "ARCH": header.ARCH,
    "SOURCERPM": header.SOURCERPM,
    "VENDOR": header.VENDOR,
    "MODULARITYLABEL": header.MODULARITYLABEL,
}
_FORMAT = "\\t".join(f"%{{{name}}}" for name in _TAGS) + "\\n"
_SECONDS = 120


def query_packages() -> Iterator[Mapping[int, str]]:
    """
    Run ``rpm -qa`` and parse its output.

    :return: the tags of each package, as :func:`~patches.scanner.inventory.rpm_header.read_header` returns them.
    :raises InventoryError: if rpm is not installed, fails, or does not end in time.
    """
    try:
        ran = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            ["rpm", "-qa", "--qf", _FORMAT],  # noqa: S607 - found on the PATH, as for any user
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InventoryError(f"rpm -qa: {error}") from error
    if ran.returncode != 0:
        raise InventoryError(f"rpm -qa: {(ran.stderr.strip() or 'it failed').splitlines()[0][:200]}")
    return map(_tags, ran.stdout.splitlines())


def _tags(line: str) -> Mapping[int, str]:
    values = dict(zip(_TAGS.values(), line.split("\t"), strict=False))
    return {tag: value for tag, value in values.items() if value != "(none)"}
