"""
One run of ``patches`` that tells where its CPU time goes, for :mod:`benchmarks.host`.

The last line of standard error is a JSON object: seconds by part. What is counted is not counted twice.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

_PARTS = {
    "patches.scanner.scan_inputs": {"target_of": "inventory"},
    "patches.scanner.scan": {"read_host_inventory": "inventory"},
    "patches.scanner.client.http_client": {"_decoded": "inflate and digest"},
    "patches.scanner.client.verified_stream": {"decode_naming": "decoding"},
    "patches.scanner.output.screen": {"Screen.show": "output"},
    "patches.scanner.matching.matcher": {"Matcher.match": "matching"},
}
_spent: dict[str, float] = {}
_inside = 0.0


def _counted(part: str, seconds: float, before: float) -> None:
    """Add the seconds of a part, but for those of the parts inside it."""
    global _inside
    own = seconds - (_inside - before)
    _spent[part] = _spent.get(part, 0.0) + own
    _inside = before + seconds


def timed(function: Callable[..., Any], part: str) -> Callable[..., Any]:
    """Return a function that counts the CPU time of a function, and of each step of the iterator that it returns."""

    def count(*arguments: Any, **named: Any) -> Any:
        started, before = time.process_time(), _inside
        try:
            found = function(*arguments, **named)
        finally:
            _counted(part, time.process_time() - started, before)
        return steps(found) if hasattr(found, "__next__") else found

    def steps(found: Any) -> Any:
        while True:
            started, before = time.process_time(), _inside
            each = next(found, None)
            _counted(part, time.process_time() - started, before)
            if each is None:
                return
            yield each

    return count


def main() -> None:
    """Run the command line, with its parts counted."""
    import importlib

    from patches.cli.main import main as commands
    from patches.cli.plain_traffic import settle_tls, withhold_standard_tls

    withhold_standard_tls()
    # as the command does, before the modules are imported
    settle_tls(any(word.startswith("https://") for word in sys.argv))
    for module_name, names in _PARTS.items():
        module = importlib.import_module(module_name)
        for name, part in names.items():
            owner, _, attribute = name.rpartition(".")
            place = getattr(module, owner) if owner else module
            setattr(place, attribute, timed(getattr(place, attribute), part))
    _spent["start-up"] = time.process_time()
    try:
        commands()
    finally:
        rest = time.process_time() - sum(_spent.values())
        parts = {**_spent, "sessions, transfer and the rest": rest}
        print(json.dumps({part: round(seconds, 3) for part, seconds in parts.items()}), file=sys.stderr)


if __name__ == "__main__":
    main()
