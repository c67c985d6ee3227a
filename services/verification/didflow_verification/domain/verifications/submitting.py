"""One submission of details for a DID: judged at once, a new attempt, and what the axis becomes of it.

Approved details stay in force until new ones are approved. Source: spec lifecycle, Registration.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Known
from didflow_verification.domain.axes.registration import EVENT_OF, Details, Registration, moved, said
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.axes.verification import Verification, reference_of, verification_id
from didflow_verification.domain.axes.verification import moved as attempt_moved
from didflow_verification.domain.catalogue.rules import rules_of
from didflow_verification.domain.details.document import StoredDocument
from didflow_verification.domain.details.identity import Address, Document, Identity
from didflow_verification.domain.evaluation.areas import place_names, prefix_of
from didflow_verification.domain.evaluation.evaluating import evaluate
from didflow_verification.domain.evaluation.findings import reasons
from didflow_verification.domain.registration.lapsing import planned
from didflow_verification.domain.verifications.approvals import Approval, approval_key
from didflow_verification.domain.verifications.judging import Case, Judgement, judge


class Wish(Struct, frozen=True, kw_only=True):
    """Details somebody wants for a DID; `holder` is the account that the DID belonged to then, `at`."""

    holder: str
    at: datetime
    identity_id: UUID
    address_id: UUID | None
    document_ids: tuple[UUID, ...] = ()
    by: str | None


def wish_again(details: Details, by: str | None) -> Wish:
    """Return the wish for details that were assigned before, as it was then."""
    return Wish(
        holder=details.holder,
        at=details.assigned_at,
        identity_id=details.identity_id,
        address_id=details.address_id,
        document_ids=details.document_ids,
        by=by,
    )


def approval_keys(registration: Registration, wish: Wish) -> tuple[str, str]:
    """Return where reviews of these details would lie: for the number's prefix, and for anywhere."""
    key = partial(
        approval_key,
        account=wish.holder,
        identity_id=wish.identity_id,
        address_id=wish.address_id,
        country=registration.country,
        number_type=registration.number_type,
    )
    return key(prefix=prefix_of(registration.number)), key(prefix="")


def case_of(registration: Registration, wish: Wish, now: datetime, known: Known) -> Case:
    """Put together what is judged, from the states that the handler declared."""
    rules, anywhere = rules_of(registration.country, known)
    return Case(
        account=wish.holder,
        country=registration.country,
        number_type=registration.number_type,
        shown_type=registration.end_user_type,
        rules=rules,
        anywhere=anywhere,
        identity=known.get(Identity, wish.identity_id),
        address_id=wish.address_id,
        address=_address(wish, known),
        document_ids=wish.document_ids,
        documents=documents_of(wish.document_ids, known),
        names=partial(place_names, registration.number, rules),
        given=partial(documents_of, known=known),
        now=now,
    )


def _address(wish: Wish, known: Known) -> Address | None:
    """Return the named address; one that was erased is none."""
    found = known.get(Address, wish.address_id) if wish.address_id else None
    return None if found is None or found.erased_at else found


def documents_of(document_ids: Iterable[UUID], known: Known) -> tuple[Document, ...]:
    """Return the named documents that are there, as an evaluation looks at them."""
    found = (known.get(StoredDocument, key) for key in document_ids)
    return tuple(document.judged() for document in found if document and not document.erased_at)


def details_of(case: Case, wish: Wish) -> Details:
    """Return the details as they are now, not yet judged."""
    return Details(
        holder=wish.holder,
        assigned_at=wish.at,
        identity_id=wish.identity_id,
        identity_account=case.identity.account if case.identity else None,
        identity_revision=case.identity.revision if case.identity else None,
        end_user_type=case.identity.type if case.identity else None,
        address_id=wish.address_id,
        address_revision=case.address.revision if case.address else None,
        document_ids=wish.document_ids,
    )


def judged(registration: Registration, wish: Wish, case: Case, known: Known) -> Judgement:
    """Judge a case of this registration; the same details are evaluated once in a batch."""
    by_area, anywhere = (known.get(Approval, key) for key in approval_keys(registration, wish))
    return judge(case, (by_area, anywhere), partial(known.once, evaluate))


def submit(
    registration: Registration, wish: Wish, now: datetime, known: Known, before: Verification | None
) -> Step:
    """Judge the wish and return the next attempt; `before` is the attempt still open, which it replaces."""
    case = case_of(registration, wish, now, known)
    judgement = judged(registration, wish, case, known)
    attempt = _attempt(registration, wish, case, judgement)
    superseded = () if before is None else (attempt_moved(before, "superseded"),)
    details = replace(details_of(case, wish), valid_until=judgement.valid_until)
    after = _taken(registration, _told(details, attempt), attempt)
    after = planned(after, case.rules, case.anywhere, now)
    event = said(after, EVENT_OF[judgement.outcome], after.assigned)
    return Step(registration=after, attempts=(*superseded, attempt), events=(event,))


def _attempt(registration: Registration, wish: Wish, case: Case, judgement: Judgement) -> Verification:
    number = registration.attempt + 1
    identifier = verification_id(registration.did_id, number)
    decided = judgement.outcome != "pending"
    by_area = judgement.requirement.by_area
    return Verification(
        verification_id=identifier,
        reference=reference_of(identifier),
        did_id=registration.did_id,
        number=registration.number,
        account=registration.account,
        country=registration.country,
        number_type=registration.number_type,
        end_user_type=case.identity.type if case.identity else registration.end_user_type,
        attempt=number,
        status=judgement.outcome,
        requirement=judgement.requirement.key,
        requirement_version=judgement.requirement.version,
        prefix=prefix_of(registration.number) if by_area else "",
        identity_id=wish.identity_id,
        identity_revision=case.identity.revision if case.identity else None,
        address_id=wish.address_id,
        address_revision=case.address.revision if case.address else None,
        document_ids=wish.document_ids,
        findings=judgement.findings,
        reasons=reasons(judgement.findings),
        automatic=decided,
        rests_on=judgement.rests_on,
        submitted_at=case.now,
        submitted_by=wish.by,
        decided_at=case.now if decided else None,
        decided_by=None,
        claimed_by=None,
        claimed_until=None,
    )


def _told(details: Details, attempt: Verification) -> Details:
    return replace(
        details,
        judged_on=attempt.submitted_at.astimezone(UTC).date(),
        requirement=attempt.requirement,
        requirement_version=attempt.requirement_version,
        verification_id=attempt.verification_id,
        reference=attempt.reference,
        attempt=attempt.attempt,
        automatic=attempt.automatic,
        rests_on=attempt.rests_on,
    )


def _taken(registration: Registration, details: Details, attempt: Verification) -> Registration:
    """Let the axis follow the attempt's outcome; while details are approved it stays approved."""
    outcome = attempt.status
    if outcome not in {"pending", "approved", "rejected"}:
        raise ValueError(outcome)
    changes: dict[str, Any] = {
        "assigned": details,
        "attempt": attempt.attempt,
        "open": outcome == "pending",
        "reasons": attempt.reasons,
        "requirement": attempt.requirement,
        "requirement_version": attempt.requirement_version,
    }
    if outcome == "approved":
        changes |= {"approved": details, "grace_until": None}
    if registration.state == "approved":
        return replace(registration, **changes)
    return moved(registration, outcome, **changes)
