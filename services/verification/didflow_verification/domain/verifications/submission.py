"""One submission of details for a DID: it is judged at once, and becomes the next verification.

Approved details stay in force until new ones are approved. Source: spec lifecycle, Registration.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Known
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.step import Step
from didflow_verification.domain.axes.verification import Verification, reference_of, verification_id
from didflow_verification.domain.details.document import DocumentFacts, facts_of, judged_documents
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.evaluation import evaluate
from didflow_verification.domain.evaluation.areas import area_of, locate_for
from didflow_verification.domain.evaluation.findings import reasons
from didflow_verification.domain.events import EVENT_OF, registration_event
from didflow_verification.domain.registration.lapse import planned
from didflow_verification.domain.registration.revoked_details import needs_person, with_revoked_approval
from didflow_verification.domain.requirements import rules_of, utc_day
from didflow_verification.domain.verifications.approval import Approval, approval_key
from didflow_verification.domain.verifications.judgement import Case, JudgedOutcome, Judgement, judge


class Submission(Struct, frozen=True, kw_only=True):
    """Details that somebody submits for a DID at the instant `at`.

    `holder` is the account that held the DID at that instant. `named` is the account that an outside source named.
    `actor` is who submits, or None if unknown.
    """

    holder: str
    named: str | None = None
    at: datetime
    identity_id: UUID
    address_id: UUID | None
    document_ids: tuple[UUID, ...] = ()
    actor: str | None


def submission_of(details: Details, actor: str | None) -> Submission:
    """Return details that were assigned earlier as a submission."""
    return Submission(
        holder=details.holder,
        named=details.named,
        at=details.assigned_at,
        identity_id=details.identity_id,
        address_id=details.address_id,
        document_ids=details.document_ids,
        actor=actor,
    )


def approval_keys(registration: Registration, submission: Submission) -> tuple[str, str]:
    """Return the keys of the reviews of these details: for the number's area, and for any area."""
    key = partial(
        approval_key,
        account=submission.holder,
        identity_id=submission.identity_id,
        address_id=submission.address_id,
        country=registration.country,
        number_type=registration.number_type,
    )
    return key(area=area_of(registration.number)), key(area="")


def case_of(registration: Registration, submission: Submission, now: datetime, known: Known) -> Case:
    """Return the case to judge, with the states that the handler loaded."""
    rules, anywhere = rules_of(registration.country, known)
    return Case(
        account=submission.holder,
        country=registration.country,
        number_type=registration.number_type,
        shown_type=registration.end_user_type,
        rules=rules,
        anywhere=anywhere,
        identity=known.get(Identity, submission.identity_id),
        address_id=submission.address_id,
        address=_address(submission, known),
        document_ids=submission.document_ids,
        documents=facts_of(submission.document_ids, known),
        locate=locate_for(registration.number, rules),
        find_documents=partial(facts_of, known=known),
        needs_person=needs_person(registration, submission.identity_id, submission.address_id, known),
        now=now,
    )


def _address(submission: Submission, known: Known) -> Address | None:
    """Return the submitted address, or None if it does not exist or was erased."""
    found = known.get(Address, submission.address_id) if submission.address_id else None
    return None if found is None or found.erased_at else found


def details_of(case: Case, submission: Submission) -> Details:
    """Return the submitted details as they are now, before they are judged. An erased identity is nobody's."""
    exists = case.identity is not None and case.identity.erased_at is None
    return Details(
        holder=submission.holder,
        named=submission.named,
        assigned_at=submission.at,
        identity_id=submission.identity_id,
        identity_account=case.identity.account if case.identity and exists else None,
        identity_revision=case.identity.revision if case.identity else None,
        end_user_type=case.identity.type if case.identity else None,
        address_id=submission.address_id,
        address_revision=case.address.revision if case.address else None,
        document_ids=submission.document_ids,
    )


def judgement_of(registration: Registration, submission: Submission, case: Case, known: Known) -> Judgement:
    """Judge a case of this registration. Equal details are evaluated once in a batch."""
    for_area, for_any_area = (known.get(Approval, key) for key in approval_keys(registration, submission))
    return judge(case, (for_area, for_any_area), partial(known.compute, evaluate))


