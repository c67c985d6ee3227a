"""The evaluation: every check of a requirement on a set of details. Each check is listed, passed or not.

It is a pure function. The what-if and the submission call the same one. Source: spec verification, Evaluation.
"""

from didflow_verification.domain.evaluation.checks import (
    address_findings,
    identity_findings,
    restriction_findings,
)
from didflow_verification.domain.evaluation.document_checks import document_findings
from didflow_verification.domain.evaluation.findings import EvaluationInput, Finding

_PARTS = (identity_findings, address_findings, document_findings, restriction_findings)


def evaluate(given: EvaluationInput) -> tuple[Finding, ...]:
    """Return all findings in a fixed order, or none if the requirement asks for nothing."""
    if not given.requirement.required:
        return ()
    return tuple(finding for part in _PARTS for finding in part(given))
