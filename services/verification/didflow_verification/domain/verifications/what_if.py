"""What a submission would give now: judged as the submission would be, with nothing changed."""

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from didflow_chassis.decision import Known
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.catalogue.rules import rows_in_force
from didflow_verification.domain.evaluation.findings import Finding, is_satisfied
from didflow_verification.domain.verifications.approvals import Approval
from didflow_verification.domain.verifications.judging import Case, Judgement, judge, ownership_findings
from didflow_verification.domain.verifications.submitting import Wish, case_of, details_of, judged

Outcome = Literal["approved", "pending", "rejected", "not_required"]


class Expected(Struct, frozen=True, kw_only=True):
    """The outcome that a submission would have, by which requirement, and every check with it."""

    outcome: Outcome
    requirement: str
    version: int
    findings: tuple[Finding, ...]

    @property
    def satisfied(self) -> bool:
        """Whether no check failed."""
        return is_satisfied(self.findings)


def for_registration(registration: Registration, wish: Wish, now: datetime, known: Known) -> Expected:
    """Say what these details would give for a DID."""
    case = case_of(registration, wish, now, known)
    if registration.state == "not_required":
        findings = ownership_findings(case)
        return Expected(
            outcome="rejected" if findings else "not_required",
            requirement=registration.requirement,
            version=registration.requirement_version,
            findings=findings,
        )
    judgement = judged(registration, wish, case, known)
    return _expected(judgement, _standing(registration, details_of(case, wish)) or judgement.outcome)


def for_kind(case: Case, approval: Approval | None) -> Expected:
    """Say what these details would give for a kind of number; `approval` is the review for anywhere."""
    day = case.now.astimezone(UTC).date()
    rows = rows_in_force(case.rules, case.anywhere, case.number_type, day)
    judgement = judge(case, (None, approval))
    free = is_satisfied(judgement.findings) and not any(row.required for row in rows)
    return _expected(judgement, "not_required" if free else judgement.outcome)


def _expected(judgement: Judgement, outcome: Outcome) -> Expected:
    requirement = judgement.requirement
    return Expected(
        outcome=outcome,
        requirement=requirement.key,
        version=requirement.version,
        findings=judgement.findings,
    )


def _standing(registration: Registration, details: Details) -> Outcome | None:
    """The same details again change nothing: their outcome stands."""
    if registration.state == "expired" or not details.same_as(registration.assigned):
        return None
    if registration.open:
        return "pending"
    return "approved" if details.same_as(registration.approved) else "rejected"
