"""The views of verification over states in memory: who uses details, and what belongs to an identity.

They follow the SQL of the migration. The history on PostgreSQL uses the views themselves.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from didflow_chassis.testing import FakeStage
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.details.changes import UsedDetail
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.erasure import DetailUse, OwnedDetails
from didflow_verification.domain.details.former import FormerDetails, JudgedDetail
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.verifications.coverage import OthersPending


def views_of(stage: FakeStage) -> Mapping[type, Callable[[], Iterable[Any]]]:
    """Return for each view what computes its states from those of a stage."""
    return {
        DetailUse: lambda: _uses(stage),
        UsedDetail: lambda: _used(stage),
        JudgedDetail: lambda: _judged(stage),
        OwnedDetails: lambda: _owned(stage),
        OthersPending: lambda: _others(stage),
    }


def _details(stage: FakeStage) -> Iterator[tuple[UUID, Details]]:
    for registration in stage.states(Registration):
        if registration.ended is None:
            for details in (registration.assigned, registration.approved):
                if details is not None:
                    yield registration.did_id, details


def _requests(stage: FakeStage) -> list[ServiceRequest]:
    return [each for each in stage.states(ServiceRequest) if each.state != "not_configured"]


def _uses(stage: FakeStage) -> Iterator[DetailUse]:
    found: dict[UUID, set[UUID]] = {}

    def used(detail: UUID | None, did_id: UUID) -> None:
        if detail is not None:
            found.setdefault(detail, set()).add(did_id)

    addresses = {each.address_id: each.identity_id for each in stage.states(Address)}
    for did_id, details in _details(stage):
        used(details.identity_id, did_id)
        if details.address_id in addresses and addresses[details.address_id] == details.identity_id:
            used(details.address_id, did_id)
    for request in _requests(stage):
        used(request.identity_id, request.did_id)
        used(request.address_id, request.did_id)
    for document, did_id in _documents(stage):
        used(document, did_id)
    for detail, dids in found.items():
        yield DetailUse(detail_id=detail, dids=len(dids))


def _documents(stage: FakeStage) -> Iterator[tuple[UUID, UUID]]:
    """Yield the documents of details in use, and of verifications of their identities that count."""
    judged: dict[UUID, set[UUID]] = {}
    for verification in stage.states(Verification):
        if verification.status in {"pending", "approved"}:
            judged.setdefault(verification.identity_id, set()).update(verification.document_ids)
    owners = {each.document_id: each.identity_id for each in stage.states(Document)}
    for did_id, details in _details(stage):
        for document, owner in owners.items():
            named = {*details.document_ids, *judged.get(owner, ())}
            if owner == details.identity_id and document in named:
                yield document, did_id


def _used(stage: FakeStage) -> Iterator[UsedDetail]:
    found = {details.identity_id for _, details in _details(stage)}
    found |= {details.address_id for _, details in _details(stage) if details.address_id}
    found |= {request.address_id for request in _requests(stage) if request.address_id}
    return (UsedDetail(detail_id=detail) for detail in found)


def _judged(stage: FakeStage) -> Iterator[JudgedDetail]:
    judged = set()
    for each in stage.states(Verification):
        judged |= {(each.identity_id, each.identity_revision), (each.address_id, each.address_revision)}
    for identity in stage.states(Identity):
        if (identity.identity_id, identity.revision) in judged:
            yield JudgedDetail(detail_id=identity.identity_id)
    for address in stage.states(Address):
        if (address.address_id, address.revision) in judged:
            yield JudgedDetail(detail_id=address.address_id)


def _owned(stage: FakeStage) -> Iterator[OwnedDetails]:
    addresses, documents = stage.states(Address), stage.states(Document)
    former = stage.states(FormerDetails)
    for identity in stage.states(Identity):
        key = identity.identity_id
        yield OwnedDetails(
            detail_id=key,
            address_ids=tuple(each.address_id for each in addresses if each.identity_id == key),
            document_ids=tuple(each.document_id for each in documents if each.identity_id == key),
            former_ids=tuple(each.former_id for each in former if each.identity_id == key),
        )
    for address in addresses:
        kept = (each.former_id for each in former if each.detail_id == address.address_id)
        yield OwnedDetails(detail_id=address.address_id, former_ids=tuple(kept))


def _others(stage: FakeStage) -> Iterator[OthersPending]:
    found = stage.states(Verification)
    for each in found:
        others = [p for p in found if p is not each and p.status == "pending" and _about(p) == _about(each)]
        if others:
            same = any({*other.document_ids} <= {*each.document_ids} for other in others)
            yield OthersPending(verification_id=each.verification_id, number=each.number, same_documents=same)


def _about(verification: Verification) -> tuple[object, ...]:
    return (
        verification.account,
        verification.identity_id,
        verification.address_id,
        verification.requirement,
        verification.area,
    )
