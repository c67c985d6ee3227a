"""From a carrier command to its result: call the carrier once, remember the outcome, and build the event."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog

from didflow_adapters.kit.carrier import Carrier, Failed, Later, Outcome
from didflow_adapters.kit.reference import CommandReference
from didflow_contracts.envelope import Event
from didflow_contracts.events import CarrierCommandIssued, ResultReported
from didflow_contracts.ids import uuid7

MAX_CODE: Final = 255
MAX_MESSAGE: Final = 2_000
_LOG = structlog.get_logger(__name__)


class FinalOutcomes:
    """The last `limit` final outcomes by `command_id`, in memory only.

    A command that comes again is answered from here. After a restart, the carrier may be called again for a command
    that it already carried out, with the same `command_id`.
    """

    def __init__(self, limit: int = 100_000) -> None:
        self._limit = limit
        self._outcomes: OrderedDict[UUID, Outcome] = OrderedDict()

    def get(self, command_id: UUID) -> Outcome | None:
        """Return the final outcome of a command, or None if the carrier must be called."""
        return self._outcomes.get(command_id)

    def add(self, command_id: UUID, outcome: Outcome) -> None:
        """Remember a success or a final failure. Other outcomes are not remembered."""
        if isinstance(outcome, Later) or (isinstance(outcome, Failed) and outcome.retryable):
            return
        self._outcomes[command_id] = outcome
        self._outcomes.move_to_end(command_id)
        if len(self._outcomes) > self._limit:
            self._outcomes.popitem(last=False)


class CommandExecutor:
    """Executes the commands of one carrier. A command with a final outcome is not executed again."""

    def __init__(self, carrier: Carrier, call_timeout_s: float) -> None:
        self._carrier = carrier
        self._call_timeout_s = call_timeout_s
        self._final = FinalOutcomes()

    async def execute(self, command: CarrierCommandIssued) -> Outcome:
        """Return the outcome of a command. Calls the carrier if no final outcome is known. Never raises."""
        known = self._final.get(command.command_id)
        if known is not None:
            return known
        outcome = await self._call(command)
        self._final.add(command.command_id, outcome)
        _LOG.info(
            "executed a carrier command",
            action=command.action,
            number=command.number,
            outcome=type(outcome).__name__,
        )
        return outcome

    async def _call(self, command: CarrierCommandIssued) -> Outcome:
        """Call the method of the action. A timeout or an exception is a retryable failure."""
        method: Callable[[CarrierCommandIssued, Any], Awaitable[Outcome]] = getattr(
            self._carrier, command.action
        )
        try:
            async with asyncio.timeout(self._call_timeout_s):
                return await method(command, command.parameters)
        except TimeoutError:
            message = f"The carrier did not reply within {self._call_timeout_s:g} s."
            return Failed(code="carrier_timeout", message=message, retryable=True)
        except Exception as error:  # noqa: BLE001 - every command gets a result, whatever the carrier's code raises
            _LOG.exception("the carrier's method failed", action=command.action, number=command.number)
            return Failed(code="adapter_error", message=type(error).__name__, retryable=True)


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
        source=f"/carriers/{reference.carrier}",
        time=now,
        data=_result(reference, outcome, now),
        correlationid=reference.correlationid,
        causationid=reference.event_id,
        traceparent=reference.traceparent,
    )


def _result(command: CommandReference, outcome: Outcome, now: datetime) -> ResultReported:
    """Build the result. Codes and messages that are too long are cut, so that every result is valid."""
    failed = outcome if isinstance(outcome, Failed) else None
    return ResultReported(
        did_id=command.did_id,
        number=command.number,
        account=command.account,
        command_id=command.command_id,
        attempt=command.attempt,
        outcome="failed" if failed else "succeeded",
        retryable=failed.retryable if failed else False,
        retry_after_s=failed.retry_after_s if failed else None,
        code=(failed.code[:MAX_CODE] or "failed") if failed else None,
        message=failed.message[:MAX_MESSAGE] if failed and failed.message else None,
        carrier_reference=getattr(outcome, "carrier_reference", None),
        completed_at=now,
    )
