"""Random conditions of one DID over all axes: in each service the state of its own axis, and inventory's views.

A condition is one in which no event is under way: each service has received what the others have published. The views
of inventory are made from the events that the owner of each axis builds, so a field that an event lacks is found too.
"""

from collections.abc import Mapping
from random import Random
from typing import Any, Final, get_args

from actions.estate import (
    ACCOUNTS,
    DAY,
    DID_ID,
    KINDS,
    NUMBERS,
    PRICE,
    RULES,
    SMS,
    UUID_OF,
    ZERO,
    EndUser,
    accounts_with,
    end_user,
    profiles_of,
    sms_trunks_of,
    trunks_of,
    users_of,
)
from msgspec import Struct
from msgspec.structs import replace

from didflow_billing.domain.events import term_changed
from didflow_billing.domain.term import Term, transition
from didflow_contracts.accounts import lineage
from didflow_contracts.ids import derived_id
from didflow_contracts.ownership import Holder
from didflow_contracts.vocabulary import AdditionalService, CarrierState, Feature, Registration, ServiceState
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding import NOT_LIVE, Holding
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.domain.views import (
    RegistrationView,
    RoutingView,
    ServiceView,
    TermView,
    Views,
    registration_view,
    view_of,
)
from didflow_provisioning.domain.carrier_command import CarrierCommand
from didflow_provisioning.domain.command_content import CommandContent
from didflow_provisioning.domain.effects import without_stale_failures
from didflow_provisioning.domain.events import routing_changed
from didflow_provisioning.domain.number_queue import NumberQueue
from didflow_provisioning.domain.routing import (
    Applied,
    Failure,
    OpenCommand,
    Routing,
    SmsSetting,
    VoiceSetting,
)
from didflow_provisioning.domain.wanted_actions import wanted_state
from didflow_verification.domain.axes.registration import Details
from didflow_verification.domain.axes.registration import Registration as RegistrationState
from didflow_verification.domain.axes.service_request import ServiceData, ServiceRequest
from didflow_verification.domain.events import EVENT_OF, registration_event, service_changed

SERVICES: Final[tuple[AdditionalService, ...]] = get_args(AdditionalService)
STATES_OF: Final[Mapping[AdditionalService, tuple[ServiceState, ...]]] = {
    "emergency": ("new", "in_process", "active", "changes_required"),
    "a2p_sms": ("new", "in_process", "active", "changes_required"),
    "cnam": ("pending", "active", "cancelation_pending"),
}
DATA: Final[Mapping[AdditionalService, Mapping[str, Any]]] = {
    "emergency": {"caller_name": "Front desk"},
    "a2p_sms": {
        "brand": "Acme",
        "use_case": "customer_care",
        "sample_messages": ("Your parcel is here.",),
        "opt_in_text": "Tick to agree.",
    },
    "cnam": {"display_name": "ACME"},
}
REGISTRATIONS: Final[tuple[Registration, ...]] = get_args(Registration)
ALWAYS_COMPLETED: Final = frozenset(("approved", "not_required", "expired"))
ACCOUNT_SETS: Final = tuple(accounts_with((one, two)) for one in (False, True) for two in (False, True))


class Condition(Struct, frozen=True, kw_only=True):
    """One DID in all services. `registration` is None until verification has decided on the requirement.

    `last_activation` is the id of the last activation that failed for good. `identity` is the end user in force.
    `states` has everything that decisions can ask for, by model and key.
    """

    did: Did
    registration: RegistrationState | None
    requests: Mapping[AdditionalService, ServiceRequest]
    term: Term
    routing: Routing
    country: str
    identity: EndUser | None
    states: Mapping[tuple[type, Any], Any]

    @property
    def holding(self) -> Holding:
        """The holding."""
        return self.did.holding


