"""What is true after every step of a history. Each invariant yields a text for each fault that it finds."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final
from uuid import UUID

from history_facts import Facts, details_of
from history_world import MARK

from didflow_contracts.accounts import is_within
from didflow_contracts.envelope import encode
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.axes.transitions import REGISTRATION, SERVICE_REQUEST, VERIFICATION
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.details.former import former_id

Invariant = Callable[[Facts], Iterator[str]]


def approved_rests_on_an_approval(facts: Facts) -> Iterator[str]:
    """An approved registration has details that an approved verification of this DID judged, in these revisions."""
    for registration in facts.live():
        details = registration.approved
        if (details is not None) != (registration.state == "approved"):
            yield f"{registration.number} is {registration.state} with approved details: {details is not None}"
        if details is None:
            continue
        verification = facts.verifications.get(details.verification_id) if details.verification_id else None
        if verification is None or verification.did_id != registration.did_id:
            yield f"{registration.number} is approved by no verification of its own"
        elif verification.status != "approved" and not facts.is_being_revoked(verification.verification_id):
            yield f"{registration.number} is approved by attempt {verification.attempt}: {verification.status}"
        elif _content(details) != _content(verification):
            yield f"{registration.number} is approved with other details than attempt {verification.attempt} judged"
        else:
            yield from _unsupported(facts, verification)


def _content(judged: Details | Verification) -> tuple[object, ...]:
    return (
        judged.identity_id,
        judged.identity_revision,
        judged.address_id,
        judged.address_revision,
        judged.document_ids,
    )


def _unsupported(facts: Facts, verification: Verification) -> Iterator[str]:
    """Yield why an approved verification was not decided by anyone who may decide it."""
    name = f"attempt {verification.attempt} of {verification.number}"
    if not verification.automatic:
        if verification.decided_by is None:
            yield f"{name} is approved by nobody"
        return
    if any(finding.passed is False for finding in verification.findings):
        yield f"{name} is approved automatically with a check that failed"
    if verification.rests_on is not None:
        yield from _resting(facts, verification, facts.verifications[verification.rests_on])
        return
    row = facts.row(verification)
    if row is None or row.review.manual:
        yield f"{name} is approved without the review that its row asks for"
    if not all(finding.passed for finding in verification.findings):
        yield f"{name} is approved although only a person could judge a check"


def _resting(facts: Facts, verification: Verification, base: Verification) -> Iterator[str]:
    name = f"attempt {verification.attempt} of {verification.number} rests on one"
    if base.automatic or base.decided_by is None:
        yield f"{name} that nobody reviewed"
    if base.status != "approved" and not facts.is_being_revoked(base.verification_id):
        yield f"{name} that is {base.status}"
    if _facts_judged(base) != _facts_judged(verification):
        yield f"{name} about other details"
    if base.account != verification.account:
        yield f"{name} of another account"
    if base.area != verification.area and verification.area:
        yield f"{name} about another area"


def _facts_judged(verification: Verification) -> tuple[object, ...]:
    return (
        verification.identity_id,
        verification.identity_revision,
        verification.address_id,
        verification.address_revision,
        verification.country,
        verification.number_type,
        verification.requirement,
    )


def details_in_effect_serve_the_holder(facts: Facts) -> Iterator[str]:
    """The details in effect belong to an identity that exists and serves the account that holds the DID.

    An assignment can arrive before the event that the DID was handed to the account that made it.
    """
    for registration in facts.live():
        details = registration.in_effect
        since = registration.holders[-1].since
        is_later = details is not None and since is not None and details.assigned_at < since
        holder = details.holder if details and not is_later else registration.account
        if details is not None and not facts.serves(details, holder):
            yield f"{registration.number}: the identity in effect does not serve {holder}"
        address = facts.addresses.get(details.address_id) if details and details.address_id else None
        if details is not None and details.address_id and (address is None or address.erased_at):
            yield f"{registration.number}: the address in effect does not exist"


def revoked_details_go_to_a_person(facts: Facts) -> Iterator[str]:
    """What a reviewer revoked is not approved again for this DID without a reviewer, in whatever revision.

    Source: spec verification, Verifications: the same details go to a person.
    """
    revoked = facts.before.revoked_details if facts.before else set()
    for each in facts.changed("approved"):
        if each.automatic and details_of(each) in revoked:
            yield f"attempt {each.attempt} of {each.number} is approved automatically after a revocation"


def a_revocation_reaches_the_review(facts: Facts) -> Iterator[str]:
    """If a reviewer revoked an automatic approval, not this one only, the review that it rests on is revoked."""
    for each in facts.verifications.values():
        if (
            each.status == "revoked"
            and each.rests_on is not None
            and each.verification_id in facts.revoked_whole
        ):
            base = facts.verifications[each.rests_on]
            if base.status != "revoked":
                yield f"attempt {each.attempt} of {each.number} is revoked, and what it rests on is {base.status}"


def judged_revisions_are_kept(facts: Facts) -> Iterator[str]:
    """What a verification judged is still there: as the present revision, or kept encrypted until it is erased."""
    for each in facts.verifications.values():
        identity = facts.identities.get(each.identity_id)
        address = facts.addresses.get(each.address_id) if each.address_id else None
        pairs = (
            (identity, each.identity_id, each.identity_revision),
            (address, each.address_id, each.address_revision),
        )
        for detail, key, revision in pairs:
            if detail is None or key is None or revision is None or revision == detail.revision:
                continue
            kept = facts.former.get(former_id(key, revision))
            if kept is None or (kept.content is None and detail.erased_at is None):
                yield f"revision {revision} that attempt {each.attempt} of {each.number} judged is not kept"
            elif kept.content is not None and MARK.encode() in kept.content.lower():
                yield f"revision {revision} that attempt {each.attempt} of {each.number} judged is not encrypted"


def revoked_approvals_do_not_count(facts: Facts) -> Iterator[str]:
    """An approval that others can rest on belongs to a reviewed verification that is approved."""
    for approval in facts.approvals.values():
        verification = facts.verifications[approval.verification_id]
        if approval.valid_until is not None and approval.valid_until <= facts.now:
            continue
        if verification.status != "approved" or verification.automatic:
            yield f"others can rest on attempt {verification.attempt} of {verification.number}, {verification.status}"


def active_services_have_an_identity(facts: Facts) -> Iterator[str]:
    """A service is active only with the identity in effect, or with one whose approval ended by its date alone."""
    for registration in facts.live():
        for request in _open_requests(facts, registration):
            if request.state == "active":
                yield from _without_identity(facts, registration, request)


def _without_identity(facts: Facts, registration: Registration, request: ServiceRequest) -> Iterator[str]:
    name = f"{request.service} of {registration.number} ({registration.state}) is active"
    identity = facts.identities.get(request.identity_id)
    if identity is None or not identity.serves(registration.account):
        yield f"{name} with an identity that does not serve {registration.account}"
    details = registration.in_effect
    if details is not None and details.identity_id != request.identity_id:
        yield f"{name} with another identity than the registration"
    if details is None and not _was_judged(facts, registration, request.identity_id):
        yield f"{name} without an identity in effect"


def _was_judged(facts: Facts, registration: Registration, identity_id: UUID) -> bool:
    """Return True if the identity is on the DID, and its last verification was not revoked.

    Source: spec lifecycle: an approval that ends by its date leaves services as they are; a revocation does not.
    """
    about = [each for each in facts.attempts(registration.did_id) if each.identity_id == identity_id]
    judged = [each for each in about if each.status in {"approved", "revoked"}]
    if judged:
        return judged[-1].status == "approved"
    return registration.assigned is not None and registration.assigned.identity_id == identity_id


def _open_requests(facts: Facts, registration: Registration) -> list[ServiceRequest]:
    return [facts.requests[key] for key in registration.services.values()]


def services_share_one_identity(facts: Facts) -> Iterator[str]:
    """All open services of a DID have the same identity, and it is the one in effect if there is one."""
    for registration in facts.live():
        identities = {request.identity_id for request in _open_requests(facts, registration)}
        if registration.in_effect is not None and identities:
            identities.add(registration.in_effect.identity_id)
        if len(identities) > 1:
            yield f"{registration.number} has services and a registration with {len(identities)} identities"


def open_requests_are_listed_once(facts: Facts) -> Iterator[str]:
    """A DID lists its open requests, at most one for each service. An ended DID has none."""
    for registration in facts.registrations.values():
        own = [each for each in facts.requests.values() if each.did_id == registration.did_id]
        is_open = {each.request_id for each in own if each.is_open}
        if is_open != set(registration.services.values()):
            yield f"{registration.number} lists other requests than those that are open"


def nobody_decides_an_own_submission(facts: Facts) -> Iterator[str]:
    """Who submitted or requested something did not decide it."""
    for each in facts.verifications.values():
        if each.decided_by is not None and each.decided_by == each.submitted_by:
            yield f"{each.decided_by} decided the own attempt {each.attempt} of {each.number}"
    for request in facts.requests.values():
        judged = request.state in {"in_process", "active", "changes_required"}
        if judged and request.decided_by == request.requested_by:
            yield f"{request.decided_by} decided the own request for {request.service} of {request.number}"


def one_verification_is_open(facts: Facts) -> Iterator[str]:
    """A DID has at most one pending verification: the one that judged the details assigned last."""
    for registration in facts.registrations.values():
        pending = [each for each in facts.attempts(registration.did_id) if each.status == "pending"]
        known = [registration.open_verification_id] if registration.open_verification_id else []
        if [each.verification_id for each in pending] != known:
            yield f"{registration.number} has {len(pending)} pending verifications and names {len(known)}"
        if registration.state == "pending" and not pending and registration.ended is None:
            yield f"{registration.number} is pending without a verification"
        if any(each.account != registration.account for each in pending):
            yield f"{registration.number}: the pending verification belongs to another account"


def attempts_have_no_gap(facts: Facts) -> Iterator[str]:
    """The attempts of a DID are numbered 1, 2, 3, ..."""
    for registration in facts.registrations.values():
        numbers = [each.attempt for each in facts.attempts(registration.did_id)]
        if numbers != list(range(1, registration.attempt + 1)):
            yield f"{registration.number} has the attempts {numbers} and counts {registration.attempt}"


def ended_registrations_stay_as_they_are(facts: Facts) -> Iterator[str]:
    """Nothing of an ended registration changes. Only its reasons can lose the words of a reviewer."""
    for key, before in (facts.before.registrations if facts.before else {}).items():
        after = facts.registrations[key]
        if before.ended is not None and _frozen(before) != _frozen(after):
            yield f"{before.number} has ended and was changed"


def _frozen(registration: Registration) -> tuple[object, ...]:
    names = set(registration.__struct_fields__) - {"reasons"}
    codes = tuple(reason.code for reason in registration.reasons)
    return (codes, *(getattr(registration, name) for name in sorted(names)))


def sequences_have_no_gap(facts: Facts) -> Iterator[str]:
    """The events of a DID are numbered 1, 2, 3, ... in the order in which they are published."""
    counted = Counter[UUID]()
    for event in facts.events:
        did_id = event.data.entity_id
        counted[did_id] += 1
        if event.sequence != counted[did_id]:
            yield f"{event.data.topic} of {event.data.subject} has the sequence {event.sequence}"


def events_tell_the_present_axis(facts: Facts) -> Iterator[str]:
    """The last event of a live DID has the present state and the details in force."""
    published = facts.axis_events()
    for registration in facts.live():
        last, force = published[registration.did_id][-1], registration.in_force
        told = (last.registration, last.identity_id, last.address_id, last.grace_until)
        identity = force.identity_id if force else None
        present = (
            registration.state,
            identity,
            force.address_id if force else None,
            registration.grace_until,
        )
        if told != present:
            yield f"{registration.number} is {present}, and the last event {last.topic} says {told}"


def events_tell_the_present_services(facts: Facts) -> Iterator[str]:
    """The last event of each service request has its present state, also after the end of the DID."""
    published = facts.service_events()
    for request in facts.requests.values():
        last = published[request.request_id][-1]
        if last.state != request.state:
            yield f"{request.service} of {request.number} is {request.state}, and the last event says {last.state}"


def axes_stay_in_their_tables(facts: Facts) -> Iterator[str]:
    """Consecutive events of a registration or service, and consecutive states of a verification, are in the tables."""
    for did_id, events in facts.axis_events().items():
        states = [None, *(event.registration for event in events)]
        for one, next_one in pairwise(states):
            if one != next_one and next_one not in REGISTRATION[one]:
                yield f"registration of {did_id}: {one} -> {next_one}"
    for events in facts.service_events().values():
        table = SERVICE_REQUEST[events[0].service]
        steps = [None, *(event.state for event in events)]
        for step, next_step in pairwise(steps):
            if step != next_step and next_step not in table[step]:
                yield f"{events[0].service} of {events[0].number}: {step} -> {next_step}"
    for key, was in (facts.before.verifications if facts.before else {}).items():
        status = facts.verifications[key].status
        if status != was.status and status not in VERIFICATION[was.status]:
            yield f"attempt {was.attempt} of {was.number}: {was.status} -> {status}"


def claims_are_of_pending_verifications(facts: Facts) -> Iterator[str]:
    """Only a pending verification is claimed."""
    for each in facts.verifications.values():
        if each.claimed_by is not None and each.status != "pending":
            yield f"attempt {each.attempt} of {each.number} is {each.status} and claimed"


def details_in_use_are_not_erased(facts: Facts) -> Iterator[str]:
    """No identity is erased that approved or pending details of a live DID, or an open service request, use."""
    for registration in facts.live():
        for details in (registration.approved, registration.assigned if registration.open else None):
            identity = facts.identities.get(details.identity_id) if details else None
            if identity is not None and identity.erased_at:
                yield f"{registration.number} uses an erased identity"
        for request in _open_requests(facts, registration):
            if facts.identities[request.identity_id].erased_at:
                yield f"{request.service} of {registration.number} uses an erased identity"


def events_have_no_personal_data(facts: Facts) -> Iterator[str]:
    """No event that was published in this step has a marked value, of a person or in the words of a reviewer."""
    for event in facts.events[len(facts.events) - facts.news :]:
        if MARK.encode() in encode(event).lower():
            yield f"{event.data.topic} of {event.data.subject} has a marked value: {event.data!r}"


def settled_details_are_up_to_date(facts: Facts) -> Iterator[str]:
    """After all jobs, the details assigned last were judged in their present revisions."""
    for registration in facts.live():
        details = registration.assigned
        identity = facts.identities.get(details.identity_id) if details else None
        if details is None or identity is None or not is_within(details.holder, identity.account):
            continue
        address = facts.addresses.get(details.address_id) if details.address_id else None
        present = (None if identity.erased_at else identity.revision, address.revision if address else None)
        judged = (details.identity_revision, details.address_revision)
        if identity.erased_at is None and (address is None or not address.erased_at) and judged != present:
            yield f"{registration.number} was judged in the revisions {judged}, and the present ones are {present}"


INVARIANTS: Final[tuple[Invariant, ...]] = (
    approved_rests_on_an_approval,
    details_in_effect_serve_the_holder,
    revoked_details_go_to_a_person,
    a_revocation_reaches_the_review,
    judged_revisions_are_kept,
    revoked_approvals_do_not_count,
    active_services_have_an_identity,
    services_share_one_identity,
    open_requests_are_listed_once,
    nobody_decides_an_own_submission,
    one_verification_is_open,
    attempts_have_no_gap,
    ended_registrations_stay_as_they_are,
    sequences_have_no_gap,
    events_tell_the_present_axis,
    events_tell_the_present_services,
    axes_stay_in_their_tables,
    claims_are_of_pending_verifications,
    details_in_use_are_not_erased,
    events_have_no_personal_data,
)
"""After every step."""

SETTLED: Final[tuple[Invariant, ...]] = (*INVARIANTS, settled_details_are_up_to_date)
"""After every message was delivered and every job has ended."""


def faults(facts: Facts, invariants: tuple[Invariant, ...]) -> list[str]:
    """Return every fault, with the name of its invariant."""
    return [f"{invariant.__name__}: {text}" for invariant in invariants for text in invariant(facts)]
