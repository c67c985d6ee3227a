"""Builders of messages about one number, and a stage in memory that processes them."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count, zip_longest
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Command, Decision, Known
from didflow_chassis.testing import FakeStage
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    EVENT_TYPES,
    CarrierCommandIssued,
    CycleExpired,
    DidChanged,
    DidPortingStarted,
    DidPurchased,
    DidRemoved,
    PurchaseRefused,
    ResultReported,
    RoutingChanged,
    TermChanged,
)
from didflow_contracts.events.carrier import Endpoint
from didflow_contracts.ids import derived_id
from didflow_provisioning.domain.capacity.commands import CreateCapacityGroup
from didflow_provisioning.domain.capacity.group import CapacityGroup
from didflow_provisioning.domain.carrier_command import NO_ANSWER, CarrierCommand
from didflow_provisioning.domain.carriers.silence import CarrierContact
from didflow_provisioning.domain.carriers.turns import CarrierLoad
from didflow_provisioning.domain.commands import RetryCarrierCommand, SetCapacity, SetSms, SetVoice
from didflow_provisioning.domain.number_queue import NumberQueue
from didflow_provisioning.domain.profiles.commands import ApplyProfile, CreateProfile
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.targets.commands import (
    CreateSmsTrunk,
    CreateVoiceTrunk,
    CreateVoiceTrunkGroup,
    EncryptedSecret,
    GroupTrunk,
)
from didflow_provisioning.domain.targets.sms_trunks import SmsTrunk
from didflow_provisioning.domain.targets.voice_trunk_groups import VoiceTrunkGroup
from didflow_provisioning.domain.targets.voice_trunks import VoiceTrunk
from didflow_provisioning.service import service
from didflow_provisioning.settings import ProvisioningSettings
from didflow_provisioning.store.tables import CARRIER_CONTACT, CARRIER_LOAD

DID_ID = UUID("0190a5b6-7c00-7000-8000-000000000001")
NEXT_DID_ID = UUID("0190a5b6-7c00-7000-8000-000000000002")
NUMBER = "+35319609036"
ACCOUNT = "master/acme"
TRUNK_ID = derived_id("trunk")
SMS_TRUNK_ID = derived_id("SMS trunk")
GROUP_ID = derived_id("group")
PROFILE_ID = derived_id("profile")
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SERVICE = service(ProvisioningSettings.placeholder())


class Messages:
    """Builds messages about one number. Each event has an id of its own."""

    did_id, next_did_id, number, account, start, trunk_id = (
        DID_ID,
        NEXT_DID_ID,
        NUMBER,
        ACCOUNT,
        START,
        TRUNK_ID,
    )
    group_id, profile_id = GROUP_ID, PROFILE_ID
    sms_trunk_id = SMS_TRUNK_ID

    def __init__(self) -> None:
        self._ids = count(1)

    def caller(self, account: str = ACCOUNT, role: str = "reseller") -> Caller:
        """A caller with a token."""
        return Caller(subject="ann", account=account, role=role)

    def event(self, data: EventData, source: str, sequence: int | None = None) -> Event[Any]:
        """Wrap data as an event with a new id."""
        return Event(id=f"e{next(self._ids)}", source=source, time=START, data=data, sequence=sequence)

    def purchased(self, did_id: UUID = DID_ID, **changes: Any) -> Event[DidPurchased]:
        """A purchase without a price."""
        data = self._base(did_id) | {
            "number_type": "local",
            "features": ["voice_in"],
            "acquired": "external",
            "carrier": "simulator",
        }
        return self.event(DidPurchased.model_validate(data | changes), "/orders/acme")

    def porting_started(self, did_id: UUID = DID_ID, **changes: Any) -> Event[DidPortingStarted]:
        """The start of a porting."""
        data = self._base(did_id) | {"number_type": "local", "features": ["voice_in"], "order_id": "o-1"}
        return self.event(DidPortingStarted.model_validate(data | changes), "/orders/acme")

    def purchase_refused(self, did_id: UUID = DID_ID, sequence: int = 8) -> Event[PurchaseRefused]:
        """The refusal of a purchase by inventory."""
        data = self._base(did_id) | {"order_id": "o-1", "code": "number_taken", "message": "taken"}
        return self.event(PurchaseRefused.model_validate(data), "/didflow/inventory", sequence)

    def did_changed(
        self, stock: str = "assigned", sequence: int | None = 1, did_id: UUID = DID_ID, **changes: Any
    ) -> Event[DidChanged]:
        """The holding, published by inventory."""
        data = self._base(did_id) | {
            "stock": stock,
            "until": None,
            "after_hold": None,
            "payer": ACCOUNT,
            "user": None,
            "features": ["voice_in"],
            "carrier": "simulator",
            "sms_carrier": None,
            "origin": "purchased",
        }
        return self.event(DidChanged.model_validate(data | changes), "/didflow/inventory", sequence)

    def registration(
        self, state: str = "approved", sequence: int | None = 1, did_id: UUID = DID_ID, **changes: Any
    ) -> Event[Any]:
        """The registration, published by verification."""
        model = EVENT_TYPES[f"didflow.verification.{ {'awaiting': 'required'}.get(state, state) }.v1"]
        extra = {"reason": "proof_ended"} if state == "expired" else {}
        data = self._base(did_id) | {"registration": state} | extra | changes
        return self.event(model.model_validate(data), "/didflow/verification", sequence)

    def term(
        self, state: str = "active", sequence: int | None = 1, did_id: UUID = DID_ID
    ) -> Event[TermChanged]:
        """The term, published by billing."""
        return self.event(
            TermChanged.model_validate(self._term(did_id, state) | {"reason": "started"}),
            "/didflow/billing",
            sequence,
        )

    def cycle_expired(self, state: str, sequence: int = 2, did_id: UUID = DID_ID) -> Event[CycleExpired]:
        """The end of a paid period, published by billing."""
        data = self._term(did_id, state) | {"period": 1, "expired_at": START, "outcome": "expired"}
        return self.event(CycleExpired.model_validate(data), "/didflow/billing", sequence)

    def removed(
        self, did_id: UUID = DID_ID, sequence: int = 9, reason: str = "aged_out"
    ) -> Event[DidRemoved]:
        """The removal of the DID, published by billing."""
        data = self._base(did_id) | {"reason": reason, "refunded": False}
        return self.event(DidRemoved.model_validate(data), "/didflow/billing", sequence)

    def result(self, command: CarrierCommandIssued | CarrierCommand, **changes: Any) -> Event[ResultReported]:
        """The result of a carrier command: a success, unless `changes` say otherwise."""
        data = {
            "did_id": command.did_id,
            "number": command.number,
            "account": command.account,
            "command_id": command.command_id,
            "attempt": command.attempt,
            "outcome": "succeeded",
            "carrier_reference": "ref-1",
        }
        return self.event(ResultReported.model_validate(data | changes), "/carriers/simulator")

    def failure(
        self, command: CarrierCommandIssued | CarrierCommand, *, retryable: bool = False, **changes: Any
    ) -> Event[ResultReported]:
        """A failure of a carrier command."""
        failed = {"outcome": "failed", "retryable": retryable, "code": "rejected", "carrier_reference": None}
        return self.result(command, **(failed | changes))

    def set_voice(self, did_id: UUID = DID_ID, trunk_id: UUID = TRUNK_ID, **caller: str) -> SetVoice:
        """The command to set a voice trunk."""
        return SetVoice(**self.command_fields(did_id, **caller), voice_trunk_id=trunk_id)

    def create_sms_trunk(
        self, account: str = ACCOUNT, trunk_id: UUID = SMS_TRUNK_ID, **caller: str
    ) -> CreateSmsTrunk:
        """The command to create an SMS trunk with a secret."""
        return CreateSmsTrunk(
            entity_id=trunk_id,
            subject="",
            caller=self.caller(**caller),
            account=account,
            name="Texts",
            endpoint=Endpoint(kind="http", address="https://sms.example.com"),
            secret=EncryptedSecret(key_id="k1", content=b"ciphertext"),
        )

    def set_sms(self, did_id: UUID = DID_ID, trunk_id: UUID = SMS_TRUNK_ID, **caller: str) -> SetSms:
        """The command to set an SMS trunk."""
        return SetSms(**self.command_fields(did_id, **caller), sms_trunk_id=trunk_id)

    def set_capacity(self, capacity: Any, did_id: UUID = DID_ID, **caller: str) -> SetCapacity:
        """The command to set the number of concurrent calls."""
        return SetCapacity(**self.command_fields(did_id, **caller), capacity=capacity)

    def join_group(
        self, channels: int | None = None, group_id: UUID = GROUP_ID, did_id: UUID = DID_ID
    ) -> SetCapacity:
        """The command to reserve channels of a capacity group."""
        fields = self.command_fields(did_id)
        return SetCapacity(**fields, capacity=channels, capacity_group_id=group_id)

    def create_profile(
        self, account: str = ACCOUNT, profile_id: UUID = PROFILE_ID, **fields: Any
    ) -> CreateProfile:
        """The command to create a configuration profile, from an operator."""
        return CreateProfile(
            entity_id=profile_id,
            subject="",
            caller=self.caller(role="operator"),
            account=account,
            fields={"name": "Desk"} | fields,
        )

    def apply_profile(self, profile_id: UUID = PROFILE_ID, did_id: UUID = DID_ID) -> ApplyProfile:
        """The command to apply a configuration profile."""
        return ApplyProfile(**self.command_fields(did_id), configuration_profile_id=profile_id)

    def create_capacity_group(
        self,
        channels: int = 5,
        group_id: UUID = GROUP_ID,
        account: str = ACCOUNT,
        *,
        overcommit: bool = False,
    ) -> CreateCapacityGroup:
        """The command to create a capacity group, from an operator."""
        return CreateCapacityGroup(
            entity_id=group_id,
            subject="",
            caller=self.caller(role="operator"),
            account=account,
            name="Shared",
            channels=channels,
            overcommit=overcommit,
        )

    def retry(self, command_id: UUID, did_id: UUID = DID_ID, **caller: str) -> RetryCarrierCommand:
        """The command to retry a failed carrier command."""
        return RetryCarrierCommand(**self.command_fields(did_id, **caller), command_id=command_id)

    def create_voice_trunk(
        self, account: str = ACCOUNT, trunk_id: UUID = TRUNK_ID, **caller: str
    ) -> CreateVoiceTrunk:
        """The command to create a voice trunk."""
        return CreateVoiceTrunk(
            entity_id=trunk_id,
            subject="",
            caller=self.caller(**caller),
            account=account,
            name="Dublin",
            endpoints=(Endpoint(kind="sip", address="sip:pbx.example.com"),),
        )

    def create_voice_trunk_group(
        self,
        *trunk_ids: UUID,
        account: str = ACCOUNT,
        group_id: UUID = GROUP_ID,
        priorities: tuple[int | None, ...] = (),
        **caller: str,
    ) -> CreateVoiceTrunkGroup:
        """The command to create a voice trunk group of these trunks, with their priorities in the group."""
        trunks = zip_longest(trunk_ids or (TRUNK_ID,), priorities)
        return CreateVoiceTrunkGroup(
            entity_id=group_id,
            subject="",
            caller=self.caller(**caller),
            account=account,
            name="Ireland",
            trunks=tuple(GroupTrunk(voice_trunk_id=trunk, priority=priority) for trunk, priority in trunks),
        )

    def set_voice_group(self, did_id: UUID = DID_ID, group_id: UUID = GROUP_ID, **caller: str) -> SetVoice:
        """The command to set a voice trunk group."""
        return SetVoice(**self.command_fields(did_id, **caller), voice_trunk_group_id=group_id)

    def command_fields(self, did_id: UUID, **caller: str) -> dict[str, Any]:
        """The fields that every command about a DID's routing has."""
        next_command_id = derived_id("command", str(next(self._ids)))
        return {
            "entity_id": did_id,
            "subject": NUMBER,
            "caller": self.caller(**caller),
            "next_command_id": next_command_id,
        }

    def _base(self, did_id: UUID) -> dict[str, Any]:
        return {"did_id": did_id, "number": NUMBER, "account": ACCOUNT}

    def _term(self, did_id: UUID, state: str) -> dict[str, Any]:
        return self._base(did_id) | {
            "state": state,
            "cycles_left": None,
            "billing_period": 1,
            "period_start": None,
            "expires_at": None,
            "aging_until": None,
        }