def random_condition(random: Random) -> Condition:
    """Return a condition. What two axes exclude of each other does not occur; everything else does."""
    country = random.choice(("US", "IE"))
    holding = _holding(random, country)
    registration, completed = _registration(random, holding, country)
    requests = _requests(random, registration, _in_force(registration, country))
    if registration is not None:
        opened = {name: each.request_id for name, each in requests.items() if each.is_open}
        registration = replace(registration, services=opened)
    term = _term(random, holding, registration, completed=completed)
    routing = _routing(random, holding, registration, term)
    views = _views(registration, requests, term, routing, completed=completed)
    did = Did(holding=holding, views=views)
    states = {**random.choice(ACCOUNT_SETS), **RULES, **_states(did, registration, requests, routing)}
    return Condition(
        did=did,
        registration=registration,
        requests=requests,
        term=term,
        routing=routing,
        country=country,
        identity=_in_force(registration, country),
        states=states,
    )


def _holding(random: Random, country: str) -> Holding:
    stock = random.choices(
        ("porting_in", "assigned", "blocked", "on_hold", "removed", "refused"), (8, 24, 12, 12, 4, 1)
    )[0]
    account = random.choice(ACCOUNTS)
    origin = (
        "ported_in" if stock == "porting_in" else random.choice(("stock", "stock", "purchased", "external"))
    )
    if stock in NOT_LIVE:
        origin = random.choice(("stock", "purchased", "ported_in"))
    features: list[Feature] = [name for name in get_args(Feature) if random.random() < 0.5]
    is_enterprise = KINDS[account] == "enterprise"
    has_user = is_enterprise and stock != "porting_in" and random.random() < 0.4
    return Holding(
        did_id=DID_ID,
        number=NUMBERS[country],
        number_type="local",
        country=country,
        purchased_at=ZERO - DAY,
        account=account,
        in_enterprise=is_enterprise,
        payer=random.choice(lineage(account)),
        user=str(random.choice(users_of(account)).user_id) if has_user else None,
        features=tuple(features),
        carrier="simulator",
        origin=origin,
        holders=_holders(random, account),
        stock=stock,
        **_stock_fields(random, stock, account, origin),
    )


def _holders(random: Random, account: str) -> tuple[Holder, ...]:
    """Return no former holder, or one from which the DID was taken back or which handed it down."""
    if random.random() < 0.5:
        return ()
    below = [path for path in ACCOUNTS if path.startswith(f"{account}/")]
    former = random.choice([*lineage(account)[1:], *below] or [account])
    return (Holder(account=former, since=None), Holder(account=account, since=ZERO - DAY))


def _stock_fields(random: Random, stock: str, account: str, origin: str) -> dict[str, Any]:
    """Return the last step, and the fields of a block and of a hold."""
    blocker = random.choice((*lineage(account), *lineage(account), "other"))
    if stock == "porting_in":
        return {"last_step": "porting"}
    if stock == "assigned":
        return {"last_step": random.choice(("purchase", "unblock", "unhold", "hold_end"))}
    if stock == "blocked":
        return {"last_step": random.choice(("block", "unhold", "hold_end")), "blocked_by": blocker}
    if stock == "refused":
        return {"refusal_code": "number_taken"}
    if stock == "removed":
        steps = ["removal", "port_out", "hold_end", *(["porting_end"] if origin == "ported_in" else [])]
        return {"last_step": random.choice(steps), "removed_at": ZERO, "removal_reason": "ported_out"}
    before = random.choice(("assigned", "blocked"))
    return {
        "last_step": "hold",
        "held_since": ZERO - DAY,
        "until": ZERO + DAY * random.choice((2, 9)),
        "after_hold": "back",
        "held_by": random.choice(("hand", "hand", "package")),
        "before_hold": before,
        "blocked_by": blocker if before == "blocked" else None,
    }


