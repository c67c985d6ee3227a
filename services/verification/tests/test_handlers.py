"""For every handler: too early, delivered twice, and what comes after the end."""

from collections.abc import Callable
from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, TooEarly, Unchanged
from didflow_contracts.topics import VERIFICATION, topics_read_by
from didflow_verification.handlers import EVENTS

OPENING: dict[str, Callable[..., Any]] = {
    "did.purchased": lambda say, *_: say.purchased(),
    "did.porting_started": lambda say, *_: say.porting_started(),
}
FOLLOWING: dict[str, Callable[..., Any]] = {
    "purchase.refused": lambda say, *_: say.refused(),
    "did.changed": lambda say, *_: say.holding("master/globex"),
    "enduser.assigned": lambda say, acme, quay: say.assigned(acme, quay),
    "did.removed": lambda say, *_: say.removed(),
}
COMMANDS: dict[str, Callable[..., Any]] = {
    "approve": lambda say, *_: say.approve(),
    "reject": lambda say, *_: say.reject(),
    "resubmit": lambda say, acme, quay: say.resubmit(1, acme, quay),
    "revoke": lambda say, *_: say.revoke(),
    "claim": lambda say, *_: say.claim(),
    "release": lambda say, *_: say.release(),
}
EVERY = OPENING | FOLLOWING


def test_verification_listens_to_what_the_topics_say_that_it_reads() -> None:
    """The subscription table and the contract's table of readers are one."""
    assert set(EVENTS) == {topic.event for topic in topics_read_by(VERIFICATION)}
    assert set(EVERY) == {event.topic for event in EVENTS}


@pytest.mark.parametrize("opening", OPENING)
@pytest.mark.parametrize("name", FOLLOWING)
def test_what_needs_a_beginning_waits_for_it(
    stage: Any, say: Any, acme: Any, quay: Any, *, name: str, opening: str
) -> None:
    """Too early: parked, nothing written, and decided when the purchase or the porting comes."""
    stage.store(acme, quay)
    before = stage.all_states()
    assert stage.process(FOLLOWING[name](say, acme, quay)) == TooEarly("did.purchased")
    assert (stage.all_states(), stage.axes()) == (before, [])
    stage.process(OPENING[opening](say))
    assert stage.parked() == []
    began = stage.registration
    assert began.ended or began.assigned or began.seen


@pytest.mark.parametrize("name", EVERY)
def test_what_is_said_again_under_another_id_changes_nothing(
    ready: Any, say: Any, acme: Any, quay: Any, name: str
) -> None:
    """Delivered twice: the second time nothing is written or said."""
    event = EVERY[name](say, acme, quay)
    ready.process(event)
    before = (ready.all_states(), len(ready.axes()))
    assert isinstance(ready.process(say.again(event)), Unchanged | Decided)
    assert (ready.all_states(), len(ready.axes())) == before


@pytest.mark.parametrize("end", ["removed", "refused"])
@pytest.mark.parametrize("name", EVERY)
def test_what_comes_for_an_ended_did_never_waits_and_never_revives(
    ready: Any, say: Any, acme: Any, quay: Any, *, name: str, end: str
) -> None:
    """After the end everything is recorded at most: frozen, nothing said, nothing parked."""
    ready.process(getattr(say, end)())
    before = (ready.all_states(), len(ready.axes()))
    outcome = ready.process(say.again(EVERY[name](say, acme, quay)))
    assert isinstance(outcome, Unchanged | Refused)
    assert (ready.all_states(), len(ready.axes()), ready.parked()) == (*before, [])


@pytest.mark.parametrize("name", EVERY)
def test_another_number_under_a_dids_id_is_refused(
    pending: Any, say: Any, acme: Any, quay: Any, *, name: str
) -> None:
    """Whoever takes a `did_id` for another number changes nothing of the DID that has it."""
    say.number = "+35319609037"
    before = (pending.all_states(), len(pending.axes()))
    outcome = pending.process(EVERY[name](say, acme, quay))
    assert isinstance(outcome, Refused)
    assert (outcome.code, pending.all_states(), len(pending.axes())) == ("did_id_taken", *before)


@pytest.mark.parametrize("name", OPENING)
def test_an_outside_source_cannot_buy_anothers_did(ready: Any, say: Any, name: str) -> None:
    """Another account under the same `did_id` is refused; the purchaser's own retry is nothing."""
    ready.process(say.holding("master/acme/shop"))
    assert isinstance(ready.process(OPENING[name](say)), Unchanged)
    say.account = "master/globex"
    outcome = ready.process(OPENING[name](say))
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_yours"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_about_nothing_is_not_found(stage: Any, say: Any, acme: Any, quay: Any, name: str) -> None:
    """Too early for a person is not found: nobody waits for it."""
    outcome = stage.process(COMMANDS[name](say, acme, quay))
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_found"


@pytest.mark.parametrize("name", ["approve", "reject", "release"])
def test_a_command_again_under_another_key_changes_nothing(
    pending: Any, say: Any, acme: Any, quay: Any, name: str
) -> None:
    """Given twice: the second time nothing is written or said."""
    pending.process(COMMANDS[name](say, acme, quay))
    before = (pending.all_states(), len(pending.axes()))
    assert isinstance(pending.process(COMMANDS[name](say, acme, quay)), Unchanged)
    assert (pending.all_states(), len(pending.axes())) == before
