"""Orders as provisioning publishes them."""

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
_GIVEN: dict[str, dict[str, Any]] = {
    "activate": {"features": ["voice_in"]},
    "set_voice": {"voice": None},
    "set_capacity": {"capacity": 2},
    "set_sms": {"sms": None},
}


def order(
    action: str = "activate", number: str = "+35319609036", **changes: Any
) -> Event[CarrierCommandIssued]:
    """One attempt at an order to the carrier `simulator`."""
    fields = {
        "did_id": uuid4(),
        "number": number,
        "account": "master/acme",
        "command_id": uuid4(),
        "carrier": "simulator",
        "action": action,
        "parameters": PARAMETERS[action].model_validate(_GIVEN.get(action, {})),  # type: ignore[index]
        "attempt": 1,
        "deadline": NOW + timedelta(minutes=2),
        "give_up_at": NOW + timedelta(days=1),
    }
    data = CarrierCommandIssued.model_validate(fields | changes)
    source = "/didflow/provisioning"
    return Event(id=f"c{next(_IDS)}", source=source, time=NOW, data=data, sequence=1, correlationid="story-1")


@pytest.fixture
def make_order() -> Callable[..., Event[CarrierCommandIssued]]:
    """Makes orders."""
    return order
