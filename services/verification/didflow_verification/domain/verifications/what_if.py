"""The what-if: the outcome that a submission would have now. It is judged like a submission and changes nothing."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from didflow_chassis.decision import Known
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.evaluation.findings import Finding, is_satisfied
from didflow_verification.domain.requirements import is_required, rows_in_force, shown_row, utc_day
from didflow_verification.domain.verifications.approval import Approval
from didflow_verification.domain.verifications.judgement import Case, Judgement, judge, ownership_findings
from didflow_verification.domain.verifications.submission import (
    Submission,
    case_of,
    details_of,
    judgement_of,
)

ExpectedOutcome = Literal["approved", "pending", "rejected", "not_required"]


class Expected(Struct, frozen=True, kw_only=True):
    """The outcome that a submission would have, under which requirement, with every check."""

    outcome: ExpectedOutcome
    requirement: str
    version: int
    findings: tuple[Finding, ...]

    @property
    def satisfied(self) -> bool:
        """Return True if no check failed."""
        return is_satisfied(self.findings)


def for_registration(
    registration: Registration, submission: Submission, now: datetime, known: Known
) -> Expected:
    """Return the expected outcome of these details for a DID."""
    case = case_of(registration, submission, now, known)
    if registration.state == "not_required":
        return _stored(case, registration.requirement, registration.requirement_version)
    judgement = judgement_of(registration, submission, case, known)
    outcome = _present_outcome(registration, details_of(case, submission)) or judgement.outcome
    return _expected(judgement, outcome)


def for_kind(case: Case, approvals: tuple[Approval | None, Approval | None]) -> Expected:
    """Return the expected outcome of these details for a kind of number.

    `approvals` are the reviews for the named area and for any area.

    The number is bought for the end-user type of the case, or for that of the identity.
    """
    rows = rows_in_force(case.rules, case.anywhere, case.number_type, utc_day(case.now))
    bought_for = case.shown_type or (case.identity.type if case.identity else None)
    if not is_required(rows, bought_for):
        shown = shown_row(rows, bought_for)
        return _stored(case, shown.key, shown.version)
    judgement = judge(case, approvals)
    return _expected(judgement, judgement.outcome)


def _stored(case: Case, requirement: str, version: int) -> Expected:
    """Return the outcome where no registration is required: details are stored if the account may use them."""
    findings = ownership_findings(case)
    outcome: ExpectedOutcome = "rejected" if findings else "not_required"
    return Expected(outcome=outcome, requirement=requirement, version=version, findings=findings)


def _expected(judgement: Judgement, outcome: ExpectedOutcome) -> Expected:
    requirement = judgement.requirement
    return Expected(
        outcome=outcome,
        requirement=requirement.key,
        version=requirement.version,
        findings=judgement.findings,
    )


def _present_outcome(registration: Registration, details: Details) -> ExpectedOutcome | None:
    """Return the present outcome of equal details: to assign them again changes nothing. Else return None."""
    if registration.state == "expired" or not details.same_as(registration.assigned):
        return None
    if registration.open:
        return "pending"
    return "approved" if details.same_as(registration.approved) else "rejected"
