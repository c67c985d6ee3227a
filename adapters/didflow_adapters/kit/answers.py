"""From an outcome to the result that goes out: it echoes the order and names it as its cause."""

from datetime import datetime

from didflow_adapters.kit.carrier import Failed, Later, Outcome
from didflow_contracts.envelope import Event
from didflow_contracts.events import CarrierCommandIssued, ResultReported
from didflow_contracts.ids import uuid7

MAX_CODE = 255
MAX_MESSAGE = 2_000


def answer(
    order: Event[CarrierCommandIssued], outcome: Outcome, now: datetime
) -> Event[ResultReported] | None:
    """Make the result of one attempt, under an id of its own; None where nothing is answered now.

    Source: spec events, provisioning.results.
    """
    if isinstance(outcome, Later):
        return None
    return Event(
        id=str(uuid7()),
        source=f"/carriers/{order.data.carrier}",
        time=now,
        data=_result(order.data, outcome, now),
        correlationid=order.correlationid,
        causationid=order.id,
        traceparent=order.traceparent,
    )


def _result(command: CarrierCommandIssued, outcome: Outcome, now: datetime) -> ResultReported:
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