class ProvisioningStage(FakeStage):
    """A stage in memory for one number. After each message it checks the queue of the number.

    After each message the capacity groups have reserved what their members have reserved.
    A message that sets a target on a DID must declare the target as a need. Its shared lock keeps it from being
    deleted meanwhile.
    """

    def __init__(self, settings: ProvisioningSettings | None = None) -> None:
        super().__init__(service(settings) if settings else SERVICE, now=START)
        memory: Any = self._tested.database
        memory.compute(CARRIER_CONTACT, self._contacts)
        memory.compute(CARRIER_LOAD, self._loads)

    def process(self, *messages: Event[Any] | Command) -> Decision | None:
        """Process messages one after another and return the last decision. None if the message was not decided."""
        decision: Decision | None = None
        for message in messages:
            before, states = self._target_ids(), self.all_states()
            decision = self.receive(message) if isinstance(message, Event) else self.run(message)
            self._check_queue()
            assert self._target_ids() - before <= _declared_target_ids(message, states)
            self._check_capacity_groups()
        assert self.dead_letters() == []
        return decision

    def advance(self, by: timedelta) -> None:
        """Move the time on. Each due timer on the way runs at its own instant."""
        super().advance(by)
        self._check_queue()

    def routing(self, did_id: UUID = DID_ID) -> Routing:
        """The routing of a DID."""
        routing = self.state(Routing, did_id)
        assert routing is not None
        return routing

    @property
    def queue(self) -> NumberQueue:
        """The queue of the number."""
        return self.state(NumberQueue, NUMBER) or NumberQueue(number=NUMBER)

    @property
    def open_command(self) -> Any:
        """The open carrier command of the number, or None."""
        return self.state(CarrierCommand, self.queue.open_command_id)

    @property
    def events(self) -> list[EventData]:
        """The data of all published events, in order."""
        return [event.data for event in self.published()]

    def issued(self, did_id: UUID | None = None) -> list[CarrierCommandIssued]:
        """All published attempts at carrier commands, of one DID or of all."""
        issued = [data for data in self.events if isinstance(data, CarrierCommandIssued)]
        return [command for command in issued if did_id in (None, command.did_id)]

    def actions(self, did_id: UUID | None = None) -> list[str]:
        """The actions of the carrier commands, each command once."""
        return [command.action for command in self.issued(did_id) if command.attempt == 1]

    def axis(self, did_id: UUID = DID_ID) -> RoutingChanged:
        """The last published routing axis of a DID."""
        return [data for data in self.events if isinstance(data, RoutingChanged) and data.did_id == did_id][
            -1
        ]

    def succeed_all(self, messages: Messages) -> None:
        """Report success for every carrier command until none is open."""
        while self.queue.open_command_id is not None:
            self.process(messages.result(self.open_command))

    def _contacts(self) -> list[CarrierContact]:
        """What the view `carrier_contacts` has."""
        by_carrier: dict[str, list[CarrierCommand]] = {}
        for command in self.states(CarrierCommand):
            by_carrier.setdefault(command.carrier, []).append(command)
        return [
            CarrierContact(
                carrier=carrier,
                last_result_at=max((c.answered_at for c in commands if c.answered_at), default=None),
                unanswered_since=min(
                    (c.issued_at for c in commands if c.is_open and c.code == NO_ANSWER), default=None
                ),
            )
            for carrier, commands in by_carrier.items()
        ]

    def _loads(self) -> list[CarrierLoad]:
        """What the view `carrier_loads` has."""
        out = Counter(command.carrier for command in self.states(CarrierCommand) if command.state == "out")
        return [CarrierLoad(carrier=carrier, out=count) for carrier, count in out.items()]

    def _target_ids(self) -> set[UUID]:
        routings = self.states(Routing)
        targets = [routing.voice for routing in routings] + [routing.sms for routing in routings]
        return {target.delivery.id for target in targets if target}

    def _check_capacity_groups(self) -> None:
        """Each group has reserved what its members have reserved."""
        held = [(r.capacity_group, r.capacity) for r in self.states(Routing) if r.capacity_group]
        for group in self.states(CapacityGroup):
            channels = [int(n or 0) for membership, n in held if membership.group_id == group.group_id]
            assert (group.reserved, group.dids) == (sum(channels), len(channels))

    def _check_queue(self) -> None:
        open_ids = [command.command_id for command in self.states(CarrierCommand) if command.is_open]
        open_id = self.queue.open_command_id
        assert open_ids == ([open_id] if open_id else [])


