"""From a carrier command to its result: call the carrier once, remember the outcome, and build the event."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from math import ceil
from time import monotonic
from typing import Any, Final
from uuid import UUID

import structlog

from didflow_adapters.kit.call_limits import CallLimits, CarrierPaused
from didflow_adapters.kit.carrier import Carrier, Failed, Later, Outcome, Succeeded
from didflow_adapters.kit.metrics import Metrics, outcome_label
from didflow_adapters.kit.outcomes import FinalOutcomes, KnownOutcomes
from didflow_adapters.kit.reference import CommandReference
from didflow_contracts.bounds import COUNT, NAME, TEXT
from didflow_contracts.envelope import Event
from didflow_contracts.events import CarrierCommandIssued, ResultReported
from didflow_contracts.ids import uuid7

RATE_LIMITED: Final = "rate_limited"
"""The code of a carrier that asks to wait (HTTP 429). With `retry_after_s`, all calls to the carrier wait."""
_OWN: Final = 100_000
_UNUSABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""NUL and lone surrogates, which no event may contain."""
_LOG = structlog.get_logger(__name__)


class CommandExecutor:
    """Executes the commands of one carrier. A command with a final outcome is not executed again.

    Without `outcomes`, only the outcomes of this process are known.
    """

    def __init__(
        self,
        carrier: Carrier,
        call_timeout_s: float,
        *,
        outcomes: KnownOutcomes | None = None,
        limits: CallLimits | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._carrier = carrier
        self._call_timeout_s = call_timeout_s
        self._outcomes = outcomes
        self._own = FinalOutcomes(_OWN)
        self._limits = limits or CallLimits(_OWN)
        self._metrics = metrics or Metrics()
        self._begun: set[asyncio.Task[Any] | None] = set()

    async def execute(self, command: CarrierCommandIssued, partition: int = 0) -> Outcome:
        """Return the outcome of a command. Calls the carrier if no final outcome is known.

        Raises CancelledError if the partition of the command was revoked, and nothing else.
        """
        known = await self._known(partition, command.command_id)
        if known is not None:
            self._metrics.repeated(self._carrier.name)
            return known
        try:
            async with self._limits.call():
                outcome = await self._timed(command)
        except CarrierPaused as paused:
            return Failed(
                code=RATE_LIMITED, message=str(paused), retryable=True, retry_after_s=paused.seconds
            )
        if isinstance(outcome, Failed) and outcome.code == RATE_LIMITED:
            self._limits.pause(_seconds(outcome.retry_after_s) or 0)
        self._remember(partition, command.command_id, outcome)
        return outcome

    def has_begun(self, task: asyncio.Task[None]) -> bool:
        """Return True if the carrier was called in this task, so that its result must be published."""
        return task in self._begun

    async def _known(self, partition: int, command_id: UUID) -> Outcome | None:
        if self._outcomes is None:
            return self._own.get(command_id)
        return await self._outcomes.get(partition, command_id)

    def _remember(self, partition: int, command_id: UUID, outcome: Outcome) -> None:
        if self._outcomes is None:
            self._own.add(command_id, outcome)
        else:
            self._outcomes.add(partition, command_id, outcome)

    async def _timed(self, command: CarrierCommandIssued) -> Outcome:
        began = monotonic()
        task = asyncio.current_task()
        self._begun.add(task)
        if task is not None:
            task.add_done_callback(self._begun.discard)
        outcome = await self._call(command)
        self._metrics.called(self._carrier.name, command.action, outcome, monotonic() - began)
        _LOG.info(
            "executed a carrier command",
            action=command.action,
            command_id=str(command.command_id),
            attempt=command.attempt,
            outcome=outcome_label(outcome),
            code=getattr(outcome, "code", None),
        )
        return outcome

    async def _call(self, command: CarrierCommandIssued) -> Outcome:
        """Call the method of the action. A timeout, an exception or no outcome is a retryable failure."""
        method: Callable[[CarrierCommandIssued, Any], Awaitable[Outcome]] = getattr(
            self._carrier, command.action
        )
        try:
            async with asyncio.timeout(self._call_timeout_s):
                returned: Any = await method(command, command.parameters)
        except TimeoutError:
            message = f"The carrier did not reply within {self._call_timeout_s:g} s."
            return Failed(code="carrier_timeout", message=message, retryable=True)
        except CarrierPaused:
            raise
        except Exception as error:  # noqa: BLE001 - every command gets a result, whatever the carrier's code raises
            _LOG.exception("the carrier's method failed", action=command.action)
            return Failed(code="adapter_error", message=type(error).__name__, retryable=True)
        if isinstance(returned, Outcome):
            return returned
        message = f"The method returned {type(returned).__name__} and no outcome."
        _LOG.error(
            "the carrier's method returned no outcome",
            action=command.action,
            returned=type(returned).__name__,
        )
        return Failed(code="adapter_error", message=message, retryable=True)


def source_of(carrier: str) -> str:
    """Return the CloudEvents source of a carrier's results."""
    return f"/carriers/{carrier}"


def result_event(
    command: Event[CarrierCommandIssued] | CommandReference, outcome: Outcome, now: datetime
) -> Event[ResultReported] | None:
    """Return the event with the result of one attempt, or None for `Later`. Each call returns a new event id.

    Source: spec events, provisioning.results.
    """
    if isinstance(outcome, Later):
        return None
    reference = command if isinstance(command, CommandReference) else CommandReference.of(command)
    return Event(
        id=str(uuid7()),
        source=source_of(reference.carrier),
        time=now,
        data=_result(reference, outcome, now),
        correlationid=reference.correlationid,
        causationid=reference.event_id,
        traceparent=reference.traceparent,
    )


def _result(command: CommandReference, outcome: Outcome, now: datetime) -> ResultReported:
    """Build the result. What a carrier's code or its replies have written is cut and cleaned: every result is valid."""
    failed = outcome if isinstance(outcome, Failed) else None
    return ResultReported(
        did_id=command.did_id,
        number=command.number,
        account=command.account,
        command_id=command.command_id,
        attempt=command.attempt,
        outcome="failed" if failed else "succeeded",
        retryable=bool(failed and failed.retryable),
        retry_after_s=_seconds(failed.retry_after_s) if failed else None,
        code=(_text(failed.code, NAME.most) or "failed") if failed else None,
        message=_text(failed.message, TEXT.most) if failed else None,
        carrier_reference=_text(outcome.carrier_reference, TEXT.most)
        if isinstance(outcome, Succeeded)
        else None,
        completed_at=now,
    )


def _text(value: Any, most: int) -> str | None:
    """Return a value as a text of an event, cut and without what no database can store. None for an empty one."""
    return None if value is None else _UNUSABLE.sub("\N{REPLACEMENT CHARACTER}", str(value)[:most]) or None


def _seconds(value: Any) -> int | None:
    """Return a time to wait as whole seconds within the bounds of an event, or None if it is no time."""
    try:
        return None if value is None else COUNT.nearest(ceil(value))
    except (TypeError, ValueError, OverflowError):
        return None
