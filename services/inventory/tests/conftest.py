"""Builders of messages about one DID, and inventory on the stage in memory."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Command, Decision
from didflow_chassis.states import Stored
from didflow_chassis.testing import FakeStage
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    EVENT_TYPES,
    CycleExpired,
    DidActivated,
    DidPortingEnded,
    DidPortingStarted,
    DidPurchased,
    DidRemoved,
    EnduserAssigned,
    LedgerPosted,
    MessageRefused,
    ResultReported,
    RoutingChanged,
    ServiceChanged,
    TermChanged,
    TermExpiring,
)
from didflow_contracts.ids import derived_id
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.carriers import Carrier, carrier_id_of
from didflow_inventory.domain.accounts.commands import (
    ChangeAccount,
    ChangeUser,
    CreateAccount,
    CreateUser,
    DeleteUser,
    SetDefaultDid,
)
from didflow_inventory.domain.commands import AssignEndUser, Purchase, RebuildDid, StartPorting
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.history.entry import HistoryEntry
from didflow_inventory.domain.holding.commands import DidCommand
from didflow_inventory.domain.my_numbers.change import DidChange
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.service import service
from didflow_inventory.settings import InventorySettings
from didflow_inventory.store.tables import DIDS

DID_ID = UUID("0190a5b6-7c00-7000-8000-000000000001")
OTHER_ID = UUID("0190a5b6-7c00-7000-8000-000000000002")
NUMBER = "+35319609036"
IN_STOCK = "+35319609037"
ACCOUNT = "master/acme"
ZERO = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ENTERPRISE = "master/acme/firm"
USER_ID = derived_id("user")
IDENTITY_ID = derived_id("identity")
TRUNK = {"kind": "trunk", "id": str(derived_id("trunk")), "name": "Dublin"}
OWNER = {"did_id": DID_ID, "number": NUMBER, "account": ACCOUNT}
SERVICE = service(InventorySettings.placeholder())


def caller(account: str = ACCOUNT, role: str = "reseller") -> Caller:
    """Return a caller named ann."""
    return Caller(subject="ann", account=account, role=role)


class Messages:
    """Builders of the messages that inventory receives about one DID. Each event has an id of its own."""

    did_id, other_id, number, account, zero, identity_id = (
        DID_ID,
        OTHER_ID,
        NUMBER,
        ACCOUNT,
        ZERO,
        IDENTITY_ID,
    )
    in_stock = IN_STOCK
    caller = staticmethod(caller)

    def __init__(self) -> None:
        self._ids = count(1)

    def event(
        self, data: EventData, source: str, sequence: int | None = None, at: datetime = ZERO
    ) -> Event[Any]:
        """Return the event with this data."""
        return Event(id=f"e{next(self._ids)}", source=source, time=at, data=data, sequence=sequence)

    def again(self, event: Event[Any]) -> Event[Any]:
        """Return the same data as its source would publish it again: with another id and a later sequence."""
        later = None if event.sequence is None else event.sequence + 100
        return replace(event, id=f"e{next(self._ids)}", sequence=later)

    def purchase_data(self, **changes: Any) -> dict[str, Any]:
        """Return the data of a purchase of one Irish number for calls and messages."""
        price = {
            "setup": {"amount": "1.00", "currency": "EUR"},
            "recurring": {"amount": "2.00", "currency": "EUR"},
        }
        return OWNER | {
            "number_type": "local",
            "features": ["voice_in", "sms_in"],
            "order_id": "o-1",
            "end_user_type": "business",
            "price": price,
            "billing_period": 1,
            **changes,
        }

    def purchased(self, source: str = "/orders/acme", **changes: Any) -> Event[DidPurchased]:
        """Return a purchase by an order system."""
        return self.event(DidPurchased.model_validate(self.purchase_data(**changes)), source)

    def purchase(self, by: Caller | None = None, **changes: Any) -> Purchase:
        """Return a purchase over HTTP."""
        data = DidPurchased.model_validate(self.purchase_data(**changes))
        return Purchase(entity_id=data.did_id, subject=data.number, caller=by or caller(), data=data)

    def porting_data(self, **changes: Any) -> dict[str, Any]:
        """Return the data of the porting of the number of `purchase_data`. It names no price."""
        data = self.purchase_data() | {
            "expected_at": "2026-03-08T09:00:00Z",
            "losing_carrier": "Old Telecom",
        }
        for name in ("price", "billing_period", "end_user_type"):
            del data[name]
        return data | changes

    def porting_started(self, source: str = "/orders/acme", **changes: Any) -> Event[DidPortingStarted]:
        """Return the start of a porting by an order system."""
        return self.event(DidPortingStarted.model_validate(self.porting_data(**changes)), source)

    def porting_ended(
        self, outcome: str = "failed", source: str = "/orders/acme", **changes: Any
    ) -> Event[DidPortingEnded]:
        """Return the end of a porting by an order system."""
        data = OWNER | {"outcome": outcome, "reason": "The old carrier refused."} | changes
        return self.event(DidPortingEnded.model_validate(data), source)

    def start_porting(self, by: Caller | None = None, **changes: Any) -> StartPorting:
        """Return the start of a porting over HTTP."""
        data = DidPortingStarted.model_validate(self.porting_data(**changes))
        return StartPorting(entity_id=data.did_id, subject=data.number, caller=by or caller(), data=data)

    def registration(self, state: str, sequence: int = 1, **changes: Any) -> Event[Any]:
        """Return a change of the registration by verification."""
        topics = {"awaiting": "required"}
        model = EVENT_TYPES[f"didflow.verification.{topics.get(state, state)}.v1"]
        extra = {"reason": "revoked"} if state == "expired" else {}
        data = model.model_validate(OWNER | {"registration": state} | extra | changes)
        return self.event(data, "/didflow/verification", sequence, ZERO + timedelta(seconds=sequence))

    def expiring(self, sequence: int = 1) -> Event[Any]:
        """Return the notice by verification that an approval will expire."""
        model = EVENT_TYPES["didflow.verification.expiring.v1"]
        data = OWNER | {"registration": "approved", "expires_at": ZERO, "reason": "proof_ended"}
        return self.event(model.model_validate(data), "/didflow/verification", sequence)

    def service(
        self, state: str, sequence: int = 2, service: str = "emergency", **changes: Any
    ) -> Event[ServiceChanged]:
        """Return a change of one additional service by verification."""
        data = ServiceChanged.model_validate(OWNER | {"service": service, "state": state} | changes)
        return self.event(data, "/didflow/verification", sequence)

    def routing(self, carrier_state: str, sequence: int = 1, **changes: Any) -> Event[RoutingChanged]:
        """Return a change of the carrier state and the routing by provisioning."""
        data = RoutingChanged.model_validate(self._routing_data(carrier_state) | changes)
        return self.event(data, "/didflow/provisioning", sequence)

    def activated(self, sequence: int = 2, **changes: Any) -> Event[DidActivated]:
        """Return the activation by provisioning."""
        data = self._routing_data("active") | {"activated_at": ZERO} | changes
        return self.event(DidActivated.model_validate(data), "/didflow/provisioning", sequence)

    def term(self, state: str, sequence: int = 1, **changes: Any) -> Event[TermChanged]:
        """Return a change of the term by billing."""
        data = self._term_data(state) | {"reason": "started"} | changes
        return self.event(TermChanged.model_validate(data), "/didflow/billing", sequence)

    def cycle_expired(self, state: str, sequence: int = 2, **changes: Any) -> Event[CycleExpired]:
        """Return the end of a paid period by billing."""
        data = self._term_data(state) | {"period": 1, "expired_at": ZERO, "outcome": "renewed"} | changes
        return self.event(CycleExpired.model_validate(data), "/didflow/billing", sequence)

    def ledger_posted(self, sequence: int = 3) -> Event[LedgerPosted]:
        """Return one charge by billing."""
        data = OWNER | {
            "entry_id": derived_id("entry"),
            "payer": ACCOUNT,
            "kind": "setup",
            "money": {"amount": "1.00", "currency": "EUR"},
        }
        return self.event(LedgerPosted.model_validate(data), "/didflow/billing", sequence)

    def term_expiring(self, sequence: int = 5, **changes: Any) -> Event[TermExpiring]:
        """Return a reminder by billing, a week before the DID is removed."""
        ends_at = ZERO + timedelta(days=64)
        data = OWNER | {"ends_at": ends_at, "days": 7, "reason": "aging"} | changes
        at = ends_at - timedelta(days=7)
        return self.event(TermExpiring.model_validate(data), "/didflow/billing", sequence, at)

    def message_refused(self, sequence: int = 4) -> Event[MessageRefused]:
        """Return the refusal of an event by billing."""
        data = OWNER | {
            "refused_type": "didflow.did.purchased.v1",
            "refused_source": "/orders/other",
            "refused_id": "r-1",
            "code": "not_yours",
            "field": "account",
        }
        return self.event(MessageRefused.model_validate(data), "/didflow/billing", sequence)

    def removed(self, sequence: int = 9, **changes: Any) -> Event[DidRemoved]:
        """Return the removal of the DID by billing."""
        data = OWNER | {"reason": "aged_out", "refunded": False} | changes
        at = ZERO + timedelta(days=64)
        return self.event(DidRemoved.model_validate(data), "/didflow/billing", sequence, at)

    def enduser_assigned(self, source: str = "/portals/acme", **changes: Any) -> Event[EnduserAssigned]:
        """Return an assignment of end-user details in a customer portal, published when it was made."""
        data = OWNER | {"identity_id": IDENTITY_ID, "assigned_at": ZERO} | changes
        return self.event(EnduserAssigned.model_validate(data), source, at=data["assigned_at"])

    def assign_end_user(
        self, identity_id: UUID = IDENTITY_ID, by: Caller | None = None, **changes: Any
    ) -> AssignEndUser:
        """Return an assignment of end-user details over HTTP."""
        return AssignEndUser(
            entity_id=DID_ID, subject=NUMBER, caller=by or caller(), identity_id=identity_id, **changes
        )

    def result(self, **changes: Any) -> Event[ResultReported]:
        """Return the result of a carrier command."""
        data = OWNER | {"command_id": derived_id("command"), "outcome": "succeeded"} | changes
        return self.event(ResultReported.model_validate(data), "/carriers/simulator")

    def rebuild(self, did_id: UUID = DID_ID) -> RebuildDid:
        """Return the rebuild of one DID."""
        return RebuildDid(entity_id=did_id, subject=NUMBER, caller=caller("master", "operator"))

    def stock(self, command: type[Command], by: Caller | None = None, **more: Any) -> Any:
        """Return a command about the number in stock."""
        return command(entity_id=IN_STOCK, subject=IN_STOCK, caller=by or caller(), **more)

    def create_account(self, path: str, by: Caller | None = None, **changes: Any) -> CreateAccount:
        """Return the creation of an account over HTTP."""
        fields = {
            "name": path,
            "kind": "reseller" if "/" in path else "master_reseller",
            "default_carrier": None,
            "default_sms_carrier": None,
            "allow_external_numbers": False,
            "may_set_prices": False,
        }
        return CreateAccount(
            entity_id=path, subject="", caller=by or caller(), path=path, properties=fields | changes
        )

    def create_user(self, by: Caller | None = None, user_id: UUID = USER_ID, **changes: Any) -> CreateUser:
        """Return the creation of a user of the enterprise over HTTP."""
        account = changes.pop("account", ENTERPRISE)
        fields = {"name": "Desk", "kind": "pbx"} | changes
        return CreateUser(
            entity_id=user_id, subject="", caller=by or caller(), account=account, fields=fields
        )

    def change_user(self, by: Caller | None = None, user_id: UUID = USER_ID, **changes: Any) -> ChangeUser:
        """Return the change of a user over HTTP."""
        return ChangeUser(entity_id=user_id, subject="", caller=by or caller(), changes=changes)

    def set_default_did(
        self, user: CreateUser | ChangeUser, did_id: UUID = DID_ID, number: str = NUMBER
    ) -> SetDefaultDid:
        """Return the creation or change of a user with its default DID."""
        return SetDefaultDid(
            entity_id=did_id, subject=number, caller=user.caller, account=ENTERPRISE, user=user
        )

    def delete_user(self, by: Caller | None = None, user_id: UUID = USER_ID) -> DeleteUser:
        """Return the deletion of a user over HTTP."""
        return DeleteUser(entity_id=user_id, subject="", caller=by or caller())

    def stored_carrier(self, name: str, account: str = "master", kind: Any = "both", **more: Any) -> Carrier:
        """Return a carrier, for `stage.store`."""
        carrier_id = carrier_id_of(name)
        return Carrier(carrier_id=carrier_id, account=account, name=name, kind=kind, created_at=ZERO, **more)

    def change_account(self, path: str, by: Caller | None = None, **changes: Any) -> ChangeAccount:
        """Return the change of an account over HTTP."""
        return ChangeAccount(entity_id=path, subject="", caller=by or caller(), changes=changes)

    def about(self, command: type[DidCommand], by: Caller | None = None, **fields: Any) -> Any:
        """Return a command about the DID that most tests are about."""
        return command(entity_id=DID_ID, subject=NUMBER, caller=by or caller(), **fields)

    def _routing_data(self, carrier_state: str) -> dict[str, Any]:
        return OWNER | {
            "carrier": "simulator",
            "carrier_state": carrier_state,
            "reason": None,
            "voice": TRUNK,
            "capacity": 2,
            "capacity_group": None,
            "sms": None,
            "voice_ready": carrier_state == "active",
            "sms_ready": False,
            "missing": {"voice": None, "sms": "assign_sms_trunk"},
        }

    def _term_data(self, state: str) -> dict[str, Any]:
        return OWNER | {
            "state": state,
            "cycles_left": None,
            "billing_period": 1,
            "period_start": ZERO,
            "expires_at": ZERO + timedelta(days=31),
            "aging_until": None,
        }


class InventoryStage(FakeStage):
    """Inventory on the stage in memory."""

    @classmethod
    def with_accounts(cls, *paths: str) -> "InventoryStage":
        """Return an inventory that has these accounts and nothing else. All but `other` may set prices."""
        stage = cls(SERVICE, now=ZERO)
        stage.store(
            *(
                Account(path=path, name=path, may_set_prices=path != "other", created_at=ZERO)
                for path in paths
            )
        )
        return stage

    def decide(self, message: Event[Any] | Command, now: datetime | None = None) -> Decision | None:
        """Take one message at an instant, and return its decision; None for an event that was received before."""
        if now is not None:
            self.set_time(now)
        return self.receive(message) if isinstance(message, Event) else self.run(message)

    def code(self, message: Event[Any] | Command) -> str | None:
        """Take one message, and return the code of its refusal; None if it is not refused."""
        code: str | None = getattr(self.decide(message), "code", None)
        return code

    @property
    def did(self) -> Did:
        """The DID that most tests are about."""
        found = self.state(Did, DID_ID)
        assert found is not None
        return found

    @property
    def number(self) -> Number:
        """The number that most tests are about."""
        found = self.state(Number, NUMBER)
        assert found is not None
        return found

    @property
    def history(self) -> list[HistoryEntry]:
        """The entries of the history, in the order in which they were recorded."""
        return self.rows(HistoryEntry)

    @property
    def did_changes(self) -> list[DidChange]:
        """The changes of DIDs, in the order in which they were recorded."""
        return self.rows(DidChange)

    def statuses(self) -> list[str]:
        """Return every published status, in order."""
        return [event.data.status for event in self.published("did.status_changed")]

    def contents(self) -> dict[type, list[Any]]:
        """Return all states, by their class."""
        return {kind.model: self.states(kind.model) for kind in SERVICE.kinds if not kind.append_only}

    def change_did(self, **fields: Any) -> None:
        """Store the DID with other values in its holding, as a later feature would."""
        self.store(Did(holding=replace(self.did.holding, **fields), views=self.did.views))

    def outdate(self, **columns: Any) -> None:
        """Store the DID with other values in its columns, as the rules of an earlier release would have left it."""
        row = dict(zip(DIDS.columns, (v for (v,) in DIDS.to_columns([Stored(self.did, 0)])), strict=True))
        self.store(DIDS.from_row([*(row | columns).values()]).state)


@pytest.fixture(scope="session")
def make() -> Messages:
    """The builders of messages."""
    return Messages()


@pytest.fixture(scope="session")
def with_accounts() -> Callable[..., InventoryStage]:
    """The constructor of an inventory with accounts, for tests that need several inventories."""
    return InventoryStage.with_accounts


@pytest.fixture
def stage() -> InventoryStage:
    """An inventory with the accounts that most tests need."""
    return InventoryStage.with_accounts("master", ACCOUNT, "master/acme/shop", "other")


@pytest.fixture
def purchased(stage: InventoryStage, make: Messages) -> InventoryStage:
    """An inventory with one DID, about which no other service has published anything yet."""
    stage.receive(make.purchased())
    return stage
