"""The what-if predicts the outcome of the submission, for generated details."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from didflow_chassis.decision import Known
from didflow_contracts.ids import uuid7
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.evaluation.areas import lies_in_named_area, locate_for
from didflow_verification.domain.requirements import CountryRules
from didflow_verification.domain.verifications.approval import Approval
from didflow_verification.domain.verifications.judgement import Case
from didflow_verification.domain.verifications.submission import Submission
from didflow_verification.domain.verifications.what_if import for_kind, for_registration

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NUMBERS = [
    ("+35319609036", "local"),
    ("+493012345678", "local"),
    ("+493222123456", "national"),
    ("+34911234567", "local"),
    ("+4532123456", "local"),
    ("+31201234567", "local"),
    ("+551123456789", "local"),
    ("+442079460000", "local"),
    ("+80012345678", "toll_free"),
]
WORDS = st.sampled_from(["Quay Street Trading", "HRB 12345", "529420143", "2813105O", "x", "  ", ""])
PERSONS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("company_name", "company_registration_number", "vat_number", "first_name", "last_name"), WORDS
    ),
)
PLACES = st.fixed_dictionaries(
    {
        "street": st.sampled_from(["1 Quay Street", "PO Box 3"]),
        "city": st.sampled_from(["Dublin", "Berlin", "Madrid", "Amsterdam", "Atlantis"]),
        "country": st.sampled_from(["IE", "DE", "ES", "NL", "DK", "BR"]),
    }
)


def expected(stage: Any, submission: Submission, now: Any) -> Any:
    """Return the answer of the what-if, with all stored states."""

    class Everything(dict[Any, Any]):
        def __missing__(self, place: tuple[type, Any]) -> None:
            assert place[0] in {Approval, CountryRules, Identity, Address, Document}

    return for_registration(stage.registration, submission, now, Known(states=Everything(stage.snapshot())))


FITTING = {"company_name": "Quay Street Trading", "first_name": "Joan", "last_name": "Murphy"}
HOME = {
    "+35": {"street": "1 Quay Street", "city": "Dublin", "country": "IE"},
    "+34": {"street": "1 Quay Street", "city": "Madrid", "country": "ES"},
    "+45": {"street": "1 Quay Street", "city": "Aarhus", "country": "DK"},
    "+31": {"street": "1 Quay Street", "city": "Amsterdam", "country": "NL"},
    "+55": {"street": "1 Quay Street", "city": "Recife", "country": "BR"},
    "+80": {"street": "1 Quay Street", "city": "Cork", "country": "IE"},
}
"""Addresses that satisfy the numbers that begin so."""

DOCUMENTS = st.lists(
    st.tuples(
        st.sampled_from(["commercial_register_extract", "passport", "utility_bill", "tax_certificate"]),
        st.sampled_from([None, date(2026, 11, 19), date(2026, 11, 20), date(2027, 1, 1)]),
        st.sampled_from([None, date(2026, 8, 1), date(2026, 11, 1)]),
    ),
    max_size=3,
)


def document_of(identity: Identity, kind: str, expires_on: date | None, issued_on: date | None) -> Document:
    """Return a document of an identity."""
    return Document(
        document_id=uuid7(),
        identity_id=identity.identity_id,
        account=identity.account,
        kind=kind,
        media_type="application/pdf",
        size=1,
        content_id=None,
        issued_on=issued_on,
        expires_on=expires_on,
        states=(("company_name", "Quay Street Trading"),),
        created_at=NOON,
        created_by="user:ann",
    )


def reviewed_before(stage: Any, build: Any, identity: Any, address: Any, documents_of_identity: Any) -> None:
    """Let a reviewer approve the same details for another number of the same prefix, if they wait for one."""
    first = type(build)()
    first.did, first.number, first.number_type = uuid7(), f"{build.number[:-1]}1", build.number_type
    ids = [each.document_id for each in documents_of_identity]
    stage.process_all(first.purchased(), first.assigned(identity, address, document_ids=ids), first.approve())


@settings(
    max_examples=1_000,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
def test_the_what_if_equals_the_submission(
    new_stage: Any, build: Any, make: Any, data: st.DataObject
) -> None:
    """For any details and documents, reviewed before or not: outcome, requirement, version and every finding."""
    stage = new_stage()
    build.number, build.number_type = data.draw(st.sampled_from(NUMBERS))
    kind = data.draw(st.sampled_from([make.company, make.individual]))
    account = data.draw(st.sampled_from(["master/acme", "master", "master/globex"]))
    fitting = data.draw(st.booleans())
    stated = FITTING if fitting else data.draw(PERSONS)
    identity = replace(kind(account=account), person=type(make.company().person)(**stated))
    place = HOME[build.number[:3]] if fitting and build.number[:3] in HOME else data.draw(PLACES)
    address = make.address(identity, **place) if fitting or data.draw(st.booleans()) else None
    documents_of_identity = [document_of(identity, *kind) for kind in data.draw(DOCUMENTS)]
    foreign = [uuid7()] if data.draw(st.integers(0, 9)) == 0 else []
    stage.store(identity, *([address] if address else []), *documents_of_identity)
    if data.draw(st.booleans()):
        reviewed_before(stage, build, identity, address, documents_of_identity)
    sent = (
        data.draw(st.lists(st.sampled_from(documents_of_identity), unique_by=id))
        if documents_of_identity
        else []
    )
    documents = [each.document_id for each in sent] + foreign
    stage.process(build.purchased())
    now = build.zero + timedelta(hours=1)
    assigned = build.assigned(identity, address, document_ids=documents)
    submission = Submission(
        holder=build.account,
        at=build.zero,
        identity_id=identity.identity_id,
        address_id=assigned.data.address_id,
        document_ids=assigned.data.document_ids,
        actor=None,
    )
    predicted = expected(stage, submission, now)
    before, refusals = stage.registration, len(stage.refusals())
    stage.process(assigned, now)
    if predicted.outcome == "not_required" or before.state == "not_required":
        assert stage.registration.state == "not_required"
        assert len(stage.refusals()) - refusals == (predicted.outcome == "rejected")
        return
    verification = stage.verification()
    assert (verification.status, verification.findings) == (predicted.outcome, predicted.findings)
    assert (verification.requirement, verification.requirement_version) == (
        predicted.requirement,
        predicted.version,
    )
    event(f"{verification.status} {'resting' if verification.rests_on else ''}")
    assert expected(stage, submission, now).outcome == predicted.outcome


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_the_same_details_again_would_change_nothing(
    pending: Any, build: Any, acme: Any, quay: Any, decision: str
) -> None:
    """The decided outcome stands, for the what-if too."""
    submission = Submission(
        holder=build.account,
        at=build.zero,
        identity_id=acme.identity_id,
        address_id=quay.address_id,
        actor=None,
    )
    assert expected(pending, submission, build.zero).outcome == "pending"
    pending.process(getattr(build, decision)())
    assert (
        expected(pending, submission, build.zero).outcome
        == {"approve": "approved", "reject": "rejected"}[decision]
    )


def test_an_approved_identity_would_be_approved_again(pending: Any, build: Any, acme: Any, quay: Any) -> None:
    """The what-if knows the reviews that an automatic approval would rest on."""
    pending.process(build.approve())
    stage = pending
    other = replace(stage.registration, assigned=None, approved=None, state="awaiting")
    submission = Submission(
        holder=build.account,
        at=build.zero,
        identity_id=acme.identity_id,
        address_id=quay.address_id,
        actor=None,
    )
    stage.store(other)
    predicted = expected(stage, submission, build.zero)
    assert (predicted.outcome, predicted.satisfied) == ("approved", True)


def case(stage: Any, identity: Any, address: Any, country: str, city: str) -> Case:
    """Return a case for no DID in particular."""
    return Case(
        account=identity.account,
        country=country,
        number_type="local",
        shown_type=None,
        rules=stage.state(CountryRules, country),
        anywhere=stage.state(CountryRules, "*"),
        identity=identity,
        address_id=address.address_id,
        address=address,
        document_ids=(),
        documents=(),
        locate=partial(
            lies_in_named_area, area=city, country=country, rules=stage.state(CountryRules, country)
        ),
        now=NOON,
    )


def kind_of(stage: Any, build: Any, identity: Any, address: Any, documents: Any) -> Case:
    """Return the case of a what-if for the kind of number that the DID is."""
    registration = stage.registration
    rules = stage.state(CountryRules, registration.country)
    return Case(
        account=build.account,
        country=registration.country,
        number_type=registration.number_type,
        shown_type=registration.end_user_type,
        rules=rules,
        anywhere=stage.state(CountryRules, "*"),
        identity=identity,
        address_id=address.address_id if address else None,
        address=address,
        document_ids=tuple(each.document_id for each in documents),
        documents=tuple(each.facts() for each in documents),
        locate=locate_for(build.number, rules),
        now=build.zero,
    )


PARTIAL = (
    {"key": "fj.local.business", "end_user_types": ("business",), "required": False},
    {
        "key": "fj.mobile.business",
        "end_user_types": ("business",),
        "required": False,
        "number_type": "mobile",
    },
    {"key": "fj.mobile.individual", "end_user_types": ("individual",), "number_type": "mobile"},
)
"""A free row for businesses only, and one that is free for businesses and required of individuals."""


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
def test_the_what_if_for_a_kind_of_number_equals_the_submission(
    new_stage: Any, build: Any, make: Any, data: st.DataObject
) -> None:
    """Bought for the type of the identity or for the other one, in countries whose rows differ by type too."""
    partial = tuple(make.requirement(**row) for row in PARTIAL)
    stage = new_stage()
    stage.store(CountryRules(country="FJ", places={}, requirements=partial))
    more = [("+6793123456", "local"), ("+6797123456", "mobile")]
    build.number, build.number_type = data.draw(st.sampled_from([*NUMBERS, *more, *more]))
    kind = data.draw(st.sampled_from([make.company, make.individual]))
    identity = replace(
        kind(account=data.draw(st.sampled_from(["master/acme", "master/globex"]))),
        person=type(make.company().person)(**(FITTING if data.draw(st.booleans()) else data.draw(PERSONS))),
    )
    address = make.address(identity, **data.draw(PLACES)) if data.draw(st.booleans()) else None
    documents = [document_of(identity, *each) for each in data.draw(DOCUMENTS)]
    stage.store(identity, *([address] if address else []), *documents)
    bought_for = data.draw(st.sampled_from(["business", "individual"]))
    stage.process(build.purchased(end_user_type=bought_for))
    predicted = for_kind(kind_of(stage, build, identity, address, documents), (None, None))
    before = len(stage.refusals())
    stage.process(build.assigned(identity, address, document_ids=[each.document_id for each in documents]))
    state = stage.registration.state
    event(f"{predicted.outcome} {bought_for}")
    if state == "not_required":
        refused = len(stage.refusals()) > before
        assert predicted.outcome == ("rejected" if refused else "not_required")
        return
    assert (state, stage.verification().findings) == (predicted.outcome, predicted.findings)
    assert stage.verification().requirement == predicted.requirement


@pytest.mark.parametrize(
    ("country", "city", "outcome", "requirement"),
    [
        ("GB", "london", "not_required", "gb.local.any"),
        ("IE", "dublin", "pending", "ie.local.business"),
        ("IE", "galway", "rejected", "ie.local.business"),
        ("FJ", "dublin", "pending", "any.any"),
    ],
)
def test_a_kind_of_number_can_be_evaluated_without_a_did(
    stage: Any, make: Any, *, country: str, city: str, outcome: str, requirement: str
) -> None:
    """The outcomes: no requirement, a reviewer, outside the area, and a country without rows."""
    acme = make.company()
    found = for_kind(case(stage, acme, make.address(acme), country, city), (None, None))
    assert (found.outcome, found.requirement) == (outcome, requirement)
