"""Identities, addresses and documents are changed and erased: each decision without a state, once and twice."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Refused, Unchanged, known
from didflow_verification.domain.commands import (
    BeginErasure,
    ChangeAddress,
    ChangeIdentity,
    CompleteErasure,
    CreateDocument,
    EraseAddress,
    EraseDocument,
    EraseIdentity,
    MoveContent,
)
from didflow_verification.domain.details.changes import (
    DetailChange,
    Reassessment,
    UsedDetail,
    change_address,
    change_identity,
)
from didflow_verification.domain.details.document import Document, create_document, move_content
from didflow_verification.domain.details.erasure import (
    ERASED_PLACE,
    NOT_FOUND,
    DetailUse,
    OwnedDetails,
    begin_erasure,
    complete_erasure,
    erase_address,
    erase_document,
    erase_identity,
)
from didflow_verification.domain.details.former import JudgedDetail
from didflow_verification.domain.details.identity import Address, Identity, Person
from didflow_verification.domain.reassessment import submissions_again

CONTENT = UUID(int=7)


@pytest.fixture
def ann(build: Any) -> Any:
    """A reseller of the account."""
    return build.caller("ann", "reseller", "master/acme")


@pytest.fixture
def document(acme: Identity, build: Any) -> Document:
    """A document of the account's identity."""
    return Document(
        document_id=UUID(int=5),
        identity_id=acme.identity_id,
        account=acme.account,
        kind="passport",
        media_type="image/png",
        size=9,
        sha256="0" * 64,
        content_id=CONTENT,
        issued_on=date(2026, 1, 1),
        expires_on=None,
        states=(("holder_last_name", "Murphy"),),
        created_at=build.zero,
        created_by="user:ann",
    )


def about(key: UUID, caller: Any) -> dict[str, Any]:
    """Return the fields that every command has."""
    return {"entity_id": key, "subject": "", "caller": caller}


def changed(details: Any, by: str, after: timedelta = timedelta()) -> Any:
    """Return the second revision of an identity or address, which somebody made this long after its creation."""
    return replace(details, revision=2, changed_at=details.created_at + after, changed_by=by)


def creation_of(document: Document, caller: Any) -> CreateDocument:
    """Return the command that creates a document."""
    return CreateDocument(
        **about(document.document_id, caller),
        identity_id=document.identity_id,
        kind=document.kind,
        media_type=document.media_type,
        size=document.size,
        sha256="0" * 64,
        content_id=CONTENT,
        issued_on=document.issued_on,
        expires_on=document.expires_on,
        states=document.states,
    )


def test_unknown_details_can_neither_be_changed_nor_erased(
    build: Any, ann: Any, acme: Identity, document: Any
) -> None:
    """Each command is refused `not_found`. To move the content of an unknown document changes nothing."""
    key = uuid4()
    nothing = known(absent=[(DetailUse, key), (OwnedDetails, key), (Identity, document.identity_id)])
    outcomes = [
        change_identity(None, ChangeIdentity(**about(key, ann), type=None, changes={}), build.zero, nothing),
        change_address(None, ChangeAddress(**about(key, ann), changes={}), build.zero, nothing),
        erase_identity(None, EraseIdentity(**about(key, ann)), build.zero, nothing),
        begin_erasure(None, BeginErasure(**about(key, ann)), build.zero, nothing),
        complete_erasure(None, CompleteErasure(**about(key, ann)), build.zero, nothing),
        erase_address(None, EraseAddress(**about(key, ann)), build.zero, nothing),
        erase_document(None, EraseDocument(**about(key, ann)), build.zero, nothing),
        create_document(None, creation_of(document, ann), build.zero, nothing),
    ]
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Refused)] == ["not_found"] * 8
    move = MoveContent(**about(key, ann), former=CONTENT, content_id=uuid4())
    assert isinstance(move_content(None, move, build.zero), Unchanged)