def _registration(random: Random, holding: Holding, country: str) -> tuple[RegistrationState | None, bool]:
    """Return the registration, and whether it was ever completed."""
    if holding.is_live and random.random() < 0.08:
        return None, False
    state = random.choice(REGISTRATIONS)
    first = end_user("acme", _owner(random, holding), country)
    details = _details(holding, first)
    has_details = state not in ("awaiting", "not_required") or (
        state == "not_required" and random.random() < 0.6
    )
    approved = details if state == "approved" else None
    assigned, opened = (details, state == "pending") if has_details else (None, False)
    if approved is not None and random.random() < 0.3:
        assigned, opened = (
            _details(holding, end_user("next", first.identity.account, country)),
            random.random() < 0.5,
        )
    if state == "rejected" and assigned is not None and random.random() < 0.2:
        assigned = replace(assigned, identity_id=derived_id("erased identity"), identity_account=None)
    completed = state in ALWAYS_COMPLETED or random.random() < 0.4
    registration = RegistrationState(
        did_id=DID_ID,
        number=holding.number,
        country=country,
        number_type="local",
        end_user_type="business",
        account=holding.account,
        holders=holding.all_holders,
        state=state,
        requirement=f"{country.lower()}.local.any",
        requirement_version=1,
        approved=approved,
        assigned=assigned,
        open=opened,
        attempt=1 if has_details else 0,
        grace_until=ZERO - DAY if state == "expired" else None,
        started_at=ZERO - DAY,
        ended=holding.stock if holding.stock in ("removed", "refused") else None,
        stock=None if holding.stock == "refused" else holding.stock,
        features=holding.features,
    )
    return registration, completed


def _owner(random: Random, holding: Holding) -> str:
    """Return an account whose identities serve every holder of the DID."""
    serving = [
        path
        for path in lineage(holding.account)
        if all(each.account.startswith(path) for each in holding.all_holders)
    ]
    return random.choice(serving or lineage(holding.account)[-1:])


def _details(holding: Holding, user: EndUser) -> Details:
    return Details(
        holder=holding.account,
        assigned_at=ZERO - DAY / 2,
        identity_id=user.identity.identity_id,
        identity_account=user.identity.account,
        identity_revision=user.identity.revision,
        end_user_type="business",
        address_id=user.address.address_id,
        address_revision=user.address.revision,
        verification_id=derived_id("verification"),
        attempt=1,
    )


def _in_force(registration: RegistrationState | None, country: str) -> EndUser | None:
    """Return the end user of the DID; the one before if details that serve nobody were rejected since."""
    details = registration.in_force if registration else None
    if registration is None or details is None:
        return None
    if details.identity_account is None:
        return end_user("acme", lineage(registration.account)[-1], country)
    users = (end_user(name, details.identity_account, country) for name in ("acme", "next"))
    return next(each for each in users if each.identity.identity_id == details.identity_id)


def _requests(
    random: Random, registration: RegistrationState | None, user: EndUser | None
) -> Mapping[AdditionalService, ServiceRequest]:
    """Return the last request of each service that ever had one. An open one is on the identity of the DID.

    Features can have been taken from the number after the request.
    """
    found = {}
    if registration is None:
        return found
    for service in SERVICES:
        supported = registration.features is not None and service in registration.features
        states: list[ServiceState] = ["not_configured"]
        if user is not None and registration.ended is None and (supported or random.random() < 0.2):
            states += STATES_OF[service]
        if random.random() < 0.4:
            continue
        state = random.choice(states)
        is_open = state != "not_configured"
        data = dict(DATA[service])
        if service == "emergency" and user is not None:
            data["address_id"] = user.address.address_id
        found[service] = ServiceRequest(
            request_id=derived_id("request", service),
            did_id=DID_ID,
            number=registration.number,
            account=registration.account,
            service=service,
            state=state,
            identity_id=user.identity.identity_id if user else derived_id("former identity"),
            identity_revision=1,
            identity_account=user.identity.account if user else registration.account,
            data=ServiceData(**data) if is_open else None,
            requested_at=ZERO - DAY,
            requested_by="user:ann",
        )
    return found


