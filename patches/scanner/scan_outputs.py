"""The outputs of ``patches scan`` that its options ask for."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

from patches.scanner.options import OutputSettings
from patches.scanner.output.destinations import STANDARD_OUTPUT, open_destination
from patches.scanner.output.formats import FORMATS, TEMPLATE
from patches.scanner.output.screen import PlannedOutput
from patches.scanner.output.tables.template import BadTemplate, UserTemplate
from patches.scanner.output.tables.view import BadView, View
from patches.settings import BadSetting
from patches.storage.atomic_file import Unwritable

#: What may be meant as the name of a format.
_WORD = re.compile(r"[A-Za-z][A-Za-z-]*\Z")


def view_of(settings: OutputSettings) -> View:
    """
    Return the rows that the options ask for.

    :raises BadSetting: if the rows do not have such a column.
    """
    view = View(
        settings.by,
        settings.columns or (),
        settings.sort_by,
        settings.severity,
        settings.only_fixed,
        settings.kev,
    )
    try:
        view.check()
    except BadView as error:
        raise BadSetting(f"--columns, --sort-by: {error}") from error
    return view


def planned_outputs(settings: OutputSettings, stack: ExitStack) -> tuple[PlannedOutput, ...]:
    """
    Return the documents that the options ask for, with their files open.

    :param stack: closes the files at its end.
    :raises BadSetting: if a file cannot be written, or two documents go to the same place.
    """
    planned: list[PlannedOutput] = []
    for text in settings.output or ("-",):
        form, place = _form_and_place(text, settings.format)
        if _canonical(place) in {_canonical(each.place) for each in planned}:
            raise BadSetting(f"--output {place}: two documents cannot go to the same place")
        try:
            template = _template(form)
            planned.append(PlannedOutput(form, open_destination(place, stack), place, template))
        except Unwritable as error:
            raise BadSetting(f"--output {error}") from error
    return tuple(planned)


def _form_and_place(text: str, form: str) -> tuple[str, str]:
    """
    Return the format and the place of an output; a text that begins with no format is a place.

    The place of a template's output follows the last ``=``, as its path may have others.
    """
    if text.startswith(TEMPLATE) and text.count("=") > 1:
        template, _, place = text.rpartition("=")
        return template, place
    told, equals, place = text.partition("=")
    if equals and told not in FORMATS and _WORD.match(told):
        names = ", ".join(FORMATS)
        raise BadSetting(
            f"--output {text}: there is no format {told!r}, but {names}; for a file of that name, ./{text}"
        )
    return (told, place) if equals and told in FORMATS else (form, text)


def _template(form: str) -> UserTemplate | None:
    """Return the template that a format names; ``None`` if it is another format."""
    if not form.startswith(TEMPLATE):
        return None
    try:
        return UserTemplate.read(Path(form.removeprefix(TEMPLATE)))
    except BadTemplate as error:
        raise BadSetting(f"--format {TEMPLATE}: {error}") from error


def _canonical(place: str) -> str:
    return STANDARD_OUTPUT[0] if place in STANDARD_OUTPUT else place
