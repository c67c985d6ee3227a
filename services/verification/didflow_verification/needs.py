"""The states that each decision needs besides its own, as the message and the stored states name them."""

from collections.abc import Iterable
from typing import Any

from didflow_chassis.decision import Known
from didflow_chassis.service import Ref
from didflow_contracts.assignments import AssignmentRefused
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import EnduserAssigned
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.commands import (
    Approve,
    ApproveCovered,
    BeginErasure,
    CancelService,
    ChangeAddress,
    ChangeIdentity,
    CompleteErasure,
    CorrectService,
    CreateAddress,
    CreateDocument,
    DecideService,
    EraseAddress,
    EraseDocument,
    EraseIdentity,
    EraseReviewerTexts,
    ReassessDid,
    RecheckDid,
    Reject,
    RequestService,
    Resubmit,
    Revoke,
    RevokeResting,
)
from didflow_verification.domain.details.changes import UsedDetail
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.erasure import DetailUse, OwnedDetails
from didflow_verification.domain.details.former import FormerDetails, JudgedDetail, former_id
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.reassessment import submissions_again
from didflow_verification.domain.recheck import resting_verification_id
from didflow_verification.domain.registration.revoked_details import review_of_last_approval
from didflow_verification.domain.registration.start import rules_country
from didflow_verification.domain.requirements import ANYWHERE, CountryRules
from didflow_verification.domain.timers import stored_submission
from didflow_verification.domain.verifications.approval import Approval, approval_key_of
from didflow_verification.domain.verifications.assignment import (
    assigned_submission,
    judged_assignment,
    resubmitted_submission,
)
from didflow_verification.domain.verifications.coverage import OthersPending, pending_submission
from didflow_verification.domain.verifications.revocation import named_review
from didflow_verification.domain.verifications.submission import Submission, approval_keys


def rules_of_number(number: str) -> tuple[Ref, ...]:
    """Return the rules that apply to a number."""
    return (Ref(CountryRules, rules_country(number)), Ref(CountryRules, ANYWHERE))


def _details(named: EnduserAssigned | Resubmit | Submission) -> Iterable[Ref]:
    """Return the identity, the address and the documents that were named."""
    yield Ref(Identity, named.identity_id)
    if named.address_id is not None:
        yield Ref(Address, named.address_id)
    yield from (Ref(Document, key) for key in named.document_ids)


def _next_verification(registration: Registration, submission: Submission, known: Known) -> Iterable[Ref]:
    """Return the next verification, the reviews that it may rest on, and the documents of loaded reviews."""
    yield Ref(Verification, verification_id(registration.did_id, registration.attempt + 1), write=True)
    yield from _last_review(registration, known)
    for key in approval_keys(registration, submission):
        yield Ref(Approval, key)
        approval = known.states.get((Approval, key))
        if approval is not None:
            yield from (Ref(Document, document_id) for document_id in approval.document_ids)


def _last_review(registration: Registration, known: Known) -> Iterable[Ref]:
    """Return the review behind the last approval of the DID. A revocation waits for its lock.

    The review is locked by its own number, which is known when the review has been loaded.
    """
    review_id = review_of_last_approval(registration)
    if review_id is None:
        return
    yield Ref(Verification, review_id)
    review = known.states.get((Verification, review_id))
    if review is not None:
        yield Ref(Verification, review_id, subject=review.number)


def _address_of(request: ServiceRequest | None) -> Iterable[Ref]:
    return (Ref(Address, request.address_id),) if request and request.address_id else ()


def _service_requests(registration: Registration | None) -> Iterable[Ref]:
    keys = registration.services.values() if registration else ()
    return (Ref(ServiceRequest, key, write=True) for key in keys)


def for_start(event: Event[EventData]) -> Iterable[Ref]:
    """Return the rules that decide the start of a registration."""
    return rules_of_number(event.data.subject)


def for_assignment(event: Event[EnduserAssigned]) -> Iterable[Ref]:
    """Return the rules and the assigned details."""
    return (*rules_of_number(event.data.number), *_details(event.data))


def after_assignment(
    registration: Registration | None, event: Event[EnduserAssigned], known: Known
) -> Iterable[Ref]:
    """Return the open states of the DID, and what the next verification needs."""
    if registration is None or registration.ended:
        return ()
    judged = judged_assignment(registration, event)
    if isinstance(judged, AssignmentRefused):
        return ()
    submission = assigned_submission(judged, event)
    return (
        *open_states(registration, event, known),
        *_next_verification(registration, submission, known),
    )


