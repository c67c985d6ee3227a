"""The checks of an address: there, and lying where the number belongs."""

from collections.abc import Iterator

from didflow_verification.domain.details.identity import Place
from didflow_verification.domain.evaluation.areas import lies_in
from didflow_verification.domain.evaluation.findings import Finding, failed, for_reviewer, judged, passed
from didflow_verification.domain.evaluation.submission import Submission

MATCH = "address.match"


def address_findings(submission: Submission) -> Iterator[Finding]:
    """Judge presence and place of the address. Source: spec verification, Catalogue and Evaluation."""
    rule = submission.requirement.address
    if submission.address is None:
        if rule.required:
            yield failed("address", "address_missing", "address")
        return
    if rule.required:
        yield passed("address", "address")
    if rule.match != "none":
        yield _match(submission, submission.address.place)
    if rule.proof and all(g.group != "proof_of_address" for g in submission.requirement.documents):
        yield for_reviewer("address.proof", "address")


def _match(submission: Submission, place: Place) -> Finding:
    if place.country != submission.country:
        return failed(MATCH, _outside(submission), "address.country")
    if submission.requirement.address.match == "country":
        return passed(MATCH, "address.country")
    if not submission.places:
        return for_reviewer(MATCH, "address.city")
    if submission.requirement.address.match == "region":
        near = lies_in(place.region, submission.places) or lies_in(place.city, submission.places)
        return judged(MATCH, "address_outside_region", "address.region", holds=near)
    return judged(MATCH, "address_outside_area", "address.city", holds=lies_in(place.city, submission.places))


def _outside(submission: Submission) -> str:
    return f"address_outside_{submission.requirement.address.match}"
