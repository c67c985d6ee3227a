"""The evaluation: for every row of the catalogue details that pass, and for every check one that fails."""

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from catalogue_cases import ASKING, DAY, ROWS, VECTORS, Row, good

from didflow_verification.domain.catalogue import DocumentGroup, IdentityField, Restriction, Review
from didflow_verification.domain.evaluation import evaluate
from didflow_verification.domain.findings import MESSAGES, Finding, is_satisfied, reasons
from didflow_verification.domain.submission import Submission

JUDGED = {"business_only", "no_po_box", "resident_only"}


def named(rows: list[Row]) -> Any:
    """Cases by their row's name."""
    return [pytest.param(row, id=row.id) for row in rows]


def failures(submission: Submission) -> list[tuple[str | None, str | None]]:
    """Every check that failed: its code and its field."""
    return [(f.code, f.field) for f in evaluate(submission) if f.passed is False]


def without(submission: Submission, *fields: str) -> Submission:
    """Take fields from the identity."""
    person = replace(submission.identity.person, **dict.fromkeys(fields))
    return replace(submission, identity=replace(submission.identity, person=person))


def stating(submission: Submission, **fields: Any) -> Submission:
    """Let the identity state something else."""
    person = replace(submission.identity.person, **fields)
    return replace(submission, identity=replace(submission.identity, person=person))


def placed(submission: Submission, **place: Any) -> Submission:
    """Put the address somewhere else, with documents that say so."""
    assert submission.address is not None
    moved = replace(submission.address, place=replace(submission.address.place, **place))
    stated = f"{moved.place.street}, {moved.place.postal_code} {moved.place.city}"
    papers = tuple(
        replace(d, states=tuple((n, stated if n == "address" else v) for n, v in d.states))
        for d in submission.documents
    )
    return replace(submission, address=moved, documents=papers)


@pytest.mark.parametrize("row", named(ROWS))
def test_good_details_pass_every_row(row: Row) -> None:
    """No check fails; what is left is for a reviewer: other restrictions and areas that nobody can name."""
    findings = evaluate(good(row))
    assert is_satisfied(findings)
    left = {finding.check for finding in findings if finding.passed is None}
    others = {r.code for r in row.requirement.restrictions} - JUDGED
    assert left == (others if row.requirement.required else set())


@pytest.mark.parametrize("row", named(ASKING))
def test_a_field_that_must_be_given_and_is_not_fails(row: Row) -> None:
    """Each field by itself: `missing_field`, unless it may be left out or something stands in for it."""
    for field in row.requirement.identity_fields:
        if field.applies_to in {None, row.type}:
            free = field.when_given or field.unless
            expected = [] if free else [("missing_field", f"identity.{field.field}")]
            assert failures(without(good(row), field.field)) == expected


@pytest.mark.parametrize("row", named(ASKING))
def test_a_field_of_the_wrong_form_fails(row: Row) -> None:
    """Each field with a pattern: `bad_format`, also where it need not be given."""
    for field in row.requirement.identity_fields:
        if field.pattern and field.applies_to in {None, row.type}:
            wrong = stating(replace(good(row), documents=()), **{field.field: "#"})
            assert ("bad_format", f"identity.{field.field}") in failures(wrong)


@pytest.mark.parametrize("row", named(ASKING))
def test_a_wrong_check_character_fails(row: Row) -> None:
    """Each identifier with a checksum: `bad_checksum`, or a reviewer's where the rule is not reliable."""
    for field in row.requirement.identity_fields:
        if field.checksum and field.applies_to in {None, row.type}:
            value = next(i["value"] for i in VECTORS[field.checksum]["invalid"] if "check" in i["why"])
            wrong = stating(replace(good(row), documents=()), **{field.field: value})
            (finding,) = (f for f in evaluate(wrong) if f.check == f"identity.{field.field}")
            expected = (None, "reviewer_check") if field.checksum_warns else (False, "bad_checksum")
            assert (finding.passed, finding.code) == expected


