"""What is shown of requirements and of what an evaluation finds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

from didflow_verification.domain.catalogue.rules import Requirement
from didflow_verification.domain.evaluation.findings import Finding
from didflow_verification.domain.verifications.what_if import Expected


@dataclass(frozen=True, kw_only=True)
class RequirementShown(Requirement):
    """A row of the catalogue, with the country that it was looked up for (`*`: anywhere else)."""

    country: str


class FindingShown(BaseModel):
    """One check and what came of it; `passed` is null where only a person can say."""

    check: str
    passed: bool | None
    field: str | None
    code: str | None
    message: str | None


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


class EvaluatedAll(Evaluated):
    """What holds for all that was asked; where DIDs differ, null and empty here and each in `evaluations`."""

    evaluations: list[EvaluatedDid] = []


def requirement_shown(country: str, requirement: Requirement) -> RequirementShown:
    """Show a row of the catalogue for a country; `*` is anywhere else."""
    return RequirementShown(country=country, **vars(requirement))


def findings_shown(findings: Iterable[Finding]) -> list[FindingShown]:
    """Show findings."""
    return [FindingShown.model_validate(finding, from_attributes=True) for finding in findings]


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
