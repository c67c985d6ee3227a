"""The end of a DID at its carrier."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Unchanged
from didflow_provisioning.domain.carrier_command import CarrierCommand


def test_a_refused_purchase_is_released_without_a_command(stage: Any, messages: Any) -> None:
    """No command was sent for it, so there is nothing to undo at the carrier."""
    stage.process(messages.purchased(), messages.registration(), messages.purchase_refused())
    assert stage.routing().carrier_state == "released"
    assert stage.issued() == []
    assert stage.axis().carrier_state == "released"


def test_messages_about_a_refused_did_change_nothing(stage: Any, messages: Any) -> None:
    """After the refusal no event causes a command, and none is parked."""
    stage.process(messages.purchased(), messages.purchase_refused())
    late_messages = (
        messages.did_changed(),
        messages.registration(),
        messages.term(),
        messages.removed(),
        messages.purchased(),
    )
    for late in late_messages:
        assert isinstance(stage.process(late), Unchanged)
    assert stage.parked() == []


def test_an_active_number_is_released_by_a_command(active: Any, messages: Any) -> None:
    """`did.removed` sends a release. The carrier state becomes `released` only when it succeeds."""
    active.process(messages.removed())
    assert active.axis().carrier_state == "active"
    assert (active.axis().voice, active.axis().capacity) == (None, None)
    assert active.issued()[-1].parameters.reason == "aged_out"
    active.succeed_all(messages)
    assert active.axis().carrier_state == "released"
    assert active.queue.did_ids == ()


@pytest.mark.parametrize(
    ("origin", "reason", "keep"),
    [
        ("stock", "aged_out", True),
        ("stock", "returned", True),
        ("stock", "ported_out", False),
        ("purchased", "aged_out", False),
        ("external", "ported_out", False),
    ],
)
def test_only_numbers_that_return_to_our_stock_are_kept(
    stage: Any, messages: Any, origin: str, reason: str, keep: bool
) -> None:
    """A release tells the carrier whether the number stays ours. A number that was ported out has left."""
    stage.process(messages.purchased(), messages.did_changed(origin=origin), messages.registration())
    stage.succeed_all(messages)
    stage.process(messages.removed(reason=reason))
    assert stage.issued()[-1].parameters.keep is keep


def test_an_inactive_number_is_released_at_once(stage: Any, messages: Any) -> None:
    """A DID that was never activated ends without a command."""
    stage.process(messages.purchased(), messages.did_changed(), messages.registration("awaiting"))
    stage.process(messages.removed())
    assert stage.axis().carrier_state == "released"
    assert stage.issued() == []
    assert stage.queue.did_ids == ()


def test_a_failed_activation_is_released_by_a_command(stage: Any, messages: Any) -> None:
    """After a failed activation the state at the carrier is unknown, so a release is sent."""
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    stage.process(messages.failure(stage.open_command), messages.removed())
    assert stage.actions() == ["activate", "release"]
    stage.succeed_all(messages)
    assert stage.routing().carrier_state == "released"


def test_a_release_waits_for_the_open_command(stage: Any, messages: Any) -> None:
    """A number has one open command. The release follows the result of the activation."""
    stage.process(messages.purchased(), messages.did_changed(), messages.registration(), messages.removed())
    assert stage.actions() == ["activate"]
    assert [(u.action, u.state) for u in stage.axis().unapplied] == [
        ("activate", "out"),
        ("release", "queued"),
    ]
    stage.succeed_all(messages)
    assert stage.actions() == ["activate", "release"]
    assert stage.routing().carrier_state == "released"


def test_a_release_does_not_wait_for_the_next_attempt_of_a_command_that_failed(
    stage: Any, messages: Any
) -> None:
    """The carrier has asked for an hour before it is asked again. No attempt is out, so the release is sent at once."""
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    activation = stage.open_command
    stage.process(messages.failure(activation, retryable=True, retry_after_s=3600), messages.removed())
    assert stage.actions() == ["activate", "release"]
    assert stage.state(CarrierCommand, activation.command_id).state == "superseded"
    stage.process(messages.result(activation))
    assert stage.routing().carrier_state == "active"
    stage.succeed_all(messages)
    assert stage.routing().carrier_state == "released"


def test_a_release_waits_for_that_of_the_former_did_of_the_number(active: Any, messages: Any) -> None:
    """The end of a later DID leaves the open command of an earlier one alone."""
    active.process(messages.removed())
    release = active.open_command
    active.process(messages.failure(release, retryable=True, retry_after_s=3600))
    active.process(messages.purchased(messages.next_did_id))
    active.process(messages.did_changed(did_id=messages.next_did_id), messages.removed(messages.next_did_id))
    assert active.open_command.command_id == release.command_id
    assert active.routing(messages.next_did_id).carrier_state == "released"


def test_a_release_replaces_all_queued_actions(active: Any, messages: Any) -> None:
    """Actions that were queued behind an open command are dropped when the DID is removed."""
    active.process(
        messages.set_capacity(5),
        messages.set_capacity(6),
        messages.did_changed("blocked", 2),
        messages.removed(),
    )
    active.succeed_all(messages)
    assert active.actions() == ["activate", "set_capacity", "release"]


def test_no_event_changes_a_removed_did(active: Any, messages: Any) -> None:
    """Events after `did.removed` change nothing, however high their sequence is."""
    active.process(messages.removed())
    late_messages = (
        messages.did_changed(sequence=90),
        messages.registration(sequence=90),
        messages.term(sequence=90),
    )
    for late in late_messages:
        assert isinstance(active.process(late), Unchanged)
    assert active.actions() == ["activate", "release"]


def test_nothing_is_sent_between_the_first_sign_of_an_end_and_the_removal(active: Any, messages: Any) -> None:
    """A removed stock or a closed term does not suspend the number. `did.removed` releases it."""
    active.process(messages.term("closed", 2), messages.did_changed("removed", 2))
    assert active.actions() == ["activate"]
    active.process(messages.removed())
    assert active.actions() == ["activate", "release"]


@pytest.mark.parametrize("ending", ["answered", "retryable", "no_answer"])
def test_a_late_release_beside_its_own_retry_lets_the_next_did_of_the_number_go_on(
    active: Any, messages: Any, ending: str
) -> None:
    """A release failed and was retried by hand, and then the first one succeeded after all. The retry ends first."""
    active.process(messages.removed())
    first = active.open_command
    active.process(messages.failure(first))
    operator = {"role": "operator", "account": "master"}
    active.process(messages.retry(first.command_id, **operator))
    second = active.open_command
    active.process(
        messages.purchased(messages.next_did_id),
        messages.did_changed(did_id=messages.next_did_id),
        messages.registration(did_id=messages.next_did_id),
    )
    active.process(messages.result(first))
    assert active.axis().carrier_state == "released"
    assert active.open_command == second
    if ending == "answered":
        active.process(messages.result(second))
    elif ending == "retryable":
        active.process(messages.failure(second, retryable=True))
    active.advance(timedelta(minutes=3))
    assert active.open_command.did_id == messages.next_did_id
    assert active.open_command.action == "activate"
    assert active.actions(messages.did_id).count("release") == 2