@pytest.mark.parametrize("row", named(ASKING))
def test_an_address_that_is_asked_for_must_be_there(row: Row) -> None:
    """Without one: `address_missing`, and nothing is said of where it lies."""
    bare = replace(good(row), address=None, documents=())
    missing = [f for f in failures(bare) if f[1] == "address"]
    assert missing == ([("address_missing", "address")] if row.requirement.address.required else [])
    assert all(finding.check != "address.match" for finding in evaluate(bare))


@pytest.mark.parametrize("row", named(ASKING))
def test_an_address_in_another_country_fails_where_the_place_matters(row: Row) -> None:
    """The code says where it should have been."""
    match = row.requirement.address.match
    expected = [] if match == "none" else [(f"address_outside_{match}", "address.country")]
    if any(r.code == "resident_only" for r in row.requirement.restrictions):
        expected.append(("not_resident", "address.country"))
    assert failures(placed(good(row), country="NZ")) == expected


@pytest.mark.parametrize("row", named([r for r in ASKING if r.requirement.by_area]))
def test_an_address_in_another_city_fails_where_the_area_matters(row: Row) -> None:
    """An address in the right country and the wrong city."""
    assert failures(placed(good(row), city="Atlantis")) == [("address_outside_area", "address.city")]


def test_a_munich_address_does_not_satisfy_a_berlin_number() -> None:
    """The area of the prefix decides."""
    berlin = good(next(row for row in ASKING if row.requirement.key == "de.local.business"))
    assert failures(placed(berlin, city="München")) == [("address_outside_area", "address.city")]


@pytest.mark.parametrize("row", named([r for r in ASKING if r.requirement.by_area]))
def test_an_area_that_nobody_can_name_is_a_reviewers(row: Row) -> None:
    """Neither passed nor failed."""
    unknown = replace(good(row), places=frozenset())
    (finding,) = (f for f in evaluate(unknown) if f.check == "address.match")
    assert (finding.passed, finding.code, finding.field) == (None, "reviewer_check", "address.city")


@pytest.mark.parametrize("row", named([r for r in ASKING if r.requirement.documents]))
def test_each_group_of_documents_must_be_met(row: Row) -> None:
    """Missing, of a wrong kind, unreadable, past its end: each with its own code."""
    for group in row.requirement.documents:
        field = f"documents.{group.group}"
        kept = tuple(d for d in good(row).documents if d.kind not in group.accepts)
        base = replace(good(row), documents=kept)
        missing = "proof_missing" if group.group == "proof_of_address" else "document_missing"
        assert (missing, field) in failures(base)
        one = replace(good(row).documents[0], kind=group.accepts[0])
        for code, change in {
            "document_type_not_accepted": {"kind": "library_card"},
            "document_unreadable": {"readable": False},
            "document_expired": {"expires_on": DAY - timedelta(days=1)},
        }.items():
            worse = replace(base, documents=(*kept, replace(one, **change)))
            assert (code, field) in failures(worse)
        today = replace(base, documents=(*kept, replace(one, expires_on=DAY)))
        assert field not in {where for _, where in failures(today)}


@pytest.mark.parametrize("row", named([r for r in ASKING if r.requirement.cross_checks]))
def test_each_cross_check_needs_both_sides_and_then_agreement(row: Row) -> None:
    """Another statement is a `mismatch` at the document's attribute; no statement is not listed."""
    for cross in row.requirement.cross_checks:
        attribute = cross.left.rpartition(".")[2]
        papers = good(row).documents
        silent = tuple(replace(d, states=()) for d in papers)
        assert all("=" not in f.check for f in evaluate(replace(good(row), documents=silent)))
        if not any(attribute == name for d in papers for name, _ in d.states):
            continue
        lying = tuple(
            replace(d, states=tuple((n, "else") for n, _ in d.states if n == attribute)) for d in papers
        )
        assert ("mismatch", cross.left) in failures(replace(good(row), documents=lying))


