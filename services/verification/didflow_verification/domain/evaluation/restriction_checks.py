"""The checks of restrictions: five codes are judged, every other one is a reviewer's to look at."""

from collections.abc import Iterator, Mapping
from datetime import date

from didflow_verification.domain.catalogue.rules import Restriction
from didflow_verification.domain.evaluation.findings import Finding, failed, for_reviewer, judged
from didflow_verification.domain.evaluation.po_boxes import is_po_box
from didflow_verification.domain.evaluation.submission import Submission


def restriction_findings(submission: Submission) -> Iterator[Finding]:
    """Judge every restriction of the requirement. Source: spec verification, Catalogue."""
    for restriction in submission.requirement.restrictions:
        finding = _restriction(restriction, submission)
        if finding is not None:
            yield finding


def _restriction(restriction: Restriction, submission: Submission) -> Finding | None:
    code = restriction.code
    if code in _TYPES:
        return judged(code, code, "identity.type", holds=submission.identity.type == _TYPES[code])
    if code == "minimum_age":
        return _age(restriction.years or 0, submission)
    if code not in {"no_po_box", "resident_only"}:
        return for_reviewer(code, text=restriction.text)
    if submission.address is None:
        return None
    place = submission.address.place
    if code == "no_po_box":
        return judged(code, "po_box", "address.street", holds=not is_po_box(place.street))
    return judged(code, "not_resident", "address.country", holds=place.country == submission.country)


_TYPES: Mapping[str, str] = {"business_only": "business", "individual_only": "individual"}


def _age(years: int, submission: Submission) -> Finding | None:
    """Judge a person's age on the day; businesses have none."""
    if submission.identity.type == "business":
        return None
    born = submission.identity.person.birth_date
    if born is None:
        return failed("minimum_age", "missing_field", _BORN)
    return judged("minimum_age", "below_minimum_age", _BORN, holds=_age_on(submission.day, born) >= years)


_BORN = "identity.birth_date"


def _age_on(day: date, born: date) -> int:
    """Return whole years; who was born on 29 February turns a year older on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
