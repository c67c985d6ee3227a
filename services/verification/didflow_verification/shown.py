"""What verification shows over HTTP. Answers to changes carry no personal data: they are kept for replays."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec.structs import asdict
from pydantic import BaseModel, Field

from didflow_contracts.events.registration import Reason
from didflow_contracts.vocabulary import EndUserType, Service, ServiceState
from didflow_verification.documents.bodies import DocumentShown, document_shown
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.axes.verification import Status, Verification
from didflow_verification.domain.catalogue.rules import Requirement
from didflow_verification.domain.details.document import StoredDocument
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.evaluation.findings import Finding
from didflow_verification.domain.verifications.what_if import Expected


class IdentityEntered(BaseModel):
    """An identity by its id; what it states is shown by `GET` only."""

    identity_id: UUID
    account: str
    type: EndUserType
    revision: int = Field(description="Counts its changes, from 1.")
    created_at: datetime


class IdentityShown(IdentityEntered):
    """An identity, whole."""

    company_name: str | None
    company_registration_number: str | None
    vat_number: str | None
    tax_id: str | None
    first_name: str | None
    last_name: str | None
    birth_date: date | None
    national_id: str | None
    passport_number: str | None
    contact_email: str | None
    contact_phone: str | None


class AddressEntered(BaseModel):
    """An address by its id; what it states is shown by `GET` only."""

    address_id: UUID
    identity_id: UUID
    account: str
    revision: int = Field(description="Counts its changes, from 1.")
    created_at: datetime


class AddressShown(AddressEntered):
    """An address, whole."""

    street: str
    city: str
    postal_code: str
    region: str
    country: str


class FindingShown(BaseModel):
    """One check and what came of it; `passed` is null where only a person can say."""

    check: str
    passed: bool | None
    field: str | None
    code: str | None
    message: str | None


class VerificationShown(BaseModel):
    """One attempt to register an end user for a DID."""

    verification_id: UUID
    reference: str
    did_id: UUID
    number: str
    account: str
    country: str
    number_type: str
    end_user_type: EndUserType | None
    attempt: int
    status: Status
    requirement: str
    requirement_version: int
    identity_id: UUID
    address_id: UUID | None
    document_ids: list[UUID]
    reasons: list[Reason]
    automatic: bool = Field(description="Decided without a person.")
    rests_on: UUID | None = Field(
        description="The verification whose review an automatic approval relies on."
    )
    submitted_at: datetime
    submitted_by: str | None
    decided_at: datetime | None
    decided_by: str | None
    claimed_by: str | None
    claimed_until: datetime | None


class VerificationWhole(VerificationShown):
    """One attempt with all that a reviewer needs."""

    results: list[FindingShown]
    identity: IdentityShown | None = Field(description="As it is now; null where it is not this account's.")
    address: AddressShown | None
    documents: list[DocumentShown] = Field(description="Without their content, for which there is a path.")
    changed_since: list[Literal["identity", "address"]] = Field(description="What changed since it was sent.")
    earlier: list[VerificationShown] = Field(description="Earlier attempts of the DID, the latest first.")


class ServiceRequestShown(BaseModel):
    """One request for an additional service, without what it states."""

    request_id: UUID
    did_id: UUID
    number: str
    account: str
    service: Service
    state: ServiceState
    identity_id: UUID
    reasons: list[Reason]
    requested_at: datetime
    requested_by: str
    decided_at: datetime | None
    decided_by: str | None


class ServiceRequestWhole(ServiceRequestShown):
    """One request with what it states; nothing once it is closed."""

    address_id: UUID | None = None
    caller_name: str | None = None
    brand: str | None = None
    use_case: str | None = None
    sample_messages: list[str] = []
    opt_in_text: str | None = None
    display_name: str | None = None


class Evaluated(BaseModel):
    """What an evaluation found, and what a submission would give now."""

    satisfied: bool = Field(description="No check failed.")
    outcome: Literal["approved", "pending", "rejected", "not_required"] | None
    requirement: str | None
    version: int | None
    results: list[FindingShown]


class EvaluatedDid(BaseModel):
    """The evaluation for one DID; `code` is `not_found` for one that is not in the caller's reach."""

    did: str = Field(description="As the caller wrote it.")
    code: Literal["not_found"] | None = None
    evaluation: Evaluated | None = None


