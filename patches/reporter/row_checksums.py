"""
The checksums of rows: what is known of a host is shown only as it was stored.

Each row has the CRC-32 of its values, which finds any flipped bit. A row that is lost, as its key has changed, is found
by the counts of findings in the row about them. Whoever finds damage forgets the whole host: its next report has all.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, Table, and_, func, inspect, select, update
from sqlalchemy.schema import CreateColumn

from patches.vulnerability import Severity

#: The rows that are in memory at once.
_BATCH = 500
#: The names of the columns of checksums, and of counts of findings by severity.
CRC, SEVERITIES = "crc", "severities"


class HostDamaged(Exception):
    """
    The rows of a host are not as they were stored.

    :ivar host: its name.
    """

    def __init__(self, host: str) -> None:
        super().__init__(f"the rows of {host} are damaged")
        self.host = host


def checksum(values: Mapping[Any, Any]) -> int:
    """Return the checksum of a row, by the names of its columns; that of a checksum is left out."""
    content = [values[name] for name in sorted(values) if name != CRC]
    return zlib.crc32(repr(content).encode("utf-8", "surrogatepass"))


def with_checksum(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a new row with its checksum; columns that are not given are empty."""
    whole = {column.name: values.get(column.name) for column in table.c}
    return {**whole, CRC: checksum(whole)}


def is_whole(row: Row[Any]) -> bool:
    """Return whether a row, with all its columns, is as it was stored."""
    return bool(row._mapping[CRC] == checksum({**row._mapping}))


def verified_rows(connection: Connection, query: Select[Any], host: str) -> Iterator[Row[Any]]:
    """
    Yield rows of a host, all columns of a table.

    :raises HostDamaged: at one that is not as it was stored.
    """
    try:
        for row in connection.execute(query).yield_per(_BATCH):
            if not is_whole(row):
                raise HostDamaged(host)
            yield row
    except (ValueError, TypeError) as error:  # a time that is none
        raise HostDamaged(host) from error


def severities_of(connection: Connection, findings: Table, host: str) -> str:
    """Count the findings of a host by severity. Return the counts as JSON."""
    columns = findings.c
    query = select(columns.severity, func.count()).where(columns.host == host).group_by(columns.severity)
    return json.dumps({str(severity): count for severity, count in connection.execute(query)})


def counts_by_severity(severities: str) -> dict[str, int]:
    """Return the number of findings by the names of severities, of which there may be none."""
    found: dict[str, int] = json.loads(severities)
    return {severity.name.lower(): found.get(str(int(severity)), 0) for severity in Severity}


def add_columns(connection: Connection, tables: tuple[Table, ...]) -> None:
    """Add the columns of checksums and counts to tables that lack them."""
    for table in tables:
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in table.c:
            if column.name in (CRC, SEVERITIES) and column.name not in there:
                _add(connection, table, column)


def _add(connection: Connection, table: Table, column: Column[Any]) -> None:
    definition = CreateColumn(column).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {definition}")


def fill_columns(connection: Connection, pairs: Mapping[Table, Table], others: tuple[Table, ...]) -> None:
    """
    Compute counts and checksums of what an earlier version has stored.

    :param pairs: the tables that have counts, and of which table each counts the findings.
    """
    for table, findings in pairs.items():
        for host in connection.execute(select(table.c.host).distinct()).scalars().all():
            told = {SEVERITIES: severities_of(connection, findings, host)}
            connection.execute(update(table).where(table.c.host == host).values(told))
    for table in (*pairs, *others):
        for row in connection.execute(select(table)).all():
            key = and_(*(column == row._mapping[column.name] for column in table.primary_key))
            connection.execute(update(table).where(key).values({CRC: checksum({**row._mapping})}))
