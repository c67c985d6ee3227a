"""What each decision reads and writes besides its own state, by what the message and the stored states tell."""

from collections.abc import Iterable
from typing import Any

from didflow_chassis.decision import Known
from didflow_chassis.service import Ref
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import EnduserAssigned
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.catalogue.rules import ANYWHERE, CountryRules
from didflow_verification.domain.clock.due import kept_wish
from didflow_verification.domain.clock.reassessment import Reassessment, wishes_again
from didflow_verification.domain.clock.recheck import Recheck, resting_attempt_id
from didflow_verification.domain.details.commands import (
    CreateAddress,
    EnterDocument,
    EraseAddress,
    EraseDocument,
    EraseIdentity,
)
from didflow_verification.domain.details.document import StoredDocument
from didflow_verification.domain.details.erasing import Belongings, Use
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.registration.holding import open_attempt_id
from didflow_verification.domain.registration.start import rules_country
from didflow_verification.domain.services.commands import CancelService, DecideService, RequestService
from didflow_verification.domain.services.serving import request_ids
from didflow_verification.domain.verifications.approvals import Approval
from didflow_verification.domain.verifications.assignment import assignment_wish
from didflow_verification.domain.verifications.commands import Approve, Reject, Resubmit, Revoke
from didflow_verification.domain.verifications.resubmission import resubmission_wish
from didflow_verification.domain.verifications.revoking import approval_key_of
from didflow_verification.domain.verifications.submitting import Wish, approval_keys


def rules(number: str) -> tuple[Ref, ...]:
    """Name the catalogue's rules that a number is judged by."""
    return (Ref(CountryRules, rules_country(number)), Ref(CountryRules, ANYWHERE))


def for_start(event: Event[EventData]) -> Iterable[Ref]:
    """Name what the start of a registration needs."""
    return rules(event.data.subject)


def for_assignment(event: Event[EnduserAssigned]) -> Iterable[Ref]:
    """Name the rules and the details that were assigned."""
    return (*rules(event.data.number), *_details(event.data))


def for_review(command: Approve | Reject | Revoke) -> Iterable[Ref]:
    """Name the attempt that is decided, and the rules that say how long it counts."""
    return (Ref(Verification, command.verification_id, write=True), *rules(command.subject))


def for_resubmission(command: Resubmit) -> Iterable[Ref]:
    """Name the rejected attempt, the rules and the details."""
    return (Ref(Verification, command.verification_id), *rules(command.subject), *_details(command))


def for_address(command: CreateAddress | EnterDocument) -> Iterable[Ref]:
    """Name the identity that the address or document belongs to."""
    return (Ref(Identity, command.identity_id),)


def open_attempt(registration: Registration | None, _message: Any, _known: Known) -> Iterable[Ref]:
    """Follow to the open attempt and the open requests of services, which may change with the registration."""
    identifier = open_attempt_id(registration)
    if identifier is not None:
        yield Ref(Verification, identifier, write=True)
    yield from open_requests(registration)


def open_requests(registration: Registration | None) -> Iterable[Ref]:
    """Follow to the open requests of services."""
    return (Ref(ServiceRequest, key, write=True) for key in request_ids(registration))


def after_assignment(
    registration: Registration | None, event: Event[EnduserAssigned], known: Known
) -> Iterable[Ref]:
    """Follow to the open attempt, the next one, and the reviews that it may rest on."""
    if registration is None or registration.ended:
        return ()
    wish = assignment_wish(registration, event)
    return (*open_attempt(registration, event, known), *_submission(registration, wish, known))


def after_resubmission(registration: Registration | None, command: Resubmit, known: Known) -> Iterable[Ref]:
    """Follow to the next attempt and the reviews that it may rest on."""
    if registration is None or registration.ended:
        return ()
    wish = resubmission_wish(command, registration.account, registration.started_at)
    return (*open_requests(registration), *_submission(registration, wish, known))


