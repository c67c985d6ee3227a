"""Responses about requirements and evaluations."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

from didflow_verification.domain.evaluation.findings import Finding
from didflow_verification.domain.requirements import Requirement
from didflow_verification.domain.verifications.what_if import Expected


@dataclass(frozen=True, kw_only=True)
class RequirementResponse(Requirement):
    """A row of the catalogue, with the country that it was found for (`*`: all other countries)."""

    country: str


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
    """Return the response for a row of the catalogue."""
    return RequirementResponse(country=country, **vars(requirement))


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