def _term(
    random: Random, holding: Holding, registration: RegistrationState | None, *, completed: bool
) -> Term:
    """Return the term, with nothing due now. It is none while the number is ported in."""
    answered = registration is not None
    term = Term(
        did_id=DID_ID,
        number=holding.number,
        account=holding.account,
        payer=holding.payer,
        registration=registration.state if registration else None,
        completed=completed,
        accepted=holding.stock not in ("porting_in", "refused"),
        purchased_at=ZERO - DAY,
    )
    if holding.stock == "porting_in":
        return term
    if not holding.is_live:
        return transition(term, "closed", ZERO)
    ways = ["none", "active", "active", "delayed_removal"]
    state = random.choice([*ways, "canceled", "canceled", "aging"] if answered else ways)
    if state == "none":
        return term
    cycles = {"active": (None, 1, 3), "canceled": (None, 0, 3)}.get(state, (0,))
    is_out_of_time = state == "aging" or (state == "canceled" and random.random() < 0.5)
    expires_at = ZERO - DAY if is_out_of_time or (not answered and random.random() < 0.3) else ZERO + DAY
    started = replace(
        term,
        state="delayed_removal",
        price=PRICE,
        billing_period=1,
        cycles_left=random.choice(cycles),
        period=1,
        period_start=ZERO - DAY * 2,
        anchor=ZERO - DAY * 2,
        anchor_months=1,
        expires_at=expires_at,
        aging_until=ZERO + DAY if is_out_of_time else None,
    )
    return transition(replace(started, state=state), state, ZERO - DAY)


def _routing(random: Random, holding: Holding, registration: RegistrationState | None, term: Term) -> Routing:
    root = lineage(holding.account)[-1]
    trunks = trunks_of(root)
    voice = random.choice((None, *trunks))
    routing = Routing(
        did_id=DID_ID,
        number=holding.number,
        account=holding.account,
        features=holding.features,
        carrier="simulator",
        origin=holding.origin,
        stock=None if holding.stock == "refused" else holding.stock,
        held_by=holding.held_by,
        confirmed=holding.stock not in ("porting_in", "refused"),
        registration=registration.state if registration else None,
        term=term.state,
        voice=VoiceSetting(account=root, delivery=voice.delivery) if voice else None,
        capacity=random.choice((None, None, 0, 5, "unlimited")),
        sms=SmsSetting(account=root, delivery=SMS) if random.random() < 0.3 else None,
    )
    if holding.stock == "porting_in":
        return routing
    if not holding.is_live:
        return _ended_routing(random, routing)
    states: tuple[CarrierState, ...] = ("inactive", "activating", "active", "suspended", "failed")
    return _at_the_carrier(
        random, replace(routing, carrier_state=random.choice(states), served_by="simulator")
    )


def _ended_routing(random: Random, routing: Routing) -> Routing:
    """Return the routing of a DID that ended: released, or with a release that failed."""
    ended = replace(routing, end_reason="ported_out", voice=None, capacity=None, sms=None)
    if not routing.confirmed or random.random() < 0.5:
        return replace(ended, carrier_state="released")
    failure = Failure(command_id=UUID_OF["failed"], action="release", code="rejected")
    return replace(ended, carrier_state="suspended", served_by="simulator", failures=(failure,))


def _at_the_carrier(random: Random, routing: Routing) -> Routing:
    """Return the routing with an open command, failed commands, and what the carrier has applied."""
    state = routing.carrier_state
    content = CommandContent(features=routing.features)
    if state == "activating":
        opened = OpenCommand(command_id=UUID_OF["open"], action="activate", content=content)
        return replace(routing, open_command=opened)
    if state == "failed":
        # A retry that could not be sent because calls must not flow. It is sent as soon as they may.
        was_retried = wanted_state(routing) == "suspended" and random.random() < 0.5
        retry_id = UUID_OF["retry"] if was_retried else None
        failed = Failure(
            command_id=UUID_OF["activation"], action="activate", code="rejected", retry_id=retry_id
        )
        return replace(routing, failures=(failed,))
    if state == "inactive" or random.random() < 0.3:
        applied = Applied(voice=routing.voice_delivery, capacity=routing.capacity, sms=routing.sms_delivery)
        return replace(routing, applied=applied)
    action = random.choice(("set_voice", "set_capacity", "set_sms", "suspend", "resume"))
    failed = Failure(command_id=UUID_OF["failed"], action=action, code="rejected")
    return without_stale_failures(replace(routing, failures=(failed,)))


