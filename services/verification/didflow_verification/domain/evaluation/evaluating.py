"""The evaluation: every check of a requirement on a set of details, listed whether it passed or not.

A pure function; the what-if and the submission call the same one. Source: spec verification, Evaluation.
"""

from didflow_verification.domain.evaluation.address_checks import address_findings
from didflow_verification.domain.evaluation.document_checks import document_findings
from didflow_verification.domain.evaluation.findings import Finding
from didflow_verification.domain.evaluation.identity_checks import identity_findings
from didflow_verification.domain.evaluation.restriction_checks import restriction_findings
from didflow_verification.domain.evaluation.submission import Submission

_PARTS = (identity_findings, address_findings, document_findings, restriction_findings)


def evaluate(submission: Submission) -> tuple[Finding, ...]:
    """Return all findings in a fixed order; none where the requirement asks for nothing."""
    if not submission.requirement.required:
        return ()
    return tuple(finding for part in _PARTS for finding in part(submission))
