"""The carrier commands of a conformance run, as provisioning publishes them."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from didflow_contracts.envelope import Event
from didflow_contracts.events import CarrierCommandIssued
from didflow_contracts.events.carrier import PARAMETERS
from didflow_contracts.ids import uuid7
from didflow_contracts.vocabulary import CarrierAction

ACCOUNT: Final = "master/conformance"
SOURCE: Final = "/didflow/provisioning"
_ANSWER_WITHIN: Final = timedelta(minutes=2)
_GIVE_UP_AFTER: Final = timedelta(days=1)
_TRUNK: Final[dict[str, Any]] = {
    "kind": "trunk",
    "id": "0190a5b6-7c00-7000-8000-000000000001",
    "name": "conformance",
    "endpoints": [{"kind": "sip", "address": "sip:pbx@conformance.example"}],
}
_SMS: Final[dict[str, Any]] = {
    "id": "0190a5b6-7c00-7000-8000-000000000002",
    "name": "conformance",
    "endpoints": [{"kind": "email", "address": "sms@conformance.example"}],
}
_USUAL: Final[dict[str, dict[str, Any]]] = {
    "activate": {"features": ["voice_in", "sms_in"], "voice": _TRUNK, "capacity": 2, "sms": _SMS},
    "set_voice": {"voice": _TRUNK},
    "set_capacity": {"capacity": 4},
    "set_sms": {"sms": _SMS},
    "suspend": {"reason": "conformance"},
    "release": {"keep": False, "reason": "conformance"},
}

Command = Event[CarrierCommandIssued]


@dataclass(slots=True)
class Commands:
    """Builds the commands to one carrier. Each run has DIDs of its own. `voice_only`: they name no SMS target."""

    carrier: str
    voice_only: bool = False
    _run: UUID = field(default_factory=uuid7)
    _sequences: Counter[UUID] = field(default_factory=Counter)

    def new(
        self,
        number: str,
        action: CarrierAction = "activate",
        *,
        answer_within: timedelta = _ANSWER_WITHIN,
        carrier: str | None = None,
        **parameters: Any,
    ) -> Command:
        """Return the first attempt at a new command. `parameters` replace the usual ones of the action."""
        now = datetime.now(UTC)
        did_id = uuid5(self._run, number)
        usual = _USUAL.get(action, {})
        if self.voice_only and "sms" in usual:
            usual = usual | {"sms": None}
        return self._event(
            CarrierCommandIssued(
                did_id=did_id,
                number=number,
                account=ACCOUNT,
                command_id=uuid7(),
                carrier=carrier or self.carrier,
                action=action,
                parameters=PARAMETERS[action].model_validate(usual | parameters),
                attempt=1,
                deadline=now + answer_within,
                give_up_at=now + _GIVE_UP_AFTER,
            ),
            f"conformance-{did_id}",
        )

    def again(self, command: Command) -> Command:
        """Return the next attempt at a command: the same `command_id` in a new event."""
        now = datetime.now(UTC)
        changes = {"attempt": command.data.attempt + 1, "deadline": now + _ANSWER_WITHIN}
        return self._event(command.data.model_copy(update=changes), command.correlationid)

    def _event(self, data: CarrierCommandIssued, correlation: str | None) -> Command:
        self._sequences[data.did_id] += 1
        return Event(
            id=str(uuid7()),
            source=SOURCE,
            time=datetime.now(UTC),
            data=data,
            sequence=self._sequences[data.did_id],
            correlationid=correlation,
        )
