"""The start of a registration: the catalogue decides whether the number needs one."""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidPortingStarted, DidPurchased
from didflow_contracts.events.purchase import Acquisition
from didflow_contracts.numbers import country_of
from didflow_contracts.ownership import Holder
from didflow_verification.domain.axes.registration import Registration, event_refusal
from didflow_verification.domain.events import EVENT_OF, registration_event
from didflow_verification.domain.registration.lapse import planned
from didflow_verification.domain.requirements import (
    ANYWHERE,
    Requirement,
    is_required,
    rows_in_force,
    rules_of,
    shown_row,
    utc_day,
)


def rules_country(number: str) -> str:
    """Return the country whose rules apply to a number, or `ANYWHERE` if the number has no country."""
    return country_of(number) or ANYWHERE


def on_purchased(
    registration: Registration | None, event: Event[DidPurchased], now: datetime, known: Known
) -> Decision:
    """Start the registration. A purchase after a port-in, or a repeated purchase, starts nothing."""
    return _start(registration, event, now, known)


def on_porting_started(
    registration: Registration | None, event: Event[DidPortingStarted], now: datetime, known: Known
) -> Decision:
    """Start the registration while the number is being ported, so that it can be completed by then."""
    return _start(registration, event, now, known)


def _start(
    registration: Registration | None, event: Event[Acquisition], now: datetime, known: Known
) -> Decision:
    data = event.data
    rules, anywhere = rules_of(rules_country(data.number), known)
    rows = rows_in_force(rules, anywhere, data.number_type, utc_day(now))
    shown = shown_row(rows, data.end_user_type)
    if registration is not None:
        return event_refusal(registration, event) or _with_end_user_type(
            registration, data, rows, lambda known: planned(known, rules, anywhere, now)
        )
    started = Registration(
        did_id=data.did_id,
        number=data.number,
        country=rules_country(data.number),
        number_type=data.number_type,
        end_user_type=data.end_user_type,
        account=data.account,
        holders=(Holder(account=data.account, since=None),),
        state="awaiting" if is_required(rows, data.end_user_type) else "not_required",
        requirement=shown.key,
        requirement_version=shown.version,
        started_at=now,
        stock="porting_in" if isinstance(data, DidPortingStarted) else None,
        features=data.features,
    )
    started = planned(started, rules, anywhere, now)
    return Decided(state=started, events=(registration_event(started, EVENT_OF[started.state]),))


def _with_end_user_type(
    registration: Registration,
    data: Acquisition,
    rows: tuple[Requirement, ...],
    plan: Callable[[Registration], Registration],
) -> Decision:
    """Add the end-user type that a porting left open and the later purchase names.

    If a registration was required only because the type was unknown, it ends, unless details were submitted.
    """
    unknown = registration.end_user_type is None and data.end_user_type is not None
    if registration.ended or not unknown:
        return Unchanged()
    known = replace(registration, end_user_type=data.end_user_type)
    shown = shown_row(rows, data.end_user_type)
    same_row = (known.requirement, known.requirement_version) == (shown.key, shown.version)
    was_unclear = is_required(rows, None) and not is_required(rows, data.end_user_type)
    ends = was_unclear and known.state == "awaiting"
    if known.attempt or (same_row and not ends):
        return Decided(state=known)
    if ends:
        known = known.moved_to("not_required")
    known = plan(replace(known, requirement=shown.key, requirement_version=shown.version))
    return Decided(state=known, events=(registration_event(known, EVENT_OF[known.state]),))
