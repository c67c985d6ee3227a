"""Responses about requirements and evaluations."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, Field

from didflow_contracts.vocabulary import EndUserType
from didflow_verification.domain.document_types import stated_keys
from didflow_verification.domain.evaluation.findings import Finding
from didflow_verification.domain.requirements import AddressMatch, Requirement
from didflow_verification.domain.verifications.what_if import Expected


class IdentityFieldResponse(BaseModel):
    """A field of the identity. `text` says what it is called there, or whose it is."""

    field: str
    pattern: str | None
    checksum: str | None
    applies_to: EndUserType | None
    when_given: bool
    unless: list[str]
    checksum_warns: bool
    text: str | None


class AddressResponse(BaseModel):
    """Whether an address is required, where it must be, and whether it must be proved (null: unknown)."""

    required: bool
    match: AddressMatch
    proof: bool | None


class DocumentGroupResponse(BaseModel):
    """A group of documents. `states` are the keys of the data that is compared."""

    group: str
    accepts: list[str]
    max_age_days: int | None
    states: list[str]


class CrossCheckResponse(BaseModel):
    """Two values that must agree."""

    left: str
    equals: str


class RestrictionResponse(BaseModel):
    """A condition with a stable code. `years` is used by `minimum_age` only."""

    code: str
    text: str
    years: int | None


class ReviewResponse(BaseModel):
    """Whether a person must review each submission, and how long a review usually takes."""

    manual: bool
    typical_business_days: int | None


class SourceResponse(BaseModel):
    """A public page that a rule comes from."""

    title: str
    publisher: str
    url: str


class RequirementResponse(BaseModel):
    """A row of the catalogue, with the country that it was found for (`*`: all other countries).

    The remarks of the catalogue are for operators: `didflow-verification catalogue show` prints them.
    """

    country: str
    key: str
    number_type: str
    end_user_types: list[EndUserType]
    version: int
    effective_from: date
    effective_to: date | None
    reverify: bool
    grace_until: date | None
    required: bool
    identity_fields: list[IdentityFieldResponse]
    address: AddressResponse
    documents: list[DocumentGroupResponse]
    cross_checks: list[CrossCheckResponse]
    restrictions: list[RestrictionResponse]
    review: ReviewResponse
    sources: list[SourceResponse]


class DocumentTypeResponse(BaseModel):
    """A type of document, and the keys that its `states` may have."""

    type: str
    states: list[str]


class FindingResponse(BaseModel):
    """One check and its result. `passed` is null if only a person can decide."""

    check: str
    passed: bool | None
    field: str | None
    code: str | None
    message: str | None


class EvaluationResponse(BaseModel):
    """The result of an evaluation, and the outcome that a submission would have now."""

    satisfied: bool = Field(description="No check failed.")
    outcome: Literal["approved", "pending", "rejected", "not_required"] | None
    requirement: str | None
    version: int | None
    results: list[FindingResponse]


class DidEvaluation(BaseModel):
    """The evaluation for one DID. `code` is `not_found` if the caller has no such DID."""

    did: str = Field(description="As the caller wrote it.")
    code: Literal["not_found"] | None = None
    evaluation: EvaluationResponse | None = None


class EvaluateResponse(EvaluationResponse):
    """The evaluation that all DIDs have in common.

    If they differ, `per_did` is true, `satisfied` is that of all together, and the fields after it are null or empty:
    `evaluations` has the evaluation of each DID. A DID without an evaluation is not satisfied.
    """

    per_did: bool = Field(description="The DIDs differ: read `evaluations`.")
    evaluations: list[DidEvaluation]


def requirement_response(country: str, requirement: Requirement) -> RequirementResponse:
    """Return the response for a row of the catalogue, without the remarks that are for operators."""
    row: dict[str, Any] = asdict(requirement)
    for group, shown in zip(requirement.documents, row["documents"], strict=True):
        shown["states"] = stated_keys(requirement, group)
    row["sources"] = [source for source in row["sources"] if source["url"]]
    return RequirementResponse.model_validate(row | {"country": country})


def finding_responses(findings: Iterable[Finding]) -> list[FindingResponse]:
    """Return the responses for findings."""
    return [FindingResponse.model_validate(finding, from_attributes=True) for finding in findings]


def evaluation_response(expected: Expected) -> EvaluationResponse:
    """Return the response for one expected outcome."""
    return EvaluationResponse(
        satisfied=expected.satisfied,
        outcome=expected.outcome,
        requirement=expected.requirement,
        version=expected.version,
        results=finding_responses(expected.findings),
    )


def evaluate_response(
    common: EvaluationResponse | None, evaluations: list[DidEvaluation]
) -> EvaluateResponse:
    """Return the response for one evaluation, or for the evaluations of several DIDs."""
    found = [each.evaluation for each in evaluations]
    if common is None and all(each == found[0] for each in found):
        common = found[0]
    if common is not None:
        return EvaluateResponse(**common.model_dump(), per_did=False, evaluations=evaluations)
    return EvaluateResponse(
        satisfied=all(each is not None and each.satisfied for each in found),
        outcome=None,
        requirement=None,
        version=None,
        results=[],
        per_did=True,
        evaluations=evaluations,
    )
