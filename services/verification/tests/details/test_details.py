"""Identities, addresses and documents change and go: each decision about nothing, once and twice."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Refused, Unchanged, known
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.clock.reassessment import Reassessment, on_due, wishes_again
from didflow_verification.domain.details.changing import DetailChange, change_address, change_identity
from didflow_verification.domain.details.commands import (
    ChangeAddress,
    ChangeIdentity,
    EnterDocument,
    EraseAddress,
    EraseDocument,
    EraseIdentity,
    MoveContent,
)
from didflow_verification.domain.details.document import StoredDocument, enter_document, move_content
from didflow_verification.domain.details.erasing import (
    Belongings,
    Use,
    erase_address,
    erase_document,
    erase_identity,
)
from didflow_verification.domain.details.identity import Address, Identity, Person

CONTENT = UUID(int=7)


@pytest.fixture
def ann(say: Any) -> Any:
    """A reseller of the account."""
    return say.caller("ann", "reseller", "master/acme")


@pytest.fixture
def paper(acme: Identity, say: Any) -> StoredDocument:
    """A document of the account's identity."""
    return StoredDocument(
        document_id=UUID(int=5),
        identity_id=acme.identity_id,
        account=acme.account,
        kind="passport",
        media_type="image/png",
        size=9,
        content_id=CONTENT,
        issued_on=date(2026, 1, 1),
        expires_on=None,
        states=(("holder_last_name", "Murphy"),),
        created_at=say.zero,
        created_by="ann",
    )


def about(key: UUID, caller: Any) -> dict[str, Any]:
    """What every command has."""
    return {"entity_id": key, "subject": "", "caller": caller}


def entering(paper: StoredDocument, caller: Any) -> EnterDocument:
    """The command that a document came from."""
    return EnterDocument(
        **about(paper.document_id, caller),
        identity_id=paper.identity_id,
        kind=paper.kind,
        media_type=paper.media_type,
        size=paper.size,
        content_id=CONTENT,
        issued_on=paper.issued_on,
        expires_on=paper.expires_on,
        states=paper.states,
    )


def test_what_is_not_there_cannot_change_or_go(say: Any, ann: Any, acme: Identity, paper: Any) -> None:
    """Too early for a person is not found; to move bytes of nothing changes nothing."""
    key = uuid4()
    nothing = known(absent=[(Use, key), (Belongings, key), (Identity, paper.identity_id)])
    outcomes = [
        change_identity(None, ChangeIdentity(**about(key, ann), type=None, changes={}), say.zero),
        change_address(None, ChangeAddress(**about(key, ann), changes={}), say.zero),
        erase_identity(None, EraseIdentity(**about(key, ann)), say.zero, nothing),
        erase_address(None, EraseAddress(**about(key, ann)), say.zero, nothing),
        erase_document(None, EraseDocument(**about(key, ann)), say.zero, nothing),
        enter_document(None, entering(paper, ann), say.zero, nothing),
    ]
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Refused)] == ["not_found"] * 6
    move = MoveContent(**about(key, ann), former=CONTENT, content_id=uuid4())
    assert isinstance(move_content(None, move, say.zero), Unchanged)


def test_what_is_out_of_reach_is_not_there(say: Any, acme: Identity, quay: Address, paper: Any) -> None:
    """A sibling's wish finds nothing, whatever it wishes."""
    eve = say.caller("eve", "reseller", "master/globex")
    empty = known(absent=[(Use, key) for key in (acme.identity_id, quay.address_id, paper.document_id)])
    outcomes = [
        change_identity(
            acme, ChangeIdentity(**about(acme.identity_id, eve), type=None, changes={}), say.zero
        ),
        change_address(quay, ChangeAddress(**about(quay.address_id, eve), changes={}), say.zero),
        erase_identity(acme, EraseIdentity(**about(acme.identity_id, eve)), say.zero, empty),
        erase_address(quay, EraseAddress(**about(quay.address_id, eve)), say.zero, empty),
        erase_document(paper, EraseDocument(**about(paper.document_id, eve)), say.zero, empty),
        enter_document(None, entering(paper, eve), say.zero, known((acme, acme.identity_id))),
    ]
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Refused)} == {"not_found"}
    assert all(isinstance(outcome, Refused) for outcome in outcomes)


def test_a_change_is_noted_without_what_it_says(say: Any, ann: Any, acme: Identity) -> None:
    """The revision rises by one, and that it did is kept with who and when."""
    command = ChangeIdentity(
        **about(acme.identity_id, ann),
        type="individual",
        changes={"last_name": "Murphy", "company_name": None},
    )
    outcome = change_identity(acme, command, say.zero)
    assert isinstance(outcome, Decided)
    assert outcome.state == replace(
        acme,
        type="individual",
        revision=2,
        person=replace(acme.person, last_name="Murphy", company_name=None),
    )
    (noted,) = outcome.also
    assert isinstance(noted, DetailChange)
    assert (noted.revision, noted.changed_by, noted.changed_at) == (2, "user:ann", say.zero)
    assert "Murphy" not in str(noted)
    assert change_identity(outcome.state, command, say.zero) == Unchanged(answer=outcome.state)


