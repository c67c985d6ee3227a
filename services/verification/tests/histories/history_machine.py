"""Random histories of several numbers: everything that can happen to them, in every order that can occur.

The events of one topic and DID keep their order; those of different topics have none. Jobs run item by item between
other messages. Timers run at their instants or late. After each step the invariants hold.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import chain
from typing import Any, Final
from uuid import UUID

from history_facts import Facts
from history_invariants import INVARIANTS, SETTLED, faults
from history_world import (
    ACCOUNTS,
    CITIES,
    FEATURES,
    OPERATOR,
    OWNERS,
    SLOTS,
    ZERO,
    Marks,
    caller,
    next_version,
)
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from didflow_chassis.decision import Decided
from didflow_contracts.envelope import Event
from didflow_contracts.events.registration import Reason
from didflow_contracts.ids import derived_id
from didflow_contracts.vocabulary import AdditionalService
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceData, ServiceRequest
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.commands import (
    Approve,
    BeginErasure,
    CancelService,
    ChangeAddress,
    ChangeIdentity,
    Claim,
    CompleteErasure,
    CorrectService,
    CreateAddress,
    CreateDocument,
    CreateIdentity,
    DecideService,
    EraseAddress,
    EraseDocument,
    EraseIdentity,
    LoadRules,
    Reject,
    Release,
    RequestService,
    Resubmit,
    Revoke,
)
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.requirements import CountryRules

SLOT: Final = st.integers(0, len(SLOTS) - 1)
NTH: Final = st.integers(0, 7)
"""Chooses among what exists, counted from the newest."""

REVIEWER: Final = st.sampled_from(("rita", "rita", "rolf", "ann"))
"""The last one also works for the accounts, so there are details that she may not decide about."""

PERIODS: Final = st.sampled_from(
    (timedelta(minutes=1), timedelta(minutes=20), timedelta(days=1), timedelta(days=12))
)
LATE: Final = st.sampled_from((False, False, False, True))
CHOICE: Final = st.tuples(st.sampled_from((True, True, True, True, False)), NTH, st.integers(0, 3))
"""Details to assign: fitting ones or any, the number of the identity, and of its address (3: none)."""

MOST_IDENTITIES: Final = 9
SERVICES: Final[tuple[AdditionalService, ...]] = ("emergency", "a2p_sms", "cnam")
FORWARD: Final = {"new": "in_process", "in_process": "active", "pending": "active"}
"""The next state of a service request that goes well."""

LONG: Final = timedelta(days=40)
LAST: Final = ZERO + timedelta(days=350)
"""No time passes after this instant: an event of a portal that waited for longer would not be accepted."""


class History(RuleBasedStateMachine):
    """One history. `stage` is a new stage; `messages` builds the messages about one DID."""

    def __init__(self, stage: Any, messages: Callable[[], Any]) -> None:
        super().__init__()
        self.stage = stage
        self.marks = Marks()
        self.made = 0
        self.facts: Facts | None = None
        self.revoked_whole: set[UUID] = set()
        self.builders: dict[UUID, Any] = {}
        self.lives = [0] * len(SLOTS)
        self.waiting: dict[tuple[UUID, str], list[Event[Any]]] = {}
        self.sent: list[Event[Any]] = []
        self._messages = messages

    # What exists.

    def newest(self, model: type, number: int) -> Any:
        """Return one of the states of a kind, counted from the last one, or None."""
        found = self.stage.states(model)
        return found[-1 - number % len(found)] if found else None

    def builder(self, slot: int) -> Any:
        """Return what builds the messages about the present DID of a number."""
        did_id = SLOTS[slot].did_id(self.lives[slot])
        if did_id not in self.builders:
            made = self._messages()
            made.did, made.number = did_id, SLOTS[slot].number
            made.number_type, made.sequence = SLOTS[slot].number_type, 0
            made.account = ACCOUNTS[0]
            self.builders[did_id] = made
        return self.builders[did_id]

    def registration(self, slot: int) -> Registration | None:
        """Return the registration of the present DID of a number."""
        found: Registration | None = self.stage.state(Registration, self.builder(slot).did)
        return found

    def new_id(self, what: str) -> UUID:
        """Return an id that no other thing has."""
        self.made += 1
        return derived_id(what, str(self.made))

    def send(self, event: Event[Any], *, late: bool) -> None:
        """Deliver an event, or let it wait. Later events of its topic and DID wait behind it."""
        queue = self.waiting.setdefault((event.data.entity_id, event.data.topic), [])
        if late or queue:
            queue.append(event)
        else:
            self.deliver_events(event)

    def deliver_events(self, *events: Event[Any]) -> None:
        """Deliver events as one batch."""
        self.stage.receive(*events)
        self.sent += events

    def instant(self) -> datetime:
        """Return the time of a new event. No two events have the same."""
        self.stage.set_time(self.stage.now() + timedelta(seconds=1))
        return self.stage.now()

    def run(self, command: Any) -> Any:
        """Run a command."""
        return self.stage.run(command)

    # The beginning.

    @initialize(progress=st.sampled_from((3, 2, 4, 1, 0)))
    def begin(self, progress: int) -> None:
        """Begin with an end user of each owner and a purchase of each number, or later in their lives.

        1: details are assigned to most numbers. 2: a reviewer has approved them. 3: services are active.
        4: the approval that one of them relies on is revoked.
        """
        for owner in OWNERS[::-1]:
            self.create_identity(owner, "business")
        self.create_identity(ACCOUNTS[0], "individual")
        for slot in range(len(SLOTS)):
            self.acquire(slot, ported=False, late=False)
        if progress > 0:
            for slot in (0, 2, 4):
                self.assign_to_many(slot, (True, 0, 0), to_all=False)
        while progress > 1 and self.pending(0):
            self.approve(0, "rita", any_status=False)
            self.stage.run_jobs()
        if progress > 2:
            for number in range(3):
                self.request_service(number, number, 0, is_activated=True)
        if progress > 3:
            self.revoke(0, "rita", only_this=False)

    # What inventory, order systems, portals and billing publish.

    @precondition(lambda self: self.ended())
    @rule(number=NTH, ported=st.booleans(), late=LATE)
    def acquire_again(self, number: int, *, ported: bool, late: bool) -> None:
        """Sell a number again after its DID has ended."""
        ended = self.ended()
        slot = ended[number % len(ended)]
        self.lives[slot] += 1
        self.acquire(slot, ported=ported, late=late)

    def ended(self) -> list[int]:
        """Return the numbers whose DID has ended."""
        found = ((slot, self.registration(slot)) for slot in range(len(SLOTS)))
        return [slot for slot, registration in found if registration is not None and registration.ended]

    def acquire(self, slot: int, *, ported: bool, late: bool) -> None:
        """Sell a number. A porting begins before the purchase."""
        build, kind = self.builder(slot), SLOTS[slot].end_user_type
        if ported:
            self.send(build.porting_started(self.instant(), end_user_type=None), late=False)
        purchase = build.purchased(self.instant(), end_user_type=kind, features=[*FEATURES])
        self.send(purchase, late=late)

    @rule(slot=SLOT, number=st.integers(0, len(ACCOUNTS) - 1), late=LATE)
    def hand_on(self, slot: int, number: int, *, late: bool) -> None:
        """Hand a DID on to another account, or say once more who holds it."""
        build = self.builder(slot)
        build.sequence += 1
        build.account = ACCOUNTS[number]
        event = build.did_changed(ACCOUNTS[number], self.instant(), build.sequence, features=[*FEATURES])
        self.send(event, late=late)

    @rule(slot=SLOT, choice=CHOICE, portal=LATE, late=LATE)
    def assign(self, slot: int, choice: tuple[bool, int, int], *, portal: bool, late: bool) -> None:
        """Assign details to a DID."""
        self.send(self._assignment(slot, choice, portal=portal), late=late)

    @rule(slot=SLOT, choice=CHOICE, to_all=LATE)
    def assign_to_many(self, slot: int, choice: tuple[bool, int, int], *, to_all: bool) -> None:
        """Assign the same details in one batch to every DID under the same row, or to every DID."""
        first = self._assignment(slot, choice, portal=False).data
        row = (SLOTS[slot].number_type, SLOTS[slot].end_user_type)
        slots = [n for n, each in enumerate(SLOTS) if to_all or row == (each.number_type, each.end_user_type)]
        events = [
            self.builder(slot).assigned(first, first, self.instant(), document_ids=[*first.document_ids])
            for slot in slots
        ]
        free = [e for e in events if not self.waiting.get((e.data.entity_id, e.data.topic))]
        if free:
            self.deliver_events(*free)

    def _assignment(self, slot: int, choice: tuple[bool, int, int], *, portal: bool) -> Event[Any]:
        """Return an assignment of fitting details, or of any."""
        is_fitting, number, address = choice
        build, identities = self.builder(slot), self.stage.states(Identity)
        fitting = [
            each
            for each in identities
            if each.serves(build.account) and each.type == SLOTS[slot].end_user_type
        ]
        chosen = fitting if is_fitting and fitting else identities
        identity = chosen[number % len(chosen)]
        owned = [a for a in self.stage.states(Address) if a.identity_id == identity.identity_id]
        owned.sort(key=lambda each: each.place.city != SLOTS[slot].city)
        place = owned[0 if is_fitting else address % len(owned)] if owned and address < 3 else None
        documents = self._documents_of(identity) if is_fitting or address == 1 else []
        source = "/portals/web" if portal else "/didflow/inventory"
        return build.assigned(identity, place, self.instant(), source=source, document_ids=documents)

    def _documents_of(self, identity: Identity) -> list[UUID]:
        found = self.stage.states(Document)
        return [each.document_id for each in found if each.identity_id == identity.identity_id][-3:]

    @rule(slot=SLOT)
    def assign_the_same_again(self, slot: int) -> None:
        """Assign the details of a DID once more."""
        registration = self.registration(slot)
        details = registration.assigned if registration else None
        if details is None:
            return
        event = self.builder(slot).assigned(
            details, details, self.instant(), document_ids=[*details.document_ids]
        )
        self.send(event, late=False)

    @rule(slot=SLOT, refused=LATE, late=LATE)
    def end(self, slot: int, *, refused: bool, late: bool) -> None:
        """Billing removes a DID, or inventory refuses its purchase."""
        if self.registration(slot) is None:
            return
        build = self.builder(slot)
        event = build.refused(self.stage.now()) if refused else build.removed(self.instant())
        self.send(event, late=late)

    @precondition(lambda self: any(self.waiting.values()))
    @rule(number=NTH, together=st.booleans())
    def deliver(self, number: int, *, together: bool) -> None:
        """Deliver the next event of a queue, or of every queue in one batch."""
        queues = [queue for queue in self.waiting.values() if queue]
        chosen = queues if together else [queues[number % len(queues)]]
        self.deliver_events(*(queue.pop(0) for queue in chosen))

    @precondition(lambda self: self.sent)
    @rule(number=st.integers(0, 15), is_new=st.booleans())
    def repeat(self, number: int, *, is_new: bool) -> None:
        """Deliver an event once more: the same record, or the same data in a new event of its source."""
        event = self.sent[-1 - number % len(self.sent)]
        if is_new and event.data.topic != "did.changed":
            event = self.builders[event.data.entity_id].again(event)
        self.stage.receive(event)

    # End-user details.

    @precondition(lambda self: len(self.stage.states(Identity)) < MOST_IDENTITIES)
    @rule(owner=st.sampled_from(OWNERS), kind=st.sampled_from(("business", "individual")))
    def create_identity(self, owner: str, kind: Any) -> None:
        """Create an end user with an address in Dublin."""
        key = self.new_id("identity")
        ann = caller("ann", owner, "reseller")
        person = self.marks.person(key, kind)
        self.run(
            CreateIdentity(entity_id=key, subject="", caller=ann, account=owner, type=kind, person=person)
        )
        for city in ("Dublin", "Cork"):
            self._create_address(key, city)
        self.upload(0, None, "utility_bill")

    @rule(identity=NTH, city=st.sampled_from(CITIES))
    def create_address(self, identity: int, city: str) -> None:
        """Create another address of an end user."""
        self._create_address(self.newest(Identity, identity).identity_id, city)

    def _create_address(self, identity_id: UUID, city: str) -> None:
        place = self.marks.place(identity_id, city)
        key = self.new_id("address")
        self.run(
            CreateAddress(entity_id=key, subject="", caller=OPERATOR, identity_id=identity_id, place=place)
        )

    @rule(identity=NTH, who=REVIEWER, change=st.sampled_from(("email", "type", "company", "back")))
    def change_identity(self, identity: int, who: str, change: str) -> None:
        """Change an end user in place, sometimes so that a required field is missing."""
        found = self.newest(Identity, identity)
        kind = ("individual" if found.type == "business" else "business") if change == "type" else None
        changes: dict[str, Any] = {}
        if change == "email":
            changes["contact_email"] = f"{self.marks.text(found.identity_id, 'mail')}@example.com"
        elif change != "type":
            changes["company_name"] = (
                None if change == "company" else self.marks.text(found.identity_id, "Company")
            )
        self.run(
            ChangeIdentity(
                entity_id=found.identity_id,
                subject="",
                caller=caller(who, "master", "reseller"),
                type=kind,
                changes=changes,
            )
        )

    @rule(address=NTH, city=st.sampled_from(CITIES), who=REVIEWER)
    def change_address(self, address: int, city: str, who: str) -> None:
        """Move an address to a street of another city."""
        found = self.newest(Address, address)
        self.run(
            ChangeAddress(
                entity_id=found.address_id,
                subject="",
                caller=caller(who, "master", "reseller"),
                changes={"city": city, "street": f"{self.marks.text(found.identity_id, 'Road')} 9"},
            )
        )

    @rule(
        identity=NTH, days=st.sampled_from((5, 35, None)), kind=st.sampled_from(("utility_bill", "passport"))
    )
    def upload(self, identity: int, days: int | None, kind: str) -> None:
        """Upload a document that ends in some days, or never."""
        owner, today = self.newest(Identity, identity), self.stage.now().date()
        expires_on = today + timedelta(days=days) if days else None
        key = self.new_id("document")
        content_id = derived_id("content", str(key))
        scan = self.marks.text(owner.identity_id, "Scan").encode()
        self.stage.store_content(key, owner.account, content_id, scan)
        self.run(
            CreateDocument(
                entity_id=key,
                subject="",
                caller=OPERATOR,
                identity_id=owner.identity_id,
                kind=kind,
                media_type="image/png",
                size=len(scan),
                content_id=content_id,
                sha256=sha256(scan).hexdigest(),
                issued_on=today,
                expires_on=expires_on,
                states=(("holder_last_name", self.marks.text(owner.identity_id, "Holder")),),
            )
        )

    @rule(number=NTH, what=st.sampled_from((EraseAddress, EraseDocument, EraseIdentity, BeginErasure)))
    def erase(self, number: int, what: Any) -> None:
        """Erase an address, a document or an end user. It is refused while a live DID uses it.

        An erasure in two steps is completed by the next one of the same end user.
        """
        model = {EraseAddress: Address, EraseDocument: Document}.get(what, Identity)
        found = self.newest(model, number)
        if found is None:
            return
        key = getattr(found, f"{model.__name__.lower()}_id")
        how = CompleteErasure if model is Identity and found.erased_at else what
        self.run(how(entity_id=key, subject="", caller=OPERATOR))

    # Reviewers.

    def pending(self, number: int, *, any_status: bool = False) -> Verification | None:
        """Return a pending verification, or one of any status."""
        found = self.stage.states(Verification)
        chosen = found if any_status else [each for each in found if each.status == "pending"]
        return chosen[number % len(chosen)] if chosen else None

    @precondition(lambda self: self.pending(0))
    @rule(number=NTH, who=REVIEWER, release=st.booleans())
    def claim(self, number: int, who: str, *, release: bool) -> None:
        """Claim a verification, or release a claim."""
        found = self.pending(number)
        if found is not None:
            command = Release if release else Claim
            self.run(command(entity_id=found.verification_id, subject=found.number, caller=caller(who)))

    @precondition(lambda self: self.pending(0))
    @rule(number=NTH, who=REVIEWER, any_status=LATE)
    def approve(self, number: int, who: str, *, any_status: bool) -> None:
        """Approve a verification."""
        found = self.pending(number, any_status=any_status)
        if found is not None:
            self.run(Approve(**self._about(found, who)))

    @precondition(lambda self: self.pending(0))
    @precondition(lambda self: self.pending(0))
    @rule(who=REVIEWER)
    def approve_all(self, who: str) -> None:
        """Approve every pending verification in one batch."""
        found = [each for each in self.stage.states(Verification) if each.status == "pending"]
        if found:
            self.stage.run_batch([Approve(**self._about(each, who)) for each in found])

    @rule(number=NTH, who=REVIEWER, any_status=LATE)
    def reject(self, number: int, who: str, *, any_status: bool) -> None:
        """Reject a verification with words of the reviewer."""
        found = self.pending(number, any_status=any_status)
        if found is not None:
            self.run(Reject(**self._about(found, who), reasons=self._reasons(found.identity_id)))

    @precondition(lambda self: any(v.status == "approved" for v in self.stage.states(Verification)))
    @rule(number=NTH, who=REVIEWER, only_this=st.booleans())
    def revoke(self, number: int, who: str, *, only_this: bool) -> None:
        """Revoke an approval, with what rests on it or, of an automatic one, only this."""
        approved = [each for each in self.stage.states(Verification) if each.status == "approved"]
        served = {each.did_id for each in self.stage.states(ServiceRequest) if each.state == "active"}
        approved.sort(key=lambda each: each.did_id not in served)
        if approved:
            self._revoke(approved[number % len(approved)], who, only_this=only_this)

    @precondition(lambda self: self._resting())
    @rule(number=NTH, only_this=st.booleans())
    def revoke_resting(self, number: int, *, only_this: bool) -> None:
        """Revoke an automatic approval that rests on a review."""
        found = self._resting()
        self._revoke(found[number % len(found)], "rita", only_this=only_this)

    def _resting(self) -> list[Verification]:
        found = self.stage.states(Verification)
        return [each for each in found if each.status == "approved" and each.rests_on]

    def _revoke(self, found: Verification, who: str, *, only_this: bool) -> None:
        reasons = self._reasons(found.identity_id)
        only = only_this and found.automatic
        decision = self.run(Revoke(**self._about(found, who), reasons=reasons, only_this=only))
        if isinstance(decision, Decided) and not only:
            self.revoked_whole.add(found.verification_id)

    def _about(self, verification: Verification, who: str) -> dict[str, Any]:
        return {
            "entity_id": verification.did_id,
            "subject": verification.number,
            "caller": caller(who),
            "verification_id": verification.verification_id,
        }

    def _reasons(self, identity_id: UUID) -> tuple[Reason, ...]:
        words = f"{self.marks.text(identity_id, 'words')} does not live there."
        return (Reason(code="other", field="identity.last_name", message=words),)

    @precondition(lambda self: self.stage.states(Verification))
    @rule(slot=SLOT, choice=CHOICE, same=st.booleans(), who=REVIEWER)
    def resubmit(self, slot: int, choice: tuple[bool, int, int], who: str, *, same: bool) -> None:
        """Submit the same or other details again after a rejection or an end."""
        registration = self.registration(slot)
        details = registration.assigned if registration else None
        if registration is None or details is None or details.verification_id is None:
            return
        given = details if same else self._assignment(slot, choice, portal=False).data
        self.run(
            Resubmit(
                entity_id=registration.did_id,
                subject=registration.number,
                caller=caller(who, registration.account, "reseller"),
                verification_id=details.verification_id,
                identity_id=given.identity_id,
                address_id=given.address_id,
                document_ids=given.document_ids,
            )
        )

    # Services.

    def with_details(self) -> list[Registration]:
        """Return the live DIDs that have details, those first whose details are in effect."""
        found = [each for each in self.stage.states(Registration) if each.in_force and not each.ended]
        return sorted(found, key=lambda each: each.in_effect is None)

    @precondition(lambda self: self.with_details())
    @rule(number=NTH, service=st.integers(0, 2), address=st.integers(0, 1), is_activated=st.booleans())
    def request_service(self, number: int, service: int, address: int, *, is_activated: bool) -> None:
        """Request a service. It may be activated at once."""
        found = self.with_details()
        registration = found[number % len(found)]
        services = SERVICES if registration.country == "US" else SERVICES[:2]
        self._request(registration, services[service % len(services)], address)
        if is_activated:
            for _ in range(2):
                for request in self._open_requests(registration):
                    self._decide(request, "rita", "next")

    def _open_requests(self, registration: Registration) -> list[ServiceRequest]:
        found = self.stage.states(ServiceRequest)
        return [each for each in found if each.did_id == registration.did_id and each.state in FORWARD]

    def _request(self, registration: Registration, service: Any, address: int) -> None:
        details = registration.in_force
        assert details is not None
        owned = [a.address_id for a in self.stage.states(Address) if a.identity_id == details.identity_id]
        mark = partial(self.marks.text, details.identity_id)
        data = ServiceData(
            address_id=owned[address % len(owned)] if owned and service == "emergency" else None,
            caller_name=mark("Caller"),
            brand=mark("Brand"),
            use_case="alerts",
            sample_messages=(mark("Message"),),
            opt_in_text="yes",
            display_name="BAKERY",
        )
        self.run(
            RequestService(
                entity_id=registration.did_id,
                subject=registration.number,
                caller=caller("ann", registration.account, "reseller"),
                request_id=self.new_id("request"),
                service=service,
                data=data,
            )
        )

    def open_request(self, number: int) -> ServiceRequest | None:
        """Return an open service request."""
        found = [each for each in self.stage.states(ServiceRequest) if each.is_open]
        return found[number % len(found)] if found else None

    @precondition(lambda self: self.open_request(0))
    @rule(number=NTH, who=REVIEWER, state=st.sampled_from(("next", "next", "next", "changes_required")))
    def decide_service(self, number: int, who: str, state: Any) -> None:
        """Move a service request on, or back."""
        found = self.open_request(number)
        if found is not None:
            self._decide(found, who, state)

    def _decide(self, found: ServiceRequest, who: str, state: Any) -> None:
        self.run(
            DecideService(
                entity_id=found.did_id,
                subject=found.number,
                caller=caller(who),
                request_id=found.request_id,
                state=FORWARD.get(found.state, "not_configured") if state == "next" else state,
                reasons=self._reasons(found.identity_id),
            )
        )

    @precondition(lambda self: self.open_request(0))
    @rule(number=NTH, address=st.integers(0, 1))
    def correct_service(self, number: int, address: int) -> None:
        """Send a request again after `changes_required`, with other data."""
        found = [each for each in self.stage.states(ServiceRequest) if each.state == "changes_required"]
        if not found:
            return
        request = found[number % len(found)]
        owned = [a.address_id for a in self.stage.states(Address) if a.identity_id == request.identity_id]
        changes: dict[str, Any] = {"caller_name": self.marks.text(request.identity_id, "Caller")}
        if request.service == "a2p_sms":
            changes = {"brand": self.marks.text(request.identity_id, "Brand")}
        elif address and owned:
            changes["address_id"] = owned[-1]
        self.run(
            CorrectService(
                entity_id=request.did_id,
                subject=request.number,
                caller=caller("ann", request.account, "reseller"),
                request_id=request.request_id,
                changes=changes,
            )
        )

    @precondition(lambda self: self.open_request(0))
    @rule(number=NTH)
    def cancel_service(self, number: int) -> None:
        """Cancel a service."""
        found = self.open_request(number)
        if found is not None:
            ann = caller("ann", found.account, "reseller")
            self.run(
                CancelService(
                    entity_id=found.did_id, subject=found.number, caller=ann, request_id=found.request_id
                )
            )

    # The catalogue and the time.

    @rule(
        number=NTH,
        days=st.sampled_from((0, 3, 45)),
        reverify=st.booleans(),
        manual=st.booleans(),
        required=st.sampled_from((True, True, False)),
    )
    def load_version(self, number: int, days: int, *, reverify: bool, manual: bool, required: bool) -> None:
        """Load a catalogue with a next version of one row."""
        known = self.stage.states(CountryRules)
        rules = [each for each in known if each.country in {"IE", "US"}][number % 2]
        new = next_version(
            rules, number, self.instant(), days=days, reverify=reverify, manual=manual, required=required
        )
        change = self.new_id("load")
        self.run(LoadRules(entity_id=rules.country, subject="", caller=OPERATOR, change_id=change, rules=new))

    @precondition(lambda self: self.stage.now() < LAST)
    @rule(period=PERIODS, timers=st.sampled_from((True, True, False)))
    def wait(self, period: timedelta, *, timers: bool) -> None:
        """Let time pass. Timers run at their instants, or all workers are stopped meanwhile."""
        if timers:
            self.stage.advance(period)
        else:
            self.stage.set_time(self.stage.now() + period)

    @precondition(lambda self: self.stage.now() < LAST)
    @rule()
    def wait_long(self) -> None:
        """Let more than a month pass."""
        self.stage.advance(LONG)

    # Jobs.

    @precondition(lambda self: self.stage.unfinished_jobs())
    @rule(number=NTH)
    def run_job_item(self, number: int) -> None:
        """Run one item of a job."""
        self.stage.run_job_item(number)

    @precondition(lambda self: self.stage.unfinished_jobs())
    @rule()
    def run_jobs(self) -> None:
        """Run all jobs to their end."""
        self.stage.run_jobs()

    # What is checked.

    @invariant()
    def every_invariant_holds(self) -> None:
        """All invariants hold, no decision has raised, and no record was given up."""
        self.check(INVARIANTS)

    def check(self, invariants: Any) -> None:
        """Check invariants, and that no message has failed."""
        self.facts = Facts.of(self.stage, self.facts, self.revoked_whole)
        found = faults(self.facts, invariants)
        found += [f"failed: {each.last_error}" for each in self.stage.parked() if each.reason != "early"]
        found += [f"dead letter: {each.reason} {each.detail}" for each in self.stage.dead_letters()]
        if found:
            raise AssertionError("\n".join(found))

    def teardown(self) -> None:
        """Deliver everything, run all jobs, and check once more. An error of a step is not hidden by this."""
        if self.facts is None or faults(self.facts, INVARIANTS):
            return
        for event in chain.from_iterable(self.waiting.values()):
            self.stage.receive(event)
        self.stage.run_jobs()
        self.stage.run_due_timers()
        self.stage.run_jobs()
        self.check(SETTLED)
