"""Carrier commands as provisioning publishes them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from didflow_contracts.envelope import Event
from didflow_contracts.events import CarrierCommandIssued
from didflow_contracts.events.carrier import PARAMETERS

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
_IDS = count(1)
_PARAMETERS: dict[str, dict[str, Any]] = {
    "activate": {"features": ["voice_in"]},
    "set_voice": {"voice": None},
    "set_capacity": {"capacity": 2},
    "set_sms": {"sms": None},
}


def carrier_command(
    action: str = "activate", number: str = "+35319609036", **changes: Any
) -> Event[CarrierCommandIssued]:
    """Build one attempt at a command to the carrier `simulator`."""
    parameters = PARAMETERS[action].model_validate(_PARAMETERS.get(action, {}))  # type: ignore[index]
    fields = {
        "did_id": uuid4(),
        "number": number,
        "account": "master/acme",
        "command_id": uuid4(),
        "carrier": "simulator",
        "action": action,
        "parameters": parameters,
        "attempt": 1,
        "deadline": NOW + timedelta(minutes=2),
        "give_up_at": NOW + timedelta(days=1),
    }
    return Event(
        id=f"c{next(_IDS)}",
        source="/didflow/provisioning",
        time=NOW,
        data=CarrierCommandIssued.model_validate(fields | changes),
        sequence=1,
        correlationid="purchase-1",
    )


@pytest.fixture
def new_command() -> Callable[..., Event[CarrierCommandIssued]]:
    """Builds carrier commands."""
    return carrier_command