def submit(
    registration: Registration,
    submission: Submission,
    now: datetime,
    known: Known,
    pending: Verification | None,
) -> Step:
    """Judge the submission and return the next verification. It replaces the `pending` one, if there is one."""
    case = case_of(registration, submission, now, known)
    judgement = judgement_of(registration, submission, case, known)
    verification = _verification(registration, submission, case, judgement)
    superseded = () if pending is None else (pending.moved_to("superseded"),)
    details = replace(details_of(case, submission), valid_until=judgement.valid_until)
    marked = with_revoked_approval(registration, known)
    after = _with_outcome(marked, _judged(details, verification), verification, judgement.outcome)
    after = planned(after, case.rules, case.anywhere, now)
    event = registration_event(after, EVENT_OF[judgement.outcome], after.assigned)
    return Step(
        registration=after,
        verifications=(*superseded, verification),
        events=(event,),
        manual_checks=_manual_checks(verification),
    )


def _manual_checks(verification: Verification) -> tuple[tuple[str, str], ...]:
    """Return the checks that wait for a reviewer. An automatic approval leaves none."""
    if verification.status != "pending":
        return ()
    return tuple((verification.country, f.check) for f in verification.findings if f.passed is None)


def _verification(
    registration: Registration, submission: Submission, case: Case, judgement: Judgement
) -> Verification:
    attempt = registration.attempt + 1
    identifier = verification_id(registration.did_id, attempt)
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
        attempt=attempt,
        status=judgement.outcome,
        requirement=judgement.requirement.key,
        requirement_version=judgement.requirement.version,
        area=area_of(registration.number) if by_area else "",
        identity_id=submission.identity_id,
        identity_revision=case.identity.revision if case.identity else None,
        address_id=submission.address_id,
        address_revision=case.address.revision if case.address else None,
        document_ids=_in_order(submission.document_ids if decided else _to_review(submission, judgement)),
        documents=judged_documents(submission.document_ids, _own_documents(case, judgement)),
        findings=judgement.findings,
        reasons=reasons(judgement.findings),
        automatic=decided,
        rests_on=judgement.rests_on,
        submitted_at=case.now,
        submitted_by=submission.actor,
        decided_at=case.now if decided else None,
        decided_by=None,
        claimed_by=None,
        claimed_until=None,
    )


def _in_order(document_ids: tuple[UUID, ...]) -> tuple[UUID, ...]:
    """Return the documents in one order, so that the same documents are equal in whatever order they came."""
    return tuple(sorted(set(document_ids)))


def _to_review(submission: Submission, judgement: Judgement) -> tuple[UUID, ...]:
    """Return the documents that a person reviews: the submitted ones, and those of a review that it may not rest on."""
    evaluated = (document.document_id for document in judgement.documents)
    return tuple(dict.fromkeys((*submission.document_ids, *evaluated)))


def _own_documents(case: Case, judgement: Judgement) -> Iterator[DocumentFacts]:
    """Yield the documents of the submitted identity: the submitted ones, and those of the review that it rests on."""
    identity = case.identity
    if identity is not None and identity.serves(case.account):
        documents = (*case.documents, *judgement.documents)
        yield from (each for each in documents if each.identity_id == identity.identity_id)


def _judged(details: Details, verification: Verification) -> Details:
    """Return the details with the verification that judged them."""
    return replace(
        details,
        judged_on=utc_day(verification.submitted_at),
        requirement=verification.requirement,
        requirement_version=verification.requirement_version,
        verification_id=verification.verification_id,
        reference=verification.reference,
        attempt=verification.attempt,
        automatic=verification.automatic,
        rests_on=verification.rests_on,
    )


def _with_outcome(
    registration: Registration, details: Details, verification: Verification, outcome: JudgedOutcome
) -> Registration:
    """Move the axis to the outcome. An approved registration stays approved."""
    changes: dict[str, Any] = {
        "assigned": details,
        "attempt": verification.attempt,
        "open": outcome == "pending",
        "reasons": verification.reasons,
        "requirement": verification.requirement,
        "requirement_version": verification.requirement_version,
    }
    if outcome == "approved":
        changes |= {"approved": details, "grace_until": None}
    if registration.state == "approved":
        return replace(registration, **changes)
    return registration.moved_to(outcome, **changes)
