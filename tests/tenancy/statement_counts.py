"""How many statements each request sends to the databases, also while other requests run."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from didflow_chassis.testing import ServiceOnPostgres

_STATEMENTS: Final[ContextVar[list[str] | None]] = ContextVar("statements", default=None)
_OF_THE_DRIVER: Final = ("typeinfo", "current_setting('jit')")
"""The driver asks once for the types of a new connection."""


def count_statements(opened: ServiceOnPostgres) -> None:
    """Count the statements of every connection of a service from now on."""
    for database in (opened.database, opened.reads):
        for holder in database.pool._holders:
            holder._setup = _log_queries


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements of the requests that this task sends in the block."""
    found: list[str] = []
    token = _STATEMENTS.set(found)
    try:
        yield found
    finally:
        _STATEMENTS.reset(token)


async def all_logged() -> None:
    """Wait until the statements that were sent are collected: the driver reports each one a turn later."""
    await asyncio.sleep(0)


async def _log_queries(connection: Any) -> None:
    connection._con.add_query_logger(_add)


def _add(query: Any) -> None:
    found = _STATEMENTS.get()
    if found is not None and not any(text in query.query for text in _OF_THE_DRIVER):
        found.append(query.query)