def test_an_address_changes_once(say: Any, ann: Any, quay: Address) -> None:
    """The same again is nothing."""
    command = ChangeAddress(**about(quay.address_id, ann), changes={"city": "Cork"})
    outcome = change_address(quay, command, say.zero)
    assert isinstance(outcome, Decided)
    assert (outcome.state.place.city, outcome.state.revision) == ("Cork", 2)
    assert change_address(outcome.state, command, say.zero) == Unchanged(answer=outcome.state)


def test_a_document_is_entered_once(say: Any, ann: Any, acme: Identity, paper: StoredDocument) -> None:
    """In its identity's account; the same again is nothing; for an erased identity there is none."""
    there = known((acme, acme.identity_id))
    outcome = enter_document(None, entering(paper, ann), say.zero, there)
    assert outcome == Decided(state=paper, answer=paper)
    assert enter_document(paper, entering(paper, ann), say.zero, there) == Unchanged(answer=paper)
    gone = known((replace(acme, erased_at=say.zero), acme.identity_id))
    refused = enter_document(None, entering(paper, ann), say.zero, gone)
    assert isinstance(refused, Refused)


def test_bytes_move_from_where_they_are_and_nowhere_else(say: Any, ann: Any, paper: StoredDocument) -> None:
    """Encrypted anew: once. A second move from the same place, or of an erased document, comes too late."""
    move = MoveContent(**about(paper.document_id, ann), former=CONTENT, content_id=UUID(int=8))
    outcome = move_content(paper, move, say.zero)
    assert outcome == Decided(state=replace(paper, content_id=UUID(int=8)))
    assert isinstance(move_content(outcome.state, move, say.zero), Unchanged)
    assert isinstance(move_content(replace(paper, content_id=None), move, say.zero), Unchanged)


def test_a_person_goes_with_all_that_belongs_to_it(
    say: Any, ann: Any, acme: Identity, quay: Address, paper: StoredDocument
) -> None:
    """What is left states nothing; that it was is left. Erased twice is erased."""
    owned = Belongings(
        identity_id=acme.identity_id, address_ids=(quay.address_id,), document_ids=(paper.document_id,)
    )
    states = known(
        (owned, acme.identity_id),
        (quay, quay.address_id),
        (paper, paper.document_id),
        absent=[(Use, acme.identity_id)],
    )
    command = EraseIdentity(**about(acme.identity_id, ann))
    outcome = erase_identity(acme, command, say.zero, states)
    assert isinstance(outcome, Decided)
    identity, (address, document) = outcome.state, outcome.also
    assert (identity.person, identity.erased_at, identity.serves("master/acme")) == (
        Person(),
        say.zero,
        False,
    )
    assert (address.place.street, address.place.city, address.erased_at) == ("", "", say.zero)
    assert (document.states, document.content_id, document.issued_on) == ((), None, None)
    assert erase_identity(identity, command, say.zero, states) == Unchanged(answer=identity)
    used = known((Use(detail_id=acme.identity_id, dids=2), acme.identity_id))
    refused = erase_identity(acme, command, say.zero, used)
    assert refused == Refused("in_use", "2 numbers rest on it")


def test_an_address_and_a_document_go_when_nothing_rests_on_them(
    say: Any, ann: Any, quay: Address, paper: StoredDocument
) -> None:
    """Refused `in_use` with the count; gone once, and again is nothing."""
    for erase, state, command in (
        (erase_address, quay, EraseAddress(**about(quay.address_id, ann))),
        (erase_document, paper, EraseDocument(**about(paper.document_id, ann))),
    ):
        key: Any = command.entity_id
        used = known((Use(detail_id=key, dids=1), key))
        assert erase(state, command, say.zero, used) == Refused("in_use", "1 numbers rest on it")  # type: ignore[operator]
        outcome = erase(state, command, say.zero, known(absent=[(Use, key)]))  # type: ignore[operator]
        assert outcome.state.erased_at == say.zero
        again = erase(outcome.state, command, say.zero, known(absent=[(Use, key)]))  # type: ignore[operator]
        assert isinstance(again, Unchanged)


def test_a_did_is_judged_again_by_what_its_details_state_now(
    pending: Any, say: Any, acme: Identity, later: Any
) -> None:
    """Behind: the next attempt by who changed them. Up to date, ended or unknown: nothing but that it was done."""
    waiting = Reassessment(did_id=say.did, number=say.number, due_at=say.zero, changed_by="user:cat")
    done = later(waiting, due_at=None)
    states = {**pending.all_states(), (Registration, uuid4()): None}

    def struck() -> Any:
        everything: Any = type("All", (dict,), {"__missing__": lambda *_: None})(states)
        return on_due(waiting, say.zero + timedelta(hours=2), type(known())(states=everything))

    assert struck() == Decided(state=done)
    states[Identity, acme.identity_id] = later(acme, revision=2)
    outcome = struck()
    registration, old, new = outcome.also
    assert (outcome.state, old.status, new.status, new.attempt) == (done, "superseded", "pending", 2)
    assert (new.submitted_by, registration.state) == ("user:cat", "pending")
    assert [event.topic for event in outcome.events] == ["verification.pending"]
    states[Registration, say.did] = later(pending.registration, ended="removed")
    assert (struck(), list(wishes_again(states[Registration, say.did], "x"))) == (Decided(state=done), [])
    del states[Registration, say.did]
    assert struck() == Decided(state=done)
