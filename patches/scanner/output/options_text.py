"""The options that hold, as text: a file of options in TOML, with the origin of each behind it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from patches.service.places.setting_places import resolved_settings
from patches.settings import Given, Setting
from patches.wording import printable

#: In place of the text of an option that may contain a password.
_HIDDEN = "(hidden)"


def options_text(
    settings: Iterable[Setting], given: Mapping[str, str | None], found: Mapping[str, Given]
) -> Iterator[str]:
    """
    Yield a line for each option, aligned; one that is not given and has no default is commented out.

    :param given: the texts of the command line, by the name of the option.
    :param found: those of files and variables.
    """
    rows = []
    for each in resolved_settings(settings, given, found):
        setting = each.setting
        if each.text is None:
            rows.append((f"#{setting.name} =", ""))
            continue
        value = each.text if setting.is_flag else json.dumps(_HIDDEN if setting.secret else printable(each.text))
        rows.append((f"{setting.name} = {value}", each.origin))
    width = max((len(left) for left, _ in rows), default=0)
    for left, origin in rows:
        yield f"{left:{width}}  # {origin}" if origin else left