def test_details_outside_the_callers_reach_are_not_found(
    build: Any, acme: Identity, quay: Address, document: Any
) -> None:
    """Every command of a sibling account is refused `not_found`."""
    eve = build.caller("eve", "reseller", "master/globex")
    empty = known(
        absent=[(DetailUse, key) for key in (acme.identity_id, quay.address_id, document.document_id)]
    )
    outcomes = [
        change_identity(
            acme, ChangeIdentity(**about(acme.identity_id, eve), type=None, changes={}), build.zero, empty
        ),
        change_address(quay, ChangeAddress(**about(quay.address_id, eve), changes={}), build.zero, empty),
        erase_identity(acme, EraseIdentity(**about(acme.identity_id, eve)), build.zero, empty),
        begin_erasure(acme, BeginErasure(**about(acme.identity_id, eve)), build.zero, empty),
        complete_erasure(
            replace(acme, erased_at=build.zero),
            CompleteErasure(**about(acme.identity_id, eve)),
            build.zero,
            empty,
        ),
        erase_address(quay, EraseAddress(**about(quay.address_id, eve)), build.zero, empty),
        erase_document(document, EraseDocument(**about(document.document_id, eve)), build.zero, empty),
        create_document(None, creation_of(document, eve), build.zero, known((acme, acme.identity_id))),
    ]
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Refused)} == {"not_found"}
    assert all(isinstance(outcome, Refused) for outcome in outcomes)


def test_a_change_is_recorded_without_personal_data(build: Any, ann: Any, acme: Identity) -> None:
    """The revision rises by one. The record has the actor and the time. A job of the caller's account spreads it."""
    command = ChangeIdentity(
        **about(acme.identity_id, ann),
        type="individual",
        changes={"last_name": "Murphy", "company_name": None},
    )
    used = known(
        (UsedDetail(detail_id=acme.identity_id), acme.identity_id), absent=[(JudgedDetail, acme.identity_id)]
    )
    outcome = change_identity(acme, command, build.zero, used)
    assert isinstance(outcome, Decided)
    assert outcome.state == replace(
        acme,
        type="individual",
        revision=2,
        person=replace(acme.person, last_name="Murphy", company_name=None),
        changed_at=build.zero,
        changed_by="user:ann",
    )
    record, job = outcome.also
    assert isinstance(record, DetailChange)
    assert (record.revision, record.changed_by, record.changed_at) == (2, "user:ann", build.zero)
    assert "Murphy" not in str(record)
    assert (job.job_id, job.kind) == (record.change_id, "reassess_dids")
    assert (job.account, job.role, job.created_by) == ("master/acme", "reseller", "user:ann")
    assert job.parameters == Reassessment(identity_id=acme.identity_id, address_id=None)
    assert change_identity(outcome.state, command, build.zero, used) == Unchanged(answer=outcome.state)


def test_a_change_of_unused_details_starts_no_job(
    build: Any, ann: Any, acme: Identity, quay: Address
) -> None:
    """It is recorded all the same. Otherwise anybody could queue jobs without end."""
    details = (acme.identity_id, quay.address_id)
    unused = known(absent=[(kind, key) for kind in (UsedDetail, JudgedDetail) for key in details])
    person = ChangeIdentity(**about(acme.identity_id, ann), type=None, changes={"last_name": "Murphy"})
    place = ChangeAddress(**about(quay.address_id, ann), changes={"city": "Cork"})
    for outcome in (
        change_identity(acme, person, build.zero, unused),
        change_address(quay, place, build.zero, unused),
    ):
        assert isinstance(outcome, Decided)
        assert [type(each) for each in outcome.also] == [DetailChange]


def test_an_address_changes_once(build: Any, ann: Any, quay: Address) -> None:
    """The same change again is unchanged."""
    command = ChangeAddress(**about(quay.address_id, ann), changes={"city": "Cork"})
    used = known(
        (UsedDetail(detail_id=quay.address_id), quay.address_id), absent=[(JudgedDetail, quay.address_id)]
    )
    outcome = change_address(quay, command, build.zero, used)
    assert isinstance(outcome, Decided)
    assert (outcome.state.place.city, outcome.state.revision) == ("Cork", 2)
    assert outcome.also[1].parameters == Reassessment(
        identity_id=quay.identity_id, address_id=quay.address_id
    )
    assert change_address(outcome.state, command, build.zero, used) == Unchanged(answer=outcome.state)


def test_a_document_is_created_once(build: Any, ann: Any, acme: Identity, document: Document) -> None:
    """It belongs to the account of its identity. An erased identity gets no document."""
    stored = known((acme, acme.identity_id))
    outcome = create_document(None, creation_of(document, ann), build.zero, stored)
    assert outcome == Decided(state=document, answer=document)
    assert create_document(document, creation_of(document, ann), build.zero, stored) == Unchanged(
        answer=document
    )
    erased = known((replace(acme, erased_at=build.zero), acme.identity_id))
    refused = create_document(None, creation_of(document, ann), build.zero, erased)
    assert isinstance(refused, Refused)


