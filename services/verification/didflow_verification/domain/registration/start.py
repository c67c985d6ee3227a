"""The start of a registration: whether the number's country asks for one, decided when the DID begins."""

from datetime import UTC, datetime

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidPortingStarted, DidPurchased
from didflow_contracts.events.purchase import Acquisition
from didflow_contracts.numbers import country_of
from didflow_verification.domain.axes.registration import EVENT_OF, Holder, Registration, said
from didflow_verification.domain.catalogue.rules import (
    ANYWHERE,
    Requirement,
    row_for,
    rows_in_force,
    rules_of,
)
from didflow_verification.domain.registration.addressing import misaddressed
from didflow_verification.domain.registration.lapsing import planned


def rules_country(number: str) -> str:
    """Return the country whose rules a number is under; `ANYWHERE` for numbers of no country."""
    return country_of(number) or ANYWHERE


def on_purchased(
    registration: Registration | None, event: Event[DidPurchased], now: datetime, known: Known
) -> Decision:
    """Begin; a purchase after a port-in, or the same again, begins nothing new."""
    return _begin(registration, event, now, known)


def on_porting_started(
    registration: Registration | None, event: Event[DidPortingStarted], now: datetime, known: Known
) -> Decision:
    """Begin while the number is still on its way, so that the registration can be done by then."""
    return _begin(registration, event, now, known)


def _begin(
    registration: Registration | None, event: Event[Acquisition], now: datetime, known: Known
) -> Decision:
    data = event.data
    rules, anywhere = rules_of(rules_country(data.number), known)
    rows = rows_in_force(rules, anywhere, data.number_type, now.astimezone(UTC).date())
    shown = row_for(rows, data.end_user_type) or rows[0]
    if registration is not None:
        return misaddressed(registration, event) or _filled_in(registration, data, shown)
    started = Registration(
        did_id=data.did_id,
        number=data.number,
        country=rules_country(data.number),
        number_type=data.number_type,
        end_user_type=data.end_user_type,
        account=data.account,
        holders=(Holder(account=data.account, since=None),),
        state="awaiting" if any(row.required for row in rows) else "not_required",
        requirement=shown.key,
        requirement_version=shown.version,
        started_at=now,
        features=data.features,
    )
    started = planned(started, rules, anywhere, now)
    return Decided(state=started, events=(said(started, EVENT_OF[started.state]),))


def _filled_in(registration: Registration, data: Acquisition, shown: Requirement) -> Decision:
    """A porting may leave open who will use the number; the purchase after it says so."""
    unknown = registration.end_user_type is None and data.end_user_type is not None
    if registration.ended or not unknown:
        return Unchanged()
    filled = replace(registration, end_user_type=data.end_user_type)
    if registration.attempt or (registration.requirement, registration.requirement_version) == (
        shown.key,
        shown.version,
    ):
        return Decided(state=filled)
    filled = replace(filled, requirement=shown.key, requirement_version=shown.version)
    return Decided(state=filled, events=(said(filled, EVENT_OF[filled.state]),))