def _views(
    registration: RegistrationState | None,
    requests: Mapping[AdditionalService, ServiceRequest],
    term: Term,
    routing: Routing,
    *,
    completed: bool,
) -> Views:
    """Return what inventory has received: the last event of each axis."""
    shown = RegistrationView()
    if registration is not None:
        extra = {"reason": "proof_ended"} if registration.state == "expired" else {}
        data = registration_event(registration, EVENT_OF[registration.state], **extra)
        shown = registration_view(RegistrationView(completed=completed), data, ZERO - DAY / 4)
    return Views(
        registration=shown,
        services={name: view_of(ServiceView, service_changed(each)) for name, each in requests.items()},
        routing=view_of(RoutingView, routing_changed(routing)),
        term=view_of(TermView, term_changed(term, "started")),
    )


def _states(
    did: Did,
    registration: RegistrationState | None,
    requests: Mapping[AdditionalService, ServiceRequest],
    routing: Routing,
) -> Mapping[tuple[type, Any], Any]:
    """Return the other states that decisions about the DID can ask for."""
    holding, country = did.holding, str(did.holding.country)
    opened = routing.open_command
    uploader = lineage(holding.account)[-1] if holding.origin == "stock" else None
    number = Number(number=holding.number, did_id=DID_ID if holding.is_live else None, uploaded_by=uploader)
    queue = NumberQueue(
        number=holding.number,
        did_ids=(DID_ID,) if routing.confirmed and routing.carrier_state != "released" else (),
        open_command_id=opened.command_id if opened else None,
    )
    commands = [_command(routing, failure) for failure in routing.failures]
    if routing.carrier_state == "failed" and not routing.failures:
        activation = Failure(command_id=UUID_OF["activation"], action="activate", code="rejected")
        commands.append(_command(routing, activation))
    users = users_of(holding.account)
    owners = {lineage(holding.account)[-1], holding.account}
    if registration is not None:
        owners |= {each.identity_account for each in (registration.approved, registration.assigned) if each}
    people = [end_user(name, owner, country) for name in ("acme", "next", "new") for owner in owners if owner]
    return {
        (Did, DID_ID): did,
        (Number, holding.number): number,
        (NumberQueue, holding.number): queue,
        (Routing, DID_ID): routing,
        **{(ServiceRequest, each.request_id): each for each in requests.values()},
        **{(CarrierCommand, each.command_id): each for each in commands},
        **{(type(user), user.user_id): user for user in users},
        **{(type(trunk), trunk.trunk_id): trunk for trunk in trunks_of(lineage(holding.account)[-1])},
        **{(type(each), each.profile_id): each for each in profiles_of(lineage(holding.account)[-1])},
        **{(type(trunk), trunk.trunk_id): trunk for trunk in sms_trunks_of(lineage(holding.account)[-1])},
        **{(type(each.identity), each.identity.identity_id): each.identity for each in people},
        **{(type(each.address), each.address.address_id): each.address for each in people},
    }


def _command(routing: Routing, failure: Failure) -> CarrierCommand:
    """Return the carrier command that failed for good."""
    return CarrierCommand(
        command_id=failure.command_id,
        did_id=DID_ID,
        number=routing.number,
        account=routing.account,
        carrier="simulator",
        action=failure.action,
        content=CommandContent(features=routing.features),
        state="failed",
        attempt=1,
        issued_at=ZERO - DAY,
        deadline=ZERO - DAY,
        next_at=None,
        give_up_at=ZERO,
        code=failure.code,
    )