def open_states(registration: Registration | None, _message: Any, _known: Known) -> Iterable[Ref]:
    """Return the open verification and the open service requests. They can change with the registration."""
    identifier = registration.open_verification_id if registration else None
    if identifier is not None:
        yield Ref(Verification, identifier, write=True)
    yield from _service_requests(registration)


def for_review(command: Approve | Reject | Revoke) -> Iterable[Ref]:
    """Return the verification to decide, and the rules that limit an approval."""
    return (Ref(Verification, command.verification_id, write=True), *rules_of_number(command.subject))


def after_approval(registration: Registration | None, command: Approve, known: Known) -> Iterable[Ref]:
    """Return the approval that others can rest on, whether others wait for it, and the services of the DID.

    The review behind the details that the approval replaces can be revoked: see `with_revoked_approval`.
    """
    verification = known.get(Verification, command.verification_id)
    if verification is not None:
        yield Ref(Approval, approval_key_of(verification), write=True)
        yield Ref(OthersPending, verification.verification_id)
    if registration is not None and not registration.ended:
        yield from _last_review(registration, known)
    yield from _service_requests(registration)


def for_covered(command: ApproveCovered) -> Iterable[Ref]:
    """Return the approved verification and the rules. A revocation waits for the lock of the verification."""
    approved = Ref(Verification, command.approved_id, subject=command.approved_number)
    return (approved, *rules_of_number(command.subject))


def covered_verification(
    registration: Registration | None, command: ApproveCovered, known: Known
) -> Iterable[Ref]:
    """Return the pending verification, its details, the documents of the approved one, and the open services."""
    submission = pending_submission(registration) if registration else None
    if registration is None or submission is None:
        return
    yield from open_states(registration, command, known)
    yield from _last_review(registration, known)
    yield from _details(submission)
    approved = known.get(Verification, command.approved_id)
    yield from (Ref(Document, key) for key in (approved.document_ids if approved else ()))


def after_revocation(registration: Registration | None, command: Revoke, known: Known) -> Iterable[Ref]:
    """Return the review that is revoked too, the approvals that others rest on, and the services of the DID.

    The lock of an approval keeps new DIDs from resting on it. The review is locked by its own number, as whatever
    rests on it reads it. The number is known when the review has been loaded.
    """
    yield from _service_requests(registration)
    verification = known.get(Verification, command.verification_id)
    if verification is None:
        return
    yield Ref(Approval, approval_key_of(verification), write=True)
    review_id = named_review(verification, command)
    if review_id is None:
        return
    yield Ref(Verification, review_id)
    review = known.states.get((Verification, review_id))
    if review is not None:
        yield Ref(Verification, review_id, write=True, subject=review.number)
        yield Ref(Approval, approval_key_of(review), write=True)


def for_resubmission(command: Resubmit) -> Iterable[Ref]:
    """Return the rejected verification, the rules and the details."""
    return (Ref(Verification, command.verification_id), *rules_of_number(command.subject), *_details(command))


def after_resubmission(registration: Registration | None, command: Resubmit, known: Known) -> Iterable[Ref]:
    """Return the open service requests, and what the next verification needs."""
    if registration is None or registration.ended:
        return ()
    submission = resubmitted_submission(command, registration.account, registration.started_at)
    return (*_service_requests(registration), *_next_verification(registration, submission, known))


def for_service_request(command: RequestService) -> Iterable[Ref]:
    """Return the request to make, and its address."""
    yield Ref(ServiceRequest, command.request_id, write=True)
    if command.data.address_id is not None:
        yield Ref(Address, command.data.address_id)


def open_service_requests(
    registration: Registration | None, _command: RequestService, _known: Known
) -> Iterable[Ref]:
    """Return the open service requests of the DID."""
    return _service_requests(registration)


def named_service_request(command: DecideService | CancelService) -> Iterable[Ref]:
    """Return the request to change."""
    return (Ref(ServiceRequest, command.request_id, write=True),)


def for_correction(command: CorrectService) -> Iterable[Ref]:
    """Return the request to correct, and the address that the correction names."""
    yield Ref(ServiceRequest, command.request_id, write=True)
    if command.changes.get("address_id") is not None:
        yield Ref(Address, command.changes["address_id"])