def test_a_content_is_replaced_once(build: Any, ann: Any, document: Document) -> None:
    """A second replacement of the same content, or one of an erased document, changes nothing."""
    move = MoveContent(**about(document.document_id, ann), former=CONTENT, content_id=UUID(int=8))
    outcome = move_content(document, move, build.zero)
    assert outcome == Decided(state=replace(document, content_id=UUID(int=8)))
    assert isinstance(move_content(outcome.state, move, build.zero), Unchanged)
    assert isinstance(move_content(replace(document, content_id=None), move, build.zero), Unchanged)


def test_a_person_is_erased_with_its_addresses_and_documents(
    build: Any, ann: Any, acme: Identity, quay: Address, document: Document
) -> None:
    """The ids stay, without personal data. The second erasure is unchanged."""
    owned = OwnedDetails(
        detail_id=acme.identity_id, address_ids=(quay.address_id,), document_ids=(document.document_id,)
    )
    states = known(
        (owned, acme.identity_id),
        (quay, quay.address_id),
        (document, document.document_id),
        absent=[(DetailUse, acme.identity_id)],
    )
    command = EraseIdentity(**about(acme.identity_id, ann))
    outcome = erase_identity(acme, command, build.zero, states)
    assert isinstance(outcome, Decided)
    identity, (address, erased) = outcome.state, outcome.also
    assert (identity.person, identity.erased_at, identity.serves("master/acme")) == (
        Person(),
        build.zero,
        False,
    )
    assert (address.place.street, address.place.city, address.erased_at) == ("", "", build.zero)
    assert (erased.states, erased.content_id, erased.issued_on) == ((), None, None)
    assert erase_identity(identity, command, build.zero, states) == Unchanged(answer=identity)
    used = known((DetailUse(detail_id=acme.identity_id, dids=2), acme.identity_id))
    refused = erase_identity(acme, command, build.zero, used)
    assert refused == Refused("in_use", "2 live DIDs use it. Assign other details to them first.")


def test_an_erasure_that_searches_hides_the_details_first_and_removes_their_values_at_the_end(
    build: Any, ann: Any, acme: Identity, quay: Address, document: Document
) -> None:
    """In between the values are kept, and an erasure at once changes nothing. Each part happens once."""
    key = acme.identity_id
    earlier = replace(quay, address_id=UUID(int=6), erased_at=build.zero, place=ERASED_PLACE)
    owned = OwnedDetails(
        detail_id=key,
        address_ids=(quay.address_id, earlier.address_id),
        document_ids=(document.document_id,),
    )

    def states(*details: Any) -> Any:
        pairs = [
            (each, each.address_id if isinstance(each, Address) else each.document_id) for each in details
        ]
        return known((owned, key), *pairs, absent=[(DetailUse, key)])

    begin, complete = BeginErasure(**about(key, ann)), CompleteErasure(**about(key, ann))
    later = build.zero + timedelta(hours=1)
    assert complete_erasure(acme, complete, later, states()) == NOT_FOUND
    hidden = begin_erasure(acme, begin, later, states(quay, earlier, document))
    assert isinstance(hidden, Decided)
    assert hidden.state == replace(acme, erased_at=later)
    assert hidden.also == (replace(quay, erased_at=later), replace(document, erased_at=later))
    between = states(*hidden.also, earlier)
    assert begin_erasure(hidden.state, begin, later, between) == Unchanged()
    at_once = erase_identity(hidden.state, EraseIdentity(**about(key, ann)), later, between)
    assert at_once == Unchanged(answer=hidden.state)
    emptied = complete_erasure(hidden.state, complete, later, between)
    assert isinstance(emptied, Decided)
    assert (emptied.state.person, emptied.state.erased_at) == (Person(), later)
    address, erased = emptied.also
    assert (address.place, erased.states, erased.content_id) == (ERASED_PLACE, (), None)
    after = states(*emptied.also, earlier)
    assert complete_erasure(emptied.state, complete, later, after) == Unchanged()


def test_an_erasure_that_searches_is_refused_while_live_dids_use_the_details(
    build: Any, ann: Any, acme: Identity
) -> None:
    """The refusal has the number of DIDs."""
    used = known(
        (DetailUse(detail_id=acme.identity_id, dids=3), acme.identity_id),
        absent=[(OwnedDetails, acme.identity_id)],
    )
    refused = begin_erasure(acme, BeginErasure(**about(acme.identity_id, ann)), build.zero, used)
    assert refused == Refused("in_use", "3 live DIDs use it. Assign other details to them first.")


