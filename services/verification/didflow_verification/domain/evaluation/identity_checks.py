"""The checks of an identity's fields: given, well formed, and with the right check character."""

from collections.abc import Iterator

from didflow_verification.domain.catalogue.rules import IdentityField
from didflow_verification.domain.evaluation import identifiers
from didflow_verification.domain.evaluation.findings import Finding, failed, for_reviewer, passed
from didflow_verification.domain.evaluation.submission import Submission


def identity_findings(submission: Submission) -> Iterator[Finding]:
    """Judge every field that the requirement asks of this type of end user, in the catalogue's order."""
    for wanted in submission.requirement.identity_fields:
        if wanted.applies_to in {None, submission.identity.type}:
            finding = _field(wanted, submission)
            if finding is not None:
                yield finding


def _field(wanted: IdentityField, submission: Submission) -> Finding | None:
    name = f"identity.{wanted.field}"
    value = submission.identity.person.get(wanted.field)
    if value is None:
        if wanted.when_given or any(submission.has(stand_in) for stand_in in wanted.unless):
            return None
        return failed(name, "missing_field", name)
    formed = identifiers.match_form(value, wanted.pattern, submission.country)
    if formed is None:
        return failed(name, identifiers.BAD_FORMAT, name)
    wrong = identifiers.check_character(wanted.checksum, formed) if wanted.checksum else None
    if wrong == identifiers.BAD_CHECKSUM and wanted.checksum_warns:
        return for_reviewer(name, name)
    return failed(name, wrong, name) if wrong else passed(name, name)