@dataclass(frozen=True, kw_only=True)
class RequirementShown(Requirement):
    """A row of the catalogue, with the country that it was looked up for (`*`: anywhere else)."""

    country: str


class EvaluatedAll(Evaluated):
    """What holds for all that was asked; where DIDs differ, null and empty here and each in `evaluations`."""

    evaluations: list[EvaluatedDid] = []


def identity_entered(identity: Identity) -> IdentityEntered:
    """Show an identity's id."""
    return IdentityEntered.model_validate(identity, from_attributes=True)


def identity_shown(identity: Identity) -> IdentityShown:
    """Show an identity."""
    return IdentityShown(**asdict(identity.person), **identity_entered(identity).model_dump())


def address_entered(address: Address) -> AddressEntered:
    """Show an address's id."""
    return AddressEntered.model_validate(address, from_attributes=True)


def address_shown(address: Address) -> AddressShown:
    """Show an address."""
    return AddressShown(**asdict(address.place), **address_entered(address).model_dump())


def verification_shown(attempt: Verification) -> VerificationShown:
    """Show an attempt."""
    return VerificationShown.model_validate(attempt, from_attributes=True)


def findings_shown(findings: Iterable[Finding]) -> list[FindingShown]:
    """Show findings."""
    return [FindingShown.model_validate(finding, from_attributes=True) for finding in findings]


def verification_whole(
    attempt: Verification,
    identity: Identity | None,
    address: Address | None,
    documents: Iterable[StoredDocument],
    earlier: Iterable[Verification],
) -> VerificationWhole:
    """Show an attempt with its details; an identity that does not serve its account is never shown."""
    own = identity if identity is not None and identity.serves(attempt.account) else None
    near = address if own and address and address.identity_id == own.identity_id else None
    changed: list[Literal["identity", "address"]] = []
    if own and own.revision != attempt.identity_revision:
        changed.append("identity")
    if near and near.revision != attempt.address_revision:
        changed.append("address")
    return VerificationWhole(
        **verification_shown(attempt).model_dump(),
        results=findings_shown(attempt.findings),
        identity=identity_shown(own) if own else None,
        address=address_shown(near) if near else None,
        documents=[document_shown(each) for each in documents],
        changed_since=changed,
        earlier=[verification_shown(each) for each in earlier],
    )


def request_shown(request: ServiceRequest) -> ServiceRequestShown:
    """Show a request without what it states."""
    return ServiceRequestShown.model_validate(request, from_attributes=True)


def request_whole(request: ServiceRequest) -> ServiceRequestWhole:
    """Show a request with what it states."""
    stated = asdict(request.data) if request.data else {}
    return ServiceRequestWhole(**request_shown(request).model_dump(), **stated)


def requirement_shown(country: str, requirement: Requirement) -> RequirementShown:
    """Show a row of the catalogue for a country; `*` is anywhere else."""
    return RequirementShown(country=country, **vars(requirement))


def evaluated(expected: Expected) -> Evaluated:
    """Show what was found."""
    return Evaluated(
        satisfied=expected.satisfied,
        outcome=expected.outcome,
        requirement=expected.requirement,
        version=expected.version,
        results=findings_shown(expected.findings),
    )


def evaluated_all(one: Evaluated | None, entries: list[EvaluatedDid]) -> EvaluatedAll:
    """Show one evaluation, or those of DIDs with what they have in common."""
    found = [entry.evaluation for entry in entries if entry.evaluation is not None]
    if one is None and found and all(each == found[0] for each in found):
        one = found[0]
    if one is not None:
        return EvaluatedAll(**one.model_dump(), evaluations=entries)
    return EvaluatedAll(
        satisfied=bool(found) and all(each.satisfied for each in found),
        outcome=None,
        requirement=None,
        version=None,
        results=[],
        evaluations=entries,
    )