def for_reviewer_texts(command: EraseReviewerTexts) -> Iterable[Ref]:
    """Return the verifications and service requests that the command names."""
    yield from (Ref(Verification, key, write=True) for key in command.verification_ids)
    yield from (Ref(ServiceRequest, key, write=True) for key in command.request_ids)


def address_of_service_request(
    _registration: Registration | None, command: DecideService | CorrectService, known: Known
) -> Iterable[Ref]:
    """Return the address of the request. Its lock orders the decision and a change of the address."""
    return _address_of(known.states.get((ServiceRequest, command.request_id)))


def for_creation(command: CreateAddress | CreateDocument) -> Iterable[Ref]:
    """Return the identity that the address or document belongs to."""
    return (Ref(Identity, command.identity_id),)


def for_change(command: ChangeAddress | ChangeIdentity) -> Iterable[Ref]:
    """Return whether anything uses it, and whether a verification judged its present revision."""
    return (Ref(UsedDetail, command.entity_id), Ref(JudgedDetail, command.entity_id))


def former_revision(
    state: Identity | Address | None, command: ChangeAddress | ChangeIdentity, _known: Known
) -> Iterable[Ref]:
    """Return the place where the present revision is kept once it is a former one, for those only who may change it."""
    if state is not None and command.caller.reaches(state.account):
        yield Ref(FormerDetails, former_id(command.entity_id, state.revision), write=True)  # type: ignore[arg-type]


def for_erasure(command: EraseDocument) -> Iterable[Ref]:
    """Return the count of live DIDs that use it."""
    return (Ref(DetailUse, command.entity_id),)


def for_erasure_with_owned(command: EraseIdentity | EraseAddress | BeginErasure) -> Iterable[Ref]:
    """Return the count of live DIDs that use it, and what is erased with it."""
    return (Ref(DetailUse, command.entity_id), Ref(OwnedDetails, command.entity_id))


def for_completion(command: CompleteErasure) -> Iterable[Ref]:
    """Return what is erased with the identity."""
    return (Ref(OwnedDetails, command.entity_id),)


def owned_details(
    state: Identity | Address | None,
    command: EraseIdentity | EraseAddress | BeginErasure | CompleteErasure,
    known: Known,
) -> Iterable[Ref]:
    """Return the addresses, documents and former revisions that are erased with it, for those only who may erase it."""
    owned = known.get(OwnedDetails, command.entity_id)
    is_reached = state is not None and command.caller.reaches(state.account)
    if owned is not None and (is_reached or isinstance(command, CompleteErasure)):
        yield from (Ref(Address, key, write=True) for key in owned.address_ids)
        yield from (Ref(Document, key, write=True) for key in owned.document_ids)
        yield from (Ref(FormerDetails, key, write=True) for key in owned.former_ids)


def for_registration_timer(registration: Registration, _message: None, known: Known) -> Iterable[Ref]:
    """Return the rules, the open service requests, and what stored details would be judged by."""
    submission = stored_submission(registration)
    judged = (
        (*_details(submission), *_next_verification(registration, submission, known)) if submission else ()
    )
    return (*rules_of_number(registration.number), *_service_requests(registration), *judged)


def for_recheck(command: RecheckDid) -> Iterable[Ref]:
    """Return the rules of the country that the page of the job names. It is not looked up for each number again."""
    return (Ref(CountryRules, command.country), Ref(CountryRules, ANYWHERE))


def for_spread(command: RevokeResting | ReassessDid) -> Iterable[Ref]:
    """Return the rules that apply to the number."""
    return rules_of_number(command.subject)


def resting_verification(
    registration: Registration | None, command: RevokeResting, _known: Known
) -> Iterable[Ref]:
    """Return the verification that ends, and the services of the DID."""
    resting = resting_verification_id(registration, command.revoked)
    if resting is not None:
        yield Ref(Verification, resting, write=True)
        yield from _service_requests(registration)


def for_reassessment(registration: Registration | None, _command: ReassessDid, known: Known) -> Iterable[Ref]:
    """Return everything that the details of the DID are judged by, and the addresses of its open services."""
    if registration is None or registration.ended:
        return
    yield from open_states(registration, None, known)
    for key in registration.services.values():
        yield from _address_of(known.states.get((ServiceRequest, key)))
    for submission, _ in submissions_again(registration):
        yield from (*_details(submission), *_next_verification(registration, submission, known))