def after_review(registration: Registration | None, command: Approve, known: Known) -> Iterable[Ref]:
    """Follow to where the approval is kept for others to rest on, and to the services that follow it."""
    attempt = known.get(Verification, command.verification_id)
    if attempt is not None:
        yield Ref(Approval, approval_key_of(attempt), write=True)
    yield from open_requests(registration)


def to_request(command: RequestService) -> Iterable[Ref]:
    """Name the request that may be made, and its address."""
    yield Ref(ServiceRequest, command.request_id, write=True)
    if command.data.address_id is not None:
        yield Ref(Address, command.data.address_id)


def with_open_requests(
    registration: Registration | None, _command: RequestService, _known: Known
) -> Iterable[Ref]:
    """Follow to the open requests of services."""
    return open_requests(registration)


def the_request(command: DecideService | CancelService) -> Iterable[Ref]:
    """Name the request that is moved."""
    return (Ref(ServiceRequest, command.request_id, write=True),)


def for_erasure(command: EraseAddress | EraseDocument) -> Iterable[Ref]:
    """Name what counts the living DIDs on it."""
    return (Ref(Use, command.entity_id),)


def for_erasure_of_identity(command: EraseIdentity) -> Iterable[Ref]:
    """Name what counts the living DIDs on it, and what gathers all that belongs to it."""
    return (Ref(Use, command.entity_id), Ref(Belongings, command.entity_id))


def belongings(_identity: Identity | None, command: EraseIdentity, known: Known) -> Iterable[Ref]:
    """Follow to all that belongs to an identity."""
    owned = known.get(Belongings, command.entity_id)
    if owned is not None:
        yield from (Ref(Address, key, write=True) for key in owned.address_ids)
        yield from (Ref(StoredDocument, key, write=True) for key in owned.document_ids)


def after_change(waiting: Reassessment, _message: None, known: Known) -> Iterable[Ref]:
    """Follow to the registration, then to all that its details are judged by."""
    yield Ref(Registration, waiting.did_id, write=True)
    registration = known.states.get((Registration, waiting.did_id))
    if registration is None:
        return
    yield from (*rules(waiting.number), *open_attempt(registration, None, known))
    for wish in wishes_again(registration, waiting.changed_by):
        yield from (*_details(wish), *_submission(registration, wish, known))


def after_revocation(_registration: Registration | None, command: Revoke, known: Known) -> Iterable[Ref]:
    """Follow to where the review is kept for others to rest on, so that nobody does meanwhile."""
    attempt = known.get(Verification, command.verification_id)
    return (Ref(Approval, approval_key_of(attempt), write=True),) if attempt else ()


def to_look_again(recheck: Recheck, _message: None, known: Known) -> Iterable[Ref]:
    """Follow to the registration, its rules, and the attempt that rests on what was revoked."""
    yield Ref(Registration, recheck.did_id, write=True)
    yield from rules(recheck.number)
    registration = known.states.get((Registration, recheck.did_id))
    resting = resting_attempt_id(registration, recheck.revoked)
    if resting is not None:
        yield Ref(Verification, resting, write=True)


def when_due(registration: Registration, _message: None, known: Known) -> Iterable[Ref]:
    """Follow to the rules, and to what kept details would be judged by when a requirement comes."""
    wish = kept_wish(registration)
    judged = (*_details(wish), *_submission(registration, wish, known)) if wish else ()
    return (*rules(registration.number), *open_requests(registration), *judged)


def _details(named: EnduserAssigned | Resubmit | Wish) -> Iterable[Ref]:
    yield Ref(Identity, named.identity_id)
    if named.address_id is not None:
        yield Ref(Address, named.address_id)
    yield from (Ref(StoredDocument, key) for key in named.document_ids)


def _submission(registration: Registration, wish: Wish, known: Known) -> Iterable[Ref]:
    """Follow to the next attempt, the reviews that it may rest on, and their papers once they are loaded."""
    yield Ref(Verification, verification_id(registration.did_id, registration.attempt + 1), write=True)
    for key in approval_keys(registration, wish):
        yield Ref(Approval, key)
        approval = known.states.get((Approval, key))
        if approval is not None:
            yield from (Ref(StoredDocument, paper) for paper in approval.document_ids)
