"""The titles of vulnerabilities: the first sentence of what a source says about one, for people who read a table."""

from __future__ import annotations

import re
from typing import Any

from patches.wording import printable

#: The most characters of a title.
LONGEST_TITLE = 120
#: What is looked at of a text: it has room for blanks that are removed.
_MOST_READ = 1_000
#: The end of a sentence: not a point within a version, as in 4.1.1, nor one of these abbreviations.
_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bcf)(?<!\baka)(?<!\bInc)(?<!\bCorp)(?<!\bLtd)[.!?](?=\s)")
_MORE = "…"


def title_of(*texts: Any) -> str | None:
    """
    Return a title: the first sentence of the first of several texts that says anything, cut after a whole word.

    :param texts: what a source may have: a summary, a description. What is no text says nothing.
    :return: ``None`` if there is none.
    """
    for text in texts:
        if isinstance(text, str) and (found := _first_sentence(text)):
            return found
    return None


def _first_sentence(text: str) -> str:
    paragraph = text[:_MOST_READ].strip().partition("\n\n")[0]
    line = " ".join(paragraph.split())
    end = _END.search(line)
    sentence = (line[: end.start()] if end is not None else line).rstrip(".")
    return _cut(printable(sentence))


def _cut(sentence: str) -> str:
    if len(sentence) <= LONGEST_TITLE:
        return sentence
    room = sentence[: LONGEST_TITLE - len(_MORE) + 1]
    words = room.rpartition(" ")[0] or room[:-1]
    return words.rstrip(" ,;:") + _MORE
