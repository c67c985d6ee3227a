"""The reads of HTTP: each runs in a transaction that has the reach of its caller, as a role that can only read.

A policy of each table compares with the reach (see `row_access`). Its sessions have no reach of their own, so a read
without one returns no rows. The stage has a pool of its own, without policies: it must see all rows.
"""

from typing import Any, Final

import asyncpg
import sqlalchemy as sa

from didflow_chassis.database import DRIVER_ERRORS, Database, Outage, classify, compile_statement
from didflow_chassis.decision import Caller
from didflow_chassis.row_access import SETTING, reach_of

_SETTINGS: Final = {"default_transaction_read_only": "on", "plan_cache_mode": "force_custom_plan"}
"""Each read is planned for its caller: a plan for any caller would suit neither large accounts nor small ones."""


class ReadingDatabase(Database):
    """The pool that HTTP reads from. Without a `role`, it reads as the service's own role: for development only."""

    def __init__(
        self,
        dsn: str,
        *,
        application: str,
        role: str | None,
        size: int = 8,
        statement_timeout_ms: int = 30_000,
    ) -> None:
        also = _SETTINGS | ({} if role is None else {"role": role})
        super().__init__(
            dsn, application=application, size=size, statement_timeout_ms=statement_timeout_ms, also=also
        )

    async def read(self, statement: sa.Select[Any], caller: Caller) -> list[Any]:
        """Run one statement within the reach of a caller and return its rows. Raises Outage.

        It takes three round trips: the reach goes to the server together with BEGIN.
        """
        text, values = compile_statement(statement)
        # As hexadecimal digits, because a statement that begins a transaction takes no parameters.
        reach = f"convert_from(decode('{reach_of(caller).encode().hex()}', 'hex'), 'UTF8')"
        begin = f"BEGIN READ ONLY; SELECT set_config('{SETTING}', {reach}, true)"
        try:
            async with self.pool.acquire(timeout=self.timeout_s) as connection:
                return await _in_transaction(connection, begin, text, values)
        except DRIVER_ERRORS as error:
            meaning = classify(error)
            if isinstance(meaning, Outage):
                raise meaning from error
            raise


async def _in_transaction(connection: Any, begin: str, text: str, values: list[Any]) -> list[Any]:
    """Run a statement in a transaction. A connection whose transaction may be open is closed."""
    try:
        await connection.execute(begin)
        rows: list[Any] = await connection.fetch(text, *values)
        await connection.execute("COMMIT")
    except asyncpg.PostgresError:
        await _ended(connection, "ROLLBACK")
        raise
    except BaseException:
        connection.terminate()
        raise
    return rows


async def _ended(connection: Any, how: str) -> None:
    try:
        await connection.execute(how)
    except BaseException:
        connection.terminate()
        raise
