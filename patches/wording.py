"""The wording of messages of all programs: numbers with their nouns, and the errors of files."""

from __future__ import annotations

from typing import Final

NO_FILE: Final = "there is no such file"
NO_FOLDER: Final = "there is no such folder"


def file_problem(error: OSError, missing: str = NO_FILE) -> str:
    """
    Return the reason why a file cannot be used, without its path.

    :param missing: the words for a path that does not exist: :data:`NO_FOLDER` where a file is to be created, as it is
        the folder that is missing.
    """
    return missing if isinstance(error, FileNotFoundError) else error.strerror or str(error)


def printable(text: str) -> str:
    """
    Return a text in which each character that cannot be printed, such as a line feed, is a visible escape: ``\\n``.

    These are the characters of the Unicode categories *Other* and *Separator*, except the blank: controls, what
    reorders text, what has no width, lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def one_line(error: BaseException) -> str:
    """Return an error that nobody expected as one line: its kind and the first line of its text."""
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    first = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {printable(first)[:300]}" if first else type(error).__name__


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """
    Return a number with its noun, in the plural unless the number is 1: ``1 entry``, ``2 entries``, ``0 lists``.

    :param noun: in the singular.
    :param plural: ``None``: the regular one.
    """
    if number == 1:
        return f"1 {noun}"
    if plural is None:
        ends_with_y = noun.endswith("y") and noun[-2:-1] not in "aeiou"
        plural = f"{noun[:-1]}ies" if ends_with_y else f"{noun}s"
    return f"{number} {plural}"