def _declared_target_ids(message: Event[Any] | Command, states: Mapping[Any, Any]) -> set[Any]:
    """Return the targets that the handler of a message declares as needs. `states` are those before it."""
    if isinstance(message, Event):
        handler, entity_id = SERVICE.events[type(message.data)], message.data.entity_id
    else:
        handler, entity_id = SERVICE.commands[type(message)], message.entity_id
    needs = list(handler.needs(message)) if handler.needs else []
    if handler.state_needs and (handler.model or Routing) is Routing:
        known = Known(states=defaultdict(lambda: None, states))
        needs += handler.state_needs(states.get((Routing, entity_id)), message, known)
    return {ref.key for ref in needs if ref.model in (VoiceTrunk, VoiceTrunkGroup, SmsTrunk)}


@pytest.fixture(scope="session")
def messages() -> Messages:
    """Builders of messages."""
    return Messages()


@pytest.fixture(scope="session")
def new_stage() -> type[ProvisioningStage]:
    """Creates empty stages in memory."""
    return ProvisioningStage


@pytest.fixture
def stage() -> ProvisioningStage:
    """An empty stage in memory."""
    return ProvisioningStage()


@pytest.fixture
def active(stage: ProvisioningStage, messages: Messages) -> ProvisioningStage:
    """A stage with one active DID. Its trunk and its capacity were set before the activation."""
    stage.process(messages.purchased(), messages.create_voice_trunk(), messages.set_voice())
    stage.process(messages.set_capacity(2), messages.did_changed(), messages.registration())
    stage.succeed_all(messages)
    return stage


@pytest.fixture
def changed() -> Any:
    """Copies a frozen value with changes."""
    return replace
