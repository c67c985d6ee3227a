"""What the HTTP side needs from the process that it runs in: reads, the stage, and the owner of a token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from didflow_chassis.decision import Caller, Command
from didflow_chassis.http.streams import Streams
from didflow_chassis.service import Service
from didflow_chassis.sources import InForce, open_sources
from didflow_chassis.stage.call import Call
from didflow_chassis.stage.operations import Operation

R = TypeVar("R")


class Reads(Protocol):
    """The reads of the database of the service."""

    async def read(self, statement: sa.Select[Any], caller: Caller) -> list[Any]:
        """Run one statement within the reach of a caller and return its rows. Raises Outage."""


class WriteDatabase(Protocol):
    """The database of the service, for single statements that no policy limits. Routes do not read with it."""

    async def fetch(self, statement: Any, *values: Any) -> list[Any]:
        """Run one statement and return its rows. Raises Outage."""


class CommandStage(Protocol):
    """The stage, for commands and operations."""

    async def command(self, commands: Sequence[Command], call: Call[R], *, is_batch: bool = False) -> R:
        """Decide all commands in one transaction, which also stores the result of the call.

        Raises IdempotencyConflict, Outage, Transient.
        """

    async def operate(self, operation: Operation, call: Call[R]) -> R:
        """Run an operation in one transaction, which also stores the result of the call.

        Raises IdempotencyConflict, Outage.
        """


class TokenVerifier(Protocol):
    """Finds the caller that a token belongs to."""

    def remembered(self, token: str) -> Caller | None:
        """Return the caller of a token that was accepted recently, without verifying it again, else None."""

    def claimant(self, token: str) -> tuple[str, str] | None:
        """Return account and subject that a token claims, unverified, if a token of theirs was accepted recently."""

    async def caller(self, token: str) -> Caller:
        """Return the caller. Raises Problem `token_invalid`, `token_expired` or `unavailable`."""

    def seconds_left(self, token: str) -> float:
        """Return in how many seconds an accepted token expires."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """A service and what it runs on. Without `streams`, routes that stream events answer `unavailable`."""

    service: Service
    database: WriteDatabase
    reads: Reads
    stage: CommandStage
    authenticator: TokenVerifier
    sources: InForce = open_sources
    streams: Streams | None = None
