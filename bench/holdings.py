"""The holdings that provisioning takes: `did.changed` of DIDs that are purchased and need no registration.

Each of them lets provisioning send the activation of a number, so it writes every table of its stage.
"""

from collections.abc import Sequence
from typing import Any, Final

from bench.purchases import BOUGHT_AT, purchase
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidChanged, VerificationNotRequired

REGISTERED: Final = """
INSERT INTO routings (did_id, number, account, features, carrier, sms_carrier, origin, stock, confirmed, registration,
    term, end_reason, carrier_state, failure_reason, served_by, voice, capacity, capacity_group, sms, profile, applied,
    open_command, failures, sequences, due_at, version, sequence, correlation_id)
SELECT d, n, a, '["voice_in", "voice_out"]', NULL, NULL, NULL, NULL, false, 'not_required',
    NULL, NULL, 'inactive', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}',
    NULL, '[]', '{"registration:/didflow/verification": 1}', NULL, 2, 0, e
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS u (d, n, a, e)
"""
"""The routings of DIDs before their holding, as provisioning writes them."""


def registered(indices: Sequence[int]) -> tuple[list[Any], ...]:
    """Return the values of `REGISTERED` for these purchases."""
    events = [purchase(index) for index in indices]
    return (
        [event.data.did_id for event in events],
        [event.data.number for event in events],
        [event.data.account for event in events],
        [event.id for event in events],
    )


def registration(index: int) -> Event[Any]:
    """Return the registration of a purchase, as verification publishes it."""
    data = VerificationNotRequired.model_validate(_about(index) | {"registration": "not_required"})
    return Event(
        id=f"registration-{index}", source="/didflow/verification", time=BOUGHT_AT, data=data, sequence=1
    )


def holding(index: int) -> Event[Any]:
    """Return the first holding of a purchase, as inventory publishes it."""
    data = _about(index) | {
        "stock": "assigned",
        "until": None,
        "after_hold": None,
        "payer": purchase(index).data.account,
        "user": None,
        "features": ("voice_in", "voice_out"),
        "carrier": "simulator",
        "sms_carrier": None,
        "origin": "purchased",
    }
    return Event(
        id=f"holding-{index}",
        source="/didflow/inventory",
        time=BOUGHT_AT,
        data=DidChanged.model_validate(data),
        sequence=1,
        correlationid=purchase(index).id,
    )


def _about(index: int) -> dict[str, Any]:
    bought = purchase(index).data
    return {"did_id": bought.did_id, "number": bought.number, "account": bought.account}
