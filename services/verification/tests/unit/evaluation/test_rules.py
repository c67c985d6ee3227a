"""Rules of the evaluation, each shown by a single case."""

from dataclasses import replace as amended
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from didflow_verification.domain.evaluation import evaluate
from didflow_verification.domain.evaluation.findings import MESSAGES, Finding, reasons
from didflow_verification.domain.requirements import DocumentGroup, IdentityField, Restriction, Review


def test_a_munich_address_does_not_satisfy_a_berlin_number(details: Any) -> None:
    """The area of the prefix decides."""
    berlin = details.for_key("de.local.business")
    assert details.failures(details.with_place(berlin, city="München")) == [
        ("address_outside_area", "address.city")
    ]


def test_a_proof_counts_through_its_last_day(details: Any) -> None:
    """With `max_age_days: 90`, a document of 90 days is accepted and one of 91 days is too old. A date is required."""
    base = details.for_key("fr.local.business")
    for age, expected in ((90, []), (91, [("document_too_old", "documents.proof_of_business")])):
        issued = details.day - timedelta(days=age)
        aged = replace(base, documents=tuple(replace(d, issued_on=issued) for d in base.documents))
        assert details.failures(aged) == expected
    undated = replace(base, documents=tuple(replace(d, issued_on=None) for d in base.documents))
    assert details.failures(undated) == [("missing_field", "documents.proof_of_business")]


def test_one_valid_document_is_enough(details: Any) -> None:
    """The other documents of the group do not matter."""
    base = details.for_key("ch.local.any")
    bad = replace(base.documents[0], readable=False)
    assert details.failures(replace(base, documents=(bad, *base.documents))) == []


def test_a_register_number_can_be_replaced(details: Any) -> None:
    """In Germany, a VAT ID or a tax certificate replaces it."""
    base = details.for_key("de.local.business")
    bare = details.without(base, "company_registration_number", "vat_number")
    assert details.failures(bare) == [("missing_field", "identity.company_registration_number")]
    certificate = replace(bare.documents[0], kind="tax_certificate")
    assert details.failures(replace(bare, documents=(certificate, *bare.documents))) == []


def test_a_proof_without_a_document_group_is_left_to_a_reviewer(details: Any) -> None:
    """The row requires a proof but does not say which."""
    base = details.for_key("pt.local.any")
    documents = tuple(g for g in base.requirement.documents if g.group != "proof_of_address")
    bare = replace(base, requirement=amended(base.requirement, documents=documents))
    assert [f.check for f in evaluate(bare) if f.check == "address.proof" and f.passed is None]


def test_every_failed_check_becomes_a_reason_and_no_other(details: Any, make: Any) -> None:
    """A rejection has all reasons at once. A check for a reviewer is no reason."""
    asked = make.requirement(
        identity_fields=(
            IdentityField(field="company_name"),
            IdentityField(field="tax_id", checksum="br.cnpj"),
        ),
        documents=(DocumentGroup(group="proof", accepts=("passport",)),),
        restrictions=(Restriction(code="state_the_use", text="Say what for."),),
        review=Review(manual=True),
    )
    submission = replace(
        details.without(details.for_key("ie.local.business"), "company_name"), requirement=asked, documents=()
    )
    found = evaluate(details.with_person(submission, tax_id="1"))
    assert [(r.code, r.field) for r in reasons(found)] == [
        ("missing_field", "identity.company_name"),
        ("bad_format", "identity.tax_id"),
        ("document_missing", "documents.proof"),
    ]


def test_messages_never_repeat_personal_data(details: Any, asking: Any) -> None:
    """Each is the text of its code, or the text of a restriction in the catalogue."""
    elsewhere = details.with_place(details.good(asking), city="Atlantis", street="PO Box 7")
    secret = details.with_person(elsewhere, company_name="Secret Name")
    texts = {r.text for r in asking.requirement.restrictions} | set(MESSAGES.values())
    assert {f.message for f in evaluate(secret) if f.message} <= texts


def test_a_finding_that_passed_has_neither_code_nor_message(details: Any) -> None:
    """Only failed checks and those for a reviewer have them."""
    assert Finding(check="address", passed=True, field="address").code is None
    assert all(
        f.code is None and f.message is None
        for f in evaluate(details.for_key("ie.local.business"))
        if f.passed
    )


@pytest.mark.parametrize(
    ("born", "failing"),
    [
        (date(2008, 11, 20), []),
        (date(2008, 11, 21), [("below_minimum_age", "identity.birth_date")]),
        (None, [("missing_field", "identity.birth_date")]),
    ],
)
def test_a_minimum_age_is_reached_on_the_birthday(
    details: Any, make: Any, *, born: date | None, failing: Any
) -> None:
    """Somebody who turns 18 on that day is accepted. A business has no age."""
    adults = Restriction(code="minimum_age", text="Adults only.", years=18)
    base = replace(
        details.for_key("ie.local.business"),
        requirement=make.requirement(restrictions=(adults,)),
        documents=(),
    )
    person = details.with_person(
        replace(base, identity=replace(base.identity, type="individual")), birth_date=born
    )
    assert details.failures(person) == failing
    (business,) = evaluate(replace(base, requirement=make.requirement(restrictions=(adults,))))
    assert (business.check, business.passed) == ("minimum_age", True)


def test_a_row_can_be_for_individuals_only(details: Any, make: Any) -> None:
    """A business is rejected, an individual is accepted."""
    alone = make.requirement(restrictions=(Restriction(code="individual_only", text="Persons."),))
    base = replace(details.for_key("ie.local.business"), requirement=alone, documents=(), address=None)
    assert details.failures(base) == [("individual_only", "identity.type")]
    assert details.failures(replace(base, identity=replace(base.identity, type="individual"))) == []


def test_an_optional_address_that_is_absent_hides_the_restriction_on_boxes(details: Any, make: Any) -> None:
    """No address is no box, so the check passes. Where the end user lives is for a reviewer."""
    restrictions = (
        Restriction(code="no_po_box", text="No box."),
        Restriction(code="resident_only", text="Here."),
    )
    bare = replace(
        details.for_key("ie.local.business"),
        requirement=make.requirement(restrictions=restrictions),
        documents=(),
        address=None,
    )
    assert [(f.check, f.passed) for f in evaluate(bare)] == [("no_po_box", True), ("resident_only", None)]


def test_a_document_that_replaces_a_field_is_listed_as_not_asked_for(details: Any, make: Any) -> None:
    """The row asks for it with `unless`, in no group."""
    field = IdentityField(field="tax_id", unless=("document.tax_certificate",))
    base = details.for_key("de.local.business")
    certificate = replace(base.documents[0], kind="tax_certificate")
    asked = make.requirement(identity_fields=(field,))
    assert evaluate(replace(base, requirement=asked, documents=(certificate,), address=None)) == ()
