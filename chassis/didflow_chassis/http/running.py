"""What the HTTP side needs of the process that it runs in: reads, the stage, and who a token belongs to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from didflow_chassis.decision import Caller, Command
from didflow_chassis.service import Service
from didflow_chassis.stage.once import Answer, Once, Result

Answering = Callable[[Sequence[Result]], Answer]


class Reads(Protocol):
    """The service's database, for reading."""

    async def fetch(self, statement: sa.Select[Any]) -> list[Any]:
        """Run one statement and return its rows. Raises Outage."""


class Commands(Protocol):
    """The stage, for commands."""

    async def command(
        self, commands: Sequence[Command], *, once: Once, actor: str, answer: Answering
    ) -> Answer:
        """Decide all commands in one transaction and keep the answer with them.

        `answer` is pure and is given one result for each command, in order.
        Raises IdempotencyConflict, Outage, Transient.
        """


class Authenticates(Protocol):
    """Who tells callers from their tokens."""

    async def caller(self, token: str) -> Caller:
        """Return whose token this is. Raises Problem `token_invalid`, `token_expired` or `unavailable`."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service with what it runs on."""

    service: Service
    database: Reads
    stage: Commands
    authenticator: Authenticates
