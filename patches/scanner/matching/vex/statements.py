"""The statements of a VEX document, in OpenVEX's words, and the decisions about findings that follow from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from attrs import frozen
from packageurl import PackageURL

from patches.scanner.matching.ignores import Ignore
from patches.scanner.matching.purls import TYPES

#: OpenVEX's keywords for why a product is not affected.
JUSTIFICATIONS = (
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
)
#: The statuses that need no action, so that the finding is ignored.
SETTLED = ("not_affected", "fixed")
#: The time of a statement if neither it nor its document has a time: every other statement is newer.
FIRST = datetime.min.replace(tzinfo=UTC)
#: The most pairs of a vulnerability and a product in a document; each may be a decision that is kept.
MOST_PAIRS = 100_000
#: The longest reason, in characters, that is taken from a document.
LONGEST_REASON = 500


class BadVex(ValueError):
    """A VEX document is invalid; the text names the statement, in one line."""


@frozen
class NamedProduct:
    """
    A product of a statement that Patches can identify.

    :ivar purl: the package.
    :ivar platform: the only platform on which the statement holds; ``None`` if it holds on each.
    """

    purl: PackageURL
    platform: str | None = None


@frozen
class Statement:
    """
    A statement about one vulnerability.

    :ivar number: its place in the document: of two with the same time, the later one replaces the other.
    :ivar names: the id of the vulnerability, then its aliases.
    :ivar products: empty if none of them is a package of a distribution.
    """

    number: int
    status: str
    names: tuple[str, ...]
    products: tuple[NamedProduct, ...]
    reason: str
    justification: str | None
    told: datetime


def decisions_of(statements: Sequence[Statement], is_ordered: bool = False) -> Iterator[Ignore]:
    """
    Yield the newest statement about each pair of vulnerability and product, the newest first.

    A statement that something is affected revokes older ones, also about a product that is named otherwise and is the
    same package: with its version, without it, or by its source. Of two with the same time it goes first, too.

    :param is_ordered: whether of two statements with the same time the later one replaces the other.

    An alias may be the name of an advisory about several vulnerabilities, while the statement means only one of them.
    Such a decision therefore applies only to a finding whose vulnerability id is the alias itself.

    :raises BadVex: if there are more than :data:`MOST_PAIRS`.
    """
    decided = set()

    def newness(each: Statement) -> tuple[datetime, bool, int]:
        return each.told, not is_ordered and each.status not in SETTLED, each.number

    for statement in sorted(statements, key=newness, reverse=True):
        for name in statement.names:
            for product in statement.products:
                if (name, product) in decided:
                    continue
                decided.add((name, product))
                if len(decided) > MOST_PAIRS:
                    raise BadVex(f"more than {MOST_PAIRS:,} pairs of a vulnerability and a product")
                yield _decision(statement, name, product)


def _decision(statement: Statement, name: str, product: NamedProduct) -> Ignore:
    return Ignore(
        name,
        None,
        statement.reason,
        None,
        product.purl,
        name != statement.names[0],
        statement.status,
        statement.justification,
        product.platform,
        statement.status not in SETTLED,
    )


def unidentified_in(statements: Iterable[Statement]) -> int:
    """Return the number of statements that would be decisions, but name no package that Patches can identify."""
    return sum(statement.status in SETTLED and not statement.products for statement in statements)


def reason_of(texts: Iterable[str | None], status: str) -> str:
    """Return the first text that is not empty, in one line and within :data:`LONGEST_REASON`; else the status."""
    lines = (" ".join((text or "").split()) for text in texts)
    reason = next((line for line in lines if line), f"{status.replace('_', ' ')}, by VEX")
    return reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}…"


class PackagePurls:
    """The purls of packages in a document, each parsed once."""

    def __init__(self) -> None:
        self._parsed: dict[str, PackageURL] = {}

    def parse(self, text: str, where: str) -> PackageURL:
        """
        Parse a purl.

        :param where: names the place in the document.
        :raises BadVex: if it is not a purl.
        """
        purl = self._parsed.get(text)
        if purl is None:
            try:
                purl = self._parsed[text] = PackageURL.from_string(text)
            except (ValueError, TypeError) as error:
                raise BadVex(f"{where}: not a purl: {shortened(text)}") from error
        return purl


def is_package(purl: PackageURL) -> bool:
    """Return whether a purl names a package of a distribution."""
    return purl.type in TYPES.values()


def time_in(value: object, where: str) -> datetime | None:
    """
    Parse the time of a statement.

    :param value: ``None``: it has no time.
    :raises BadVex: if it is not a time.
    """
    if value is None:
        return None
    try:
        told = datetime.fromisoformat(value)  # type: ignore[arg-type] # a TypeError is an answer, too
    except (TypeError, ValueError) as error:
        raise BadVex(f"{where}: not a time: {shortened(repr(value))}") from error
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)


def shortened(text: str) -> str:
    """Return a text of a document for a message: without line breaks, and not long."""
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:99]}…"
