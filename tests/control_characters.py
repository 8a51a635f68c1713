"""Texts that do harm where they are shown, and values with such a text in every field."""

from __future__ import annotations

from typing import Any, TypeVar

import attrs
from hypothesis import strategies as st

from patches.vulnerability import FixedPackage, Vulnerability

T = TypeVar("T")

#: A screen that is cleared, a title, a link and a clipboard that are set, text that runs backwards or is not seen.
HARMFUL = (
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.test\x1b\\link",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b31m",
    "\x9d0;title\x9c",
    "\r\n\x00\x08\x7f\x85",
    "\u202e\u202d\u2066\u2069\u200e\u200f\u061c",
    "\u2028\u2029",
    "\u200b\u200d\u2060\ufeff",
    "\U000e0001\U000e0041\U000e007f",
    "\ud800",
    "[bold red]:bomb:[/]",
)
harmful_texts = st.lists(
    st.sampled_from(HARMFUL) | st.text(st.characters(blacklist_categories=()), max_size=5), min_size=1, max_size=3
).map("".join)


def all_fields(value: T, text: str, **fixed: Any) -> T:
    """Return a value of attrs in which each field of text, or of texts, has this text after its own."""
    changed: dict[str, Any] = {}
    for field in attrs.fields(type(value)):  # type: ignore[arg-type]
        kind, own = str(field.type), getattr(value, field.name)
        if field.name in ("kind", "status", "kev"):  # these have no free text
            continue
        if kind in ("str", "str | None"):
            changed[field.name] = f"{own or ''}{text}"
        elif kind.startswith("tuple[str, ...]"):
            changed[field.name] = tuple(f"{each}{text}" for each in own or ("x",))
    return attrs.evolve(value, **changed, **fixed)  # type: ignore[type-var]


def harmful_record(text: str, record: Vulnerability | None = None) -> Vulnerability:
    """Return a record with this text in every field."""
    record = record or Vulnerability("CVE-2024-1234", "debian-12", (FixedPackage("curl", "1.0"),))
    return all_fields(record, text, fixed_in=tuple(all_fields(each, text) for each in record.fixed_in))