def test_an_address_and_a_document_are_erased_when_no_live_did_uses_them(
    build: Any, ann: Any, quay: Address, document: Document
) -> None:
    """Before that, the refusal `in_use` has the number of DIDs. The second erasure is unchanged."""
    for erase, state, command in (
        (erase_address, quay, EraseAddress(**about(quay.address_id, ann))),
        (erase_document, document, EraseDocument(**about(document.document_id, ann))),
    ):
        key: Any = command.entity_id
        used = known((DetailUse(detail_id=key, dids=1), key))
        unused = known(absent=[(DetailUse, key), (OwnedDetails, key)])
        refused = erase(state, command, build.zero, used)  # type: ignore[operator]
        assert (refused.code, refused.message.split()[0]) == ("in_use", "1")
        outcome = erase(state, command, build.zero, unused)  # type: ignore[operator]
        assert outcome.state.erased_at == build.zero
        again = erase(outcome.state, command, build.zero, unused)  # type: ignore[operator]
        assert isinstance(again, Unchanged)


def test_changed_details_are_judged_again(pending: Any, build: Any, acme: Identity, later: Any) -> None:
    """The actor of the change submits the next verification. Details that did not change are not judged again."""
    assert isinstance(pending.process(build.reassess("cat")), Unchanged)
    assert pending.statuses() == ["pending"]
    pending.store(changed(acme, "user:cat"))
    assert isinstance(pending.process(build.reassess("cat")), Decided)
    assert pending.statuses() == ["superseded", "pending"]
    assert pending.verification(2).submitted_by == "user:cat"
    assert (pending.registration.state, pending.axis_topics()[-1]) == ("pending", "pending")
    assert isinstance(pending.process(build.reassess("cat")), Unchanged)


def test_whoever_changed_the_details_last_submits_them(
    pending: Any, build: Any, acme: Identity, quay: Address
) -> None:
    """The job of an earlier change comes first to a DID that both change. It submits for whoever changed it last."""
    identity, address = changed(acme, "user:cat"), changed(quay, "user:bob", timedelta(seconds=1))
    pending.store(identity, address)
    pending.process(build.reassess("cat"))
    assert pending.verification(2).submitted_by == "user:bob"
    assert isinstance(pending.process(build.reassess("bob")), Unchanged)
    refused = pending.process(build.approve(2, subject="bob"))
    assert isinstance(refused, Refused)
    assert refused.code == "own_submission"
    assert isinstance(pending.process(build.approve(2, subject="cat")), Decided)


def test_details_that_fail_in_a_new_revision_are_judged_once(
    pending: Any, build: Any, acme: Identity, quay: Address
) -> None:
    """The approved details stay in force. They are those that were rejected, so they are not submitted once more."""
    pending.process(build.approve())
    moved = changed(quay, "user:cat")
    pending.store(replace(moved, place=replace(moved.place, city="Cork")))
    assert isinstance(pending.process(build.reassess("cat")), Decided)
    assert isinstance(pending.process(build.reassess("cat")), Unchanged)
    assert pending.statuses() == ["approved", "rejected"]
    assert pending.registration.state == "approved"


@pytest.mark.parametrize("registered", [True, False])
def test_an_ended_or_unknown_did_is_not_judged_again(
    pending: Any, build: Any, acme: Identity, *, registered: bool
) -> None:
    """Nothing changes, and nothing is published."""
    pending.process(build.removed())
    pending.store(changed(acme, "user:cat"))
    published = pending.topics()
    build.did = build.did if registered else uuid4()
    assert isinstance(pending.process(build.reassess("cat")), Unchanged)
    assert (pending.statuses(), pending.topics()) == (["withdrawn"], published)
    assert list(submissions_again(pending.registration)) == []


def test_a_document_of_the_future_is_refused(build: Any, ann: Any, acme: Identity, document: Any) -> None:
    """Days are in UTC: today is accepted, tomorrow is not."""
    states = known((acme, acme.identity_id))
    for days, code in ((0, None), (1, "out_of_range"), (100 * 365, "out_of_range")):
        issued = replace(document, issued_on=build.zero.date() + timedelta(days=days))
        outcome = create_document(None, creation_of(issued, ann), build.zero, states)
        assert getattr(outcome, "code", None) == code
    far = replace(document, issued_on=date(9999, 12, 31))
    assert (
        getattr(create_document(None, creation_of(far, ann), build.zero, states), "code", "")
        == "out_of_range"
    )
