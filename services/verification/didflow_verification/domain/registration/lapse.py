"""The plan of a registration: how its approval will end, and when its timer is due next.

The plan uses the catalogue as it is now. A timer that was planned under an older catalogue only makes a new plan.
Source: spec lifecycle, Registration; spec verification, Catalogue.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from didflow_contracts.events import VerificationExpired, VerificationPending
from didflow_contracts.events.registration import Reason
from didflow_contracts.instants import later, start_of
from didflow_verification.domain.axes.registration import Details, Lapse, Registration
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.evaluation.findings import LAPSE_MESSAGES
from didflow_verification.domain.events import registration_event
from didflow_verification.domain.requirements import (
    CountryRules,
    Requirement,
    all_rows,
    is_required,
    rows_in_force,
    utc_day,
)

WARNED_BEFORE: Final = timedelta(days=30)
PROOF_GRACE: Final = timedelta(days=7)


def planned(
    registration: Registration, rules: CountryRules | None, anywhere: CountryRules | None, now: datetime
) -> Registration:
    """Return the registration with the known end of its approval and with its next timer."""
    if registration.ended:
        return replace(registration, lapse=None, due_at=None)
    if registration.state == "approved":
        return _approved_until(registration, lapse_of(registration, rules, anywhere), now)
    return replace(registration, lapse=None, due_at=requirement_change(registration, rules, anywhere, now))


def _approved_until(registration: Registration, lapse: Lapse | None, now: datetime) -> Registration:
    """Plan the warning of a new end. An end that was already planned keeps its instants."""
    if lapse is None:
        return replace(registration, lapse=None, due_at=None)
    known = registration.lapse
    if known is not None and lapse.same_as(known) and registration.due_at is not None:
        return replace(registration, lapse=replace(lapse, warned=known.warned))
    return replace(registration, lapse=lapse, due_at=max(later(lapse.at, -WARNED_BEFORE), now))


def lapse_of(
    registration: Registration, rules: CountryRules | None, anywhere: CountryRules | None
) -> Lapse | None:
    """Return the first known end of the approved details, or None if no end is known."""
    approved = registration.approved
    if approved is None:
        return None
    ends = [*_ends_of_documents(approved), *_ends_by_requirement(registration, approved, rules, anywhere)]
    return min(ends, key=lambda lapse: lapse.at, default=None)


def _ends_of_documents(approved: Details) -> Iterator[Lapse]:
    until = approved.valid_until
    if until is not None:
        yield Lapse(at=until, reason="proof_ended", grace_until=later(until, PROOF_GRACE))


def _ends_by_requirement(
    registration: Registration,
    approved: Details,
    rules: CountryRules | None,
    anywhere: CountryRules | None,
) -> Iterator[Lapse]:
    kind = approved.end_user_type or registration.end_user_type
    for row in all_rows(rules, anywhere):
        covers = row.key == approved.requirement or kind in {*row.end_user_types, None}
        applies = covers and row.number_type in {registration.number_type, "any"}
        reverifies = row.reverify and row.required and applies and _is_newer(row, approved)
        if row.grace_until and reverifies and _takes_effect(row, registration, rules, anywhere):
            grace = start_of(row.grace_until)
            yield Lapse(at=start_of(row.effective_from), reason="requirement_changed", grace_until=grace)


def _is_newer(row: Requirement, approved: Details) -> bool:
    """Return True if a row is newer than the row that the details were judged by."""
    if row.key == approved.requirement:
        return row.version > (approved.requirement_version or 0)
    return approved.judged_on is not None and row.effective_from > approved.judged_on


def _takes_effect(
    row: Requirement, registration: Registration, rules: CountryRules | None, anywhere: CountryRules | None
) -> bool:
    """Return True if the row applies to this number when it begins. A row of the country precedes `ANYWHERE`."""
    return row in rows_in_force(rules, anywhere, registration.number_type, row.effective_from)


def requirement_change(
    registration: Registration, rules: CountryRules | None, anywhere: CountryRules | None, now: datetime
) -> datetime | None:
    """Return when the number may begin or stop to require a registration: now, 00:00 UTC of a day, or never.

    Only a version with `reverify` changes a registration that has started. Source: spec lifecycle, The axes.
    """
    if registration.state not in {"not_required", "awaiting"}:
        return None
    reverifying = [row for row in all_rows(rules, anywhere) if row.reverify]
    if not reverifying:
        return None
    today, kind = utc_day(now), registration.number_type
    if is_outdated(registration, rows_in_force(rules, anywhere, kind, today)):
        return now
    days = (
        row.effective_from
        for row in reverifying
        if row.number_type in {kind, "any"} and row.effective_from > today
    )
    changes = (day for day in days if is_outdated(registration, rows_in_force(rules, anywhere, kind, day)))
    return min((start_of(day) for day in changes), default=None)


def is_outdated(registration: Registration, rows: tuple[Requirement, ...]) -> bool:
    """Return True if the rows in force contradict the state `not_required` or `awaiting`."""
    if not any(row.reverify for row in rows):
        return False
    required = is_required(rows, registration.end_user_type)
    return registration.state == ("not_required" if required else "awaiting")


def lapsed(registration: Registration, lapse: Lapse, reasons: tuple[Reason, ...] = ()) -> Step:
    """End the approval. If newer details wait for a decision, the axis becomes pending.

    Source: spec lifecycle, Registration: Approved details can expire.
    """
    former = registration.approved
    expired = registration.moved_to(
        "expired",
        approved=None,
        ended_approval=None if lapse.reason == "revoked" else former,
        lapse=None,
        due_at=None,
        grace_until=lapse.grace_until,
        reasons=reasons or (Reason(code=lapse.reason, message=LAPSE_MESSAGES[lapse.reason]),),
    )
    event = registration_event(expired, VerificationExpired, former, reason=lapse.reason)
    step = Step(registration=expired, events=(event,))
    if not registration.open:
        return step
    pending = expired.moved_to("pending", reasons=())
    return step.then(pending, registration_event(pending, VerificationPending, pending.assigned))
