"""Inventory and verification in memory, with one DID. Each receives what the other publishes."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID

from harness.requirements import requirement
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided, Decision, Refused
from didflow_chassis.testing import FakeStage
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import DidChanged, DidPurchased, DidRemoved, EnduserAssigned
from didflow_contracts.events.registration import RegistrationAxis
from didflow_contracts.ids import derived_id
from didflow_contracts.ownership import Holder
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.commands import AssignEndUser
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.events import did_changed
from didflow_inventory.domain.history.entry import HistoryEntry
from didflow_inventory.domain.my_numbers.answer import DidAnswer, did_answer
from didflow_inventory.service import service as inventory_service
from didflow_inventory.settings import InventorySettings
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.details.identity import Identity, Person
from didflow_verification.domain.requirements import ANYWHERE, CountryRules, Review
from didflow_verification.service import service as verification_service
from didflow_verification.settings import VerificationSettings

BEGIN: Final = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
DID: Final = UUID("0190a5b6-7c00-7000-8000-000000000001")
NUMBER: Final = "+35319609036"
ACCOUNTS: Final = ("master", "master/acme", "master/acme/shop", "master/globex")
ACCOUNT: Final = "master/acme"
OWNER: Final = {"did_id": DID, "number": NUMBER, "account": ACCOUNT}
PURCHASE: Final = OWNER | {
    "number_type": "local",
    "features": ["voice_in"],
    "order_id": "o-1",
    "end_user_type": "business",
    "billing_period": 1,
    "price": {
        "setup": {"amount": "1.00", "currency": "EUR"},
        "recurring": {"amount": "2.00", "currency": "EUR"},
    },
}
INVENTORY: Final = inventory_service(InventorySettings.placeholder())
VERIFICATION: Final = verification_service(VerificationSettings.placeholder())
REVIEWER: Final = Caller(subject="rita", account="master", role="reviewer")


def identity(name: str, account: str = ACCOUNT) -> Identity:
    """Return a business of an account."""
    return Identity(
        identity_id=derived_id("identity", name),
        account=account,
        type="business",
        person=Person(company_name=f"{name} Ltd"),
        created_at=BEGIN,
        created_by="user:ann",
    )


def rules(*, required: bool, review: bool) -> tuple[CountryRules, ...]:
    """Return a catalogue in which every number requires the same: nothing, or details with or without a reviewer."""
    row = requirement(key="any.any", number_type="any", required=required, review=Review(manual=review))
    return (CountryRules(country=ANYWHERE, places={}, requirements=(row,)),)


class BothServices:
    """One DID of `master/acme` in both services. `relay` delivers what they have published to each other."""

    def __init__(self, *, required: bool = True, review: bool = True, answered: bool = True) -> None:
        self.inventory = FakeStage(INVENTORY, now=BEGIN)
        self.verification = FakeStage(VERIFICATION, now=BEGIN)
        self.verification.store(*rules(required=required, review=review))
        self.inventory.store(
            *(Account(path=path, name=path, may_set_prices=True, created_at=BEGIN) for path in ACCOUNTS)
        )
        self._ids = count(1)
        self._delivered = {"inventory": 0, "verification": 0}
        purchase = self.event(DidPurchased.model_validate(PURCHASE), BEGIN, "/orders/acme")
        self.inventory.receive(purchase)
        if answered:
            self.verification.receive(purchase)
            self.relay()

    def event(
        self, data: EventData, at: datetime, source: str = "/portals/acme", sequence: int | None = None
    ) -> Event[Any]:
        """Return an event with an id of its own."""
        return Event(id=f"p{next(self._ids):04}", source=source, time=at, data=data, sequence=sequence)

    def assigned(
        self, identity_id: UUID, at: datetime, account: str = ACCOUNT, **changes: Any
    ) -> Event[EnduserAssigned]:
        """Return an assignment in a portal."""
        data = OWNER | {"identity_id": identity_id, "account": account, "assigned_at": at} | changes
        return self.event(EnduserAssigned.model_validate(data), at)

    def removed(self, at: datetime) -> Event[DidRemoved]:
        """Return the removal of the DID by billing."""
        data = DidRemoved.model_validate(OWNER | {"reason": "aged_out", "refunded": False})
        return self.event(data, at, "/didflow/billing", 9)

    def both_at(self, instant: datetime) -> None:
        """Set the time of both services. Timers of verification that are due run."""
        for stage in (self.inventory, self.verification):
            stage.set_time(instant)
            stage.run_due_timers()

    def give(
        self, identity_id: UUID, at: datetime, documents: Iterable[UUID] = (), *, relay: bool = True
    ) -> Decision:
        """Assign details over HTTP. Return what inventory decided."""
        self.both_at(at)
        caller = Caller(subject="ann", account="master", role="reseller")
        command = AssignEndUser(
            entity_id=DID,
            subject=NUMBER,
            caller=caller,
            identity_id=identity_id,
            document_ids=tuple(documents),
        )
        decision = self.inventory.run(command)
        if relay:
            self.relay()
        return decision

    def hand_over(self, account: str, at: datetime, *, relay: bool = True) -> Event[DidChanged]:
        """Hand the DID to another account. Return the event that inventory publishes, and deliver it."""
        did = self.did
        holders = (*did.holding.all_holders, Holder(account=account, since=at))
        holding = replace(did.holding, account=account, holders=holders)
        self.inventory.store(Did(holding=holding, views=did.views))
        event = self.event(did_changed(holding), at, "/didflow/inventory", 1_000 + len(holders))
        if relay:
            self.both_at(at)
            self.verification.receive(event)
            self.relay()
        return event

    def portal(self, event: Event[Any]) -> tuple[Decision | None, Decision | None]:
        """Deliver an outside event to both services. Return the decisions of inventory and of verification."""
        decisions = self.inventory.receive(event), self.verification.receive(event)
        self.relay()
        return decisions

    def relay(self) -> None:
        """Deliver what was published until nothing is left."""
        while any([self._deliver("inventory"), self._deliver("verification")]):
            pass

    @property
    def did(self) -> Did:
        """The DID in inventory."""
        found = self.inventory.state(Did, DID)
        assert found is not None
        return found

    @property
    def registration(self) -> Registration:
        """The registration in verification."""
        found = self.verification.state(Registration, DID)
        assert found is not None
        return found

    @property
    def shown(self) -> DidAnswer:
        """The DID as My Numbers shows it."""
        return did_answer(self.did, self.inventory.now(), REVIEWER)

    @property
    def history(self) -> list[HistoryEntry]:
        """The history of the DID."""
        return self.inventory.rows(HistoryEntry)

    def registrations_published(self) -> int:
        """Return how many events of the registration verification has published."""
        return sum(isinstance(data, RegistrationAxis) for data in self.verification.published_data())

    def _deliver(self, name: str) -> bool:
        source, target, reads = {
            "inventory": (self.inventory, self.verification, VERIFICATION.events),
            "verification": (self.verification, self.inventory, INVENTORY.events),
        }[name]
        published = source.published()
        new, self._delivered[name] = published[self._delivered[name] :], len(published)
        for event in new:
            if type(event.data) in reads:
                target.receive(event)
        return bool(new)


def code_of(decision: Decision | None) -> str:
    """Return `accepted`, or the code of the refusal by the rule of assignments."""
    if isinstance(decision, Decided) and decision.refused is not None:
        return "accepted"
    return decision.code if isinstance(decision, Refused) else "accepted"
