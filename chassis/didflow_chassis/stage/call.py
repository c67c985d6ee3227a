"""A call of the stage: what makes a batch of commands happen once, and what is stored together with its effects.

There are three kinds of calls. An HTTP call is claimed by its idempotency key, and stores its answer under it. A chunk
of a job (`didflow_chassis.jobs.chunk`) is claimed by the position of the job, and moves the position. A local call
comes from a command line and stores nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_chassis.stage.idempotency import Answer, IdempotencyKey, claim, store
from didflow_contracts.ids import derived_id, uuid7

R_co = TypeVar("R_co", covariant=True)

CommandDecision = Decided[Any] | Unchanged | Refused
"""The decision on a command. A command is never too early: it is refused as `not_ready`."""

MakeAnswer = Callable[[Sequence[CommandDecision]], Answer]


class Call(Protocol[R_co]):
    """One call of `Stage.command`, with a result of type R."""

    @property
    def origin(self) -> str:
        """`http`, `job` or `local`."""

    @property
    def key(self) -> IdempotencyKey | None:
        """The key from which the ids of the events are derived, if there is one."""

    @property
    def actor(self) -> str:
        """The actor of the events."""

    @property
    def correlation_id(self) -> str:
        """The correlation id of entities that the commands create. It is the same in every attempt."""

    async def claim(self, connection: Any) -> R_co | None:
        """Claim the call for this transaction, before anything else. Return the result if it was done before."""

    async def finish(self, connection: Any, decisions: Sequence[CommandDecision]) -> R_co:
        """Store the result in the same transaction and return it. There is one decision for each command."""


@dataclass(frozen=True, kw_only=True)
class HttpCall:
    """An HTTP call. `answer` is pure: it builds the answer from one decision for each command, in order."""

    key: IdempotencyKey
    actor: str
    answer: MakeAnswer
    origin: str = "http"

    @cached_property
    def correlation_id(self) -> str:
        """The same for every retry under a key."""
        key = self.key
        return str(derived_id(*key.identity) if key.value else uuid7())

    async def claim(self, connection: Any) -> Answer | None:
        """Return the stored answer if the call was answered before. Raises IdempotencyConflict."""
        return await claim(connection, self.key)

    async def finish(self, connection: Any, decisions: Sequence[CommandDecision]) -> Answer:
        """Store the answer under the key and return it."""
        answer = self.answer(decisions)
        await store(connection, self.key, answer)
        return answer


@dataclass(frozen=True, kw_only=True)
class LocalCall:
    """A call from a command line. It has no key, and its result is the decisions on its commands."""

    actor: str
    origin: str = "local"
    key: None = None

    @cached_property
    def correlation_id(self) -> str:
        """A new id."""
        return str(uuid7())

    async def claim(self, connection: Any) -> None:  # noqa: ARG002 - there is nothing to claim
        """Claim nothing."""
        return

    async def finish(
        self,
        connection: Any,  # noqa: ARG002 - nothing is stored
        decisions: Sequence[CommandDecision],
    ) -> Sequence[CommandDecision]:
        """Return the decisions."""
        return decisions
