"""The checks of restrictions: three codes are judged, every other one is a reviewer's to look at."""

from collections.abc import Iterator

from didflow_verification.domain.catalogue import Restriction
from didflow_verification.domain.findings import Finding, for_reviewer, judged
from didflow_verification.domain.po_boxes import is_po_box
from didflow_verification.domain.submission import Submission


def restriction_findings(submission: Submission) -> Iterator[Finding]:
    """Judge every restriction of the requirement. Source: spec verification, Catalogue."""
    for restriction in submission.requirement.restrictions:
        finding = _restriction(restriction, submission)
        if finding is not None:
            yield finding


def _restriction(restriction: Restriction, submission: Submission) -> Finding | None:
    code = restriction.code
    if code == "business_only":
        return judged(code, code, "identity.type", holds=submission.identity.type == "business")
    if code not in {"no_po_box", "resident_only"}:
        return for_reviewer(code, text=restriction.text)
    if submission.address is None:
        return None
    place = submission.address.place
    if code == "no_po_box":
        return judged(code, "po_box", "address.street", holds=not is_po_box(place.street))
    return judged(code, "not_resident", "address.country", holds=place.country == submission.country)