@pytest.mark.parametrize("row", named([r for r in ASKING if r.requirement.restrictions]))
def test_restrictions_are_judged_or_left_to_a_reviewer(row: Row) -> None:
    """A post office box, a business on a business row; the rest under its own code with its own words."""
    codes = {r.code: r.text for r in row.requirement.restrictions}
    found = {f.check: f for f in evaluate(good(row))}
    for code in codes.keys() - JUDGED:
        assert (found[code].passed, found[code].code, found[code].message) == (
            None,
            "reviewer_check",
            codes[code],
        )
    if "no_po_box" in codes:
        assert failures(placed(good(row), street="P.O. Box 12")) == [("po_box", "address.street")]
    if "business_only" in codes:
        person = replace(good(row).identity, type="individual")
        assert ("business_only", "identity.type") in failures(replace(good(row), identity=person))


def test_a_proof_counts_through_its_last_day() -> None:
    """With `max_age_days: 90` a paper of 90 days is taken and one of 91 is too old; without a date it lacks one."""
    row = next(row for row in ASKING if row.requirement.key == "fr.local.business")
    base = good(row)
    for age, expected in ((90, []), (91, [("document_too_old", "documents.proof_of_business")])):
        issued = DAY - timedelta(days=age)
        aged = replace(base, documents=tuple(replace(d, issued_on=issued) for d in base.documents))
        assert failures(aged) == expected
    undated = replace(base, documents=tuple(replace(d, issued_on=None) for d in base.documents))
    assert failures(undated) == [("missing_field", "documents.proof_of_business")]


def test_one_good_document_is_enough() -> None:
    """Of several for a group the good one counts, whatever the others are."""
    row = next(row for row in ASKING if row.requirement.key == "ch.local.any")
    base = good(row)
    bad = replace(base.documents[0], readable=False)
    assert failures(replace(base, documents=(bad, *base.documents))) == []


def test_a_register_number_may_be_left_out_for_what_stands_in_for_it() -> None:
    """Germany: without register number and VAT ID it is missing, unless a tax certificate is there."""
    row = next(row for row in ASKING if row.requirement.key == "de.local.business")
    bare = without(good(row), "company_registration_number", "vat_number")
    assert failures(bare) == [("missing_field", "identity.company_registration_number")]
    certificate = replace(bare.documents[0], kind="tax_certificate")
    assert failures(replace(bare, documents=(certificate, *bare.documents))) == []


def test_a_proof_that_no_group_asks_for_is_a_reviewers(make: Any) -> None:
    """The row says proof, but not by what: a person looks."""
    row = next(row for row in ASKING if row.requirement.key == "pt.local.any")
    papers = tuple(g for g in row.requirement.documents if g.group != "proof_of_address")
    bare = replace(good(row), requirement=replace(row.requirement, documents=papers))
    assert [f.check for f in evaluate(bare) if f.check == "address.proof" and f.passed is None]


def test_every_failed_check_becomes_a_reason_and_no_other(make: Any) -> None:
    """A rejection names all that is missing at once; what a reviewer would look at is no reason."""
    asked = make.requirement(
        identity_fields=(
            IdentityField(field="company_name"),
            IdentityField(field="tax_id", checksum="br.cnpj"),
        ),
        documents=(DocumentGroup(group="proof", accepts=("passport",)),),
        restrictions=(Restriction(code="state_the_use", text="Say what for."),),
        review=Review(manual=True),
    )
    submission = replace(without(good(ASKING[0]), "company_name"), requirement=asked, documents=())
    found = evaluate(stating(submission, tax_id="1"))
    assert [(r.code, r.field) for r in reasons(found)] == [
        ("missing_field", "identity.company_name"),
        ("bad_format", "identity.tax_id"),
        ("document_missing", "documents.proof"),
    ]


def test_messages_never_repeat_what_was_typed_in() -> None:
    """They travel in events: each is the words of its code, or a restriction's of the catalogue."""
    for row in ASKING:
        secret = stating(placed(good(row), city="Atlantis", street="PO Box 7"), company_name="Secret Name")
        texts = {r.text for r in row.requirement.restrictions} | set(MESSAGES.values())
        assert {f.message for f in evaluate(secret) if f.message} <= texts


def test_a_finding_that_passed_has_neither_code_nor_message() -> None:
    """Codes are for what is missing."""
    assert Finding(check="address", passed=True, field="address").code is None
    assert all(f.code is None and f.message is None for f in evaluate(good(ASKING[0])) if f.passed)
