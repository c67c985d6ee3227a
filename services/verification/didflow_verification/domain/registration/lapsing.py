"""How and when an approval ends, and when the clock is to look at a registration next.

Planned by the catalogue as it is; a look that was planned under an older one only plans anew (see `due`).
Source: spec lifecycle, Registration; spec verification, Catalogue.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from didflow_contracts.events import VerificationExpired, VerificationPending
from didflow_contracts.events.registration import Reason
from didflow_verification.domain.axes.lapse import Lapse
from didflow_verification.domain.axes.registration import Details, Registration, moved, said
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.catalogue.rules import CountryRules, Requirement, rows_in_force
from didflow_verification.domain.evaluation.validity import midnight
from didflow_verification.domain.registration.requiring import next_turn

WARNED_BEFORE: Final = timedelta(days=30)
PROOF_GRACE: Final = timedelta(days=7)

_WORDS: Final = {
    "proof_ended": "A paper that proved it has passed its end date.",
    "requirement_changed": "The country asks for something else now.",
    "revoked": "The approval was revoked.",
}


def planned(
    registration: Registration, rules: CountryRules | None, anywhere: CountryRules | None, now: datetime
) -> Registration:
    """Return the registration with the end of its approval, and when the clock is to look at it."""
    if registration.ended:
        return replace(registration, lapse=None, due_at=None)
    if registration.state == "approved":
        return _approved_until(registration, lapse_of(registration, rules, anywhere), now)
    return replace(registration, lapse=None, due_at=next_turn(registration, rules, anywhere, now))


def _approved_until(registration: Registration, lapse: Lapse | None, now: datetime) -> Registration:
    """Plan the warning of an end that was not known; what is planned already keeps its own instants."""
    if lapse is None:
        return replace(registration, lapse=None, due_at=None)
    known = registration.lapse
    if known is not None and lapse.same_as(known) and registration.due_at is not None:
        return replace(registration, lapse=replace(lapse, warned=known.warned))
    return replace(registration, lapse=lapse, due_at=max(lapse.at - WARNED_BEFORE, now))


def lapse_of(
    registration: Registration, rules: CountryRules | None, anywhere: CountryRules | None
) -> Lapse | None:
    """Return how the approved details will end, whichever comes first; None where nothing is known."""
    approved = registration.approved
    if approved is None:
        return None
    ends = [*_papers(approved), *_requirements(registration, approved, rules, anywhere)]
    return min(ends, key=lambda lapse: lapse.at, default=None)


def _papers(approved: Details) -> Iterator[Lapse]:
    until = approved.valid_until
    if until is not None:
        yield Lapse(at=until, reason="proof_ended", grace_until=until + PROOF_GRACE)


def _requirements(
    registration: Registration,
    approved: Details,
    rules: CountryRules | None,
    anywhere: CountryRules | None,
) -> Iterator[Lapse]:
    kind = approved.end_user_type or registration.end_user_type
    for row in (*(rules.requirements if rules else ()), *(anywhere.requirements if anywhere else ())):
        meant = row.key == approved.requirement or kind in {*row.end_user_types, None}
        applies = meant and row.number_type in {registration.number_type, "any"}
        asks = row.reverify and row.required and applies and _comes_after(row, approved)
        if row.grace_until and asks and _decides(row, registration, rules, anywhere):
            grace = midnight(row.grace_until)
            yield Lapse(at=midnight(row.effective_from), reason="requirement_changed", grace_until=grace)


def _comes_after(row: Requirement, approved: Details) -> bool:
    """Whether a row is newer than what the details were judged by."""
    if row.key == approved.requirement:
        return row.version > (approved.requirement_version or 0)
    return approved.judged_on is not None and row.effective_from > approved.judged_on


def _decides(
    row: Requirement, registration: Registration, rules: CountryRules | None, anywhere: CountryRules | None
) -> bool:
    """Whether numbers of this kind are judged by the row when it begins (a country's own row goes first)."""
    return row in rows_in_force(rules, anywhere, registration.number_type, row.effective_from)


def lapsed(registration: Registration, lapse: Lapse, reasons: tuple[Reason, ...] = ()) -> Step:
    """Let what is approved end; newer details that wait for a decision go on waiting, now in the axis.

    Source: spec lifecycle, Registration: Approved details can expire.
    """
    gone = registration.approved
    over = moved(
        registration,
        "expired",
        approved=None,
        lapse=None,
        due_at=None,
        grace_until=lapse.grace_until,
        reasons=reasons or (Reason(code=lapse.reason, message=_WORDS[lapse.reason]),),
    )
    step = Step(registration=over, events=(said(over, VerificationExpired, gone, reason=lapse.reason),))
    if not registration.open:
        return step
    waiting = moved(over, "pending", reasons=())
    return step.then(waiting, said(waiting, VerificationPending, waiting.assigned))
