"""A DID whose details were changed is judged again: its next attempt, beside what is in force.

It comes from the clock, DID by DID, so that an end user with thousands of numbers is no giant transaction.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known
from didflow_contracts.events import VerificationNotRequired
from didflow_verification.domain.axes.registration import Registration, said
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.registration.holding import open_attempt
from didflow_verification.domain.services.serving import moved_house, served
from didflow_verification.domain.verifications.submitting import Wish, case_of, details_of, submit, wish_again


class Reassessment(Struct, frozen=True, kw_only=True):
    """That a DID is to be judged again at `due_at` because `changed_by` changed its details; None: it was.

    `address_ids` are the addresses that were changed since.
    """

    did_id: UUID
    number: str
    due_at: datetime | None
    changed_by: str
    address_ids: tuple[UUID, ...] = ()


def wishes_again(registration: Registration, by: str) -> Iterator[Wish]:
    """Yield the details that may have to be judged again: the last assigned, then those in force.

    While an attempt is open nothing takes the place of what it submits but a later state of the same.
    """
    if registration.ended or registration.assigned is None:
        return
    yield wish_again(registration.assigned, by)
    if registration.approved is not None and not registration.open:
        yield wish_again(registration.approved, by)


def on_due(waiting: Reassessment, at: datetime, known: Known) -> Decision:
    """Submit details that are behind what they state now; where none are, nothing is left to do.

    Approved details stay in force until the new ones are approved. Source: spec verification, Verifications.
    """
    done = replace(waiting, due_at=None, address_ids=())
    registration = known.get(Registration, waiting.did_id)
    if registration is None or registration.ended:
        return Decided(state=done)
    wish = _behind(registration, waiting.changed_by, at, known)
    step = Step(registration=registration) if wish is None else _submitted(registration, wish, at, known)
    step = served(moved_house(step, waiting.address_ids, known), known)
    if step == Step(registration=registration):
        return Decided(state=done)
    return Decided(state=done, also=(step.registration, *step.changed), events=step.events)


def _behind(registration: Registration, by: str, at: datetime, known: Known) -> Wish | None:
    judged = (registration.assigned, registration.approved)
    for wish, details in zip(wishes_again(registration, by), judged, strict=False):
        if not details_of(case_of(registration, wish, at, known), wish).same_as(details):
            return wish
    return None


def _submitted(registration: Registration, wish: Wish, at: datetime, known: Known) -> Step:
    if registration.state != "not_required":
        return submit(registration, wish, at, known, open_attempt(registration, known))
    kept = replace(registration, assigned=details_of(case_of(registration, wish, at, known), wish))
    return Step(registration=kept, events=(said(kept, VerificationNotRequired),))
