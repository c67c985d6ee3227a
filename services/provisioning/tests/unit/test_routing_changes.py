"""Changes of the routing over HTTP, and retries by hand."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_contracts.events import DidActivated
from didflow_provisioning.domain.commands import ClearRouting


def test_settings_before_the_activation_send_no_command(stage: Any, messages: Any) -> None:
    """They are stored and published, and the activation carries them."""
    stage.process(messages.purchased(), messages.create_voice_trunk(), messages.did_changed())
    stage.process(messages.set_voice(), messages.set_capacity("unlimited"))
    assert stage.issued() == []
    axis = stage.axis()
    assert (axis.voice.id, axis.voice.kind, axis.voice.name) == (messages.trunk_id, "trunk", "Dublin")
    assert axis.capacity == "unlimited"
    assert axis.unapplied == ()


@pytest.mark.parametrize("capacity", [0, 1, 30, "unlimited", None])
def test_a_setting_after_the_activation_sends_a_command(active: Any, messages: Any, capacity: Any) -> None:
    """Every capacity reaches the carrier, including 0 and none."""
    active.process(messages.set_capacity(capacity))
    assert active.issued()[-1].parameters.capacity == capacity
    active.succeed_all(messages)
    assert active.routing().applied.capacity == capacity
    assert active.axis().voice_ready is (capacity not in (0, None))


def test_the_current_setting_again_changes_nothing(active: Any, messages: Any) -> None:
    """No command is sent."""
    assert isinstance(active.process(messages.set_capacity(2)), Unchanged)
    assert isinstance(active.process(messages.set_voice()), Unchanged)
    assert active.actions() == ["activate"]


@pytest.mark.parametrize("account", ["master/other", "master/acme/shop"])
def test_a_trunk_that_does_not_serve_the_did_is_refused(stage: Any, messages: Any, account: str) -> None:
    """A trunk of an account beside or below the holder does not serve the DID."""
    stage.process(messages.purchased(), messages.create_voice_trunk(account, role="operator"))
    decision = stage.process(messages.set_voice(role="operator"))
    assert isinstance(decision, Refused)
    assert (decision.code, decision.field) == ("voice_trunk_not_found", "voice_trunk_id")


def test_a_trunk_of_an_account_above_serves_the_did(stage: Any, messages: Any) -> None:
    """The accounts below a reseller use its trunk."""
    stage.process(messages.purchased(), messages.create_voice_trunk("master", role="operator"))
    assert isinstance(stage.process(messages.set_voice()), Decided)


def test_a_did_that_the_caller_does_not_reach_is_not_found(active: Any, messages: Any) -> None:
    """The refusal does not show that the DID exists."""
    commands = (
        messages.set_voice(account="master/other"),
        messages.set_capacity(9, account="master/other"),
        messages.retry(messages.trunk_id, account="master/other"),
    )
    for command in commands:
        decision = active.process(command)
        assert isinstance(decision, Refused)
        assert decision.code == "not_found"


def test_a_removed_did_cannot_be_changed(active: Any, messages: Any) -> None:
    """It is not found."""
    active.process(messages.removed())
    assert active.process(messages.set_capacity(9)).code == "not_found"


@pytest.mark.parametrize("features", [[], ["voice_out"], ["sms_in"]])
def test_a_number_that_takes_no_calls_gets_no_trunk_and_no_capacity(
    stage: Any, messages: Any, features: Any
) -> None:
    """What it had before its features changed is cleared by hand."""
    stage.process(messages.purchased(), messages.create_voice_trunk(), messages.set_voice())
    stage.process(messages.did_changed(features=features))
    for command in (messages.set_voice(), messages.set_capacity(1), messages.set_capacity(None)):
        decision = stage.process(command)
        assert isinstance(decision, Refused)
        assert decision.code == "not_supported"
    assert isinstance(stage.process(ClearRouting(**messages.command_fields(messages.did_id))), Decided)


def test_a_did_that_inventory_has_withdrawn_is_not_found(active: Any, messages: Any) -> None:
    """Its removal by billing is on the way."""
    active.process(messages.did_changed("removed", 2))
    assert active.process(messages.set_capacity(9)).code == "not_found"


def test_a_failed_activation_is_retried_as_a_new_command(stage: Any, messages: Any) -> None:
    """A retry by hand sends a command with another id."""
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    failed = stage.open_command
    stage.process(messages.failure(failed))
    decision = stage.process(messages.retry(failed.command_id))
    assert decision.answer == stage.open_command.command_id != failed.command_id
    assert stage.axis().carrier_state == "activating"
    assert stage.axis().reason is None


def test_a_failed_activation_waits_for_a_retry_by_hand(stage: Any, messages: Any) -> None:
    """A block and its end do not activate the number again."""
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    failed = stage.open_command
    stage.process(
        messages.failure(failed), messages.did_changed("blocked", 2), messages.did_changed("assigned", 3)
    )
    assert stage.actions() == ["activate"]
    stage.process(messages.retry(failed.command_id))
    assert stage.actions() == ["activate", "activate"]


def test_a_retry_while_calls_must_not_flow_is_kept_and_its_repeat_is_unchanged(
    stage: Any, messages: Any
) -> None:
    """My Numbers still offers the retry. The number is activated once, when it is unblocked."""
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    failed = stage.open_command
    stage.process(messages.failure(failed), messages.did_changed("blocked", 2))
    promised = stage.process(messages.retry(failed.command_id)).answer
    assert promised is not None
    assert stage.process(messages.retry(failed.command_id)) == Unchanged(answer=promised)
    assert stage.process(messages.retry(messages.next_did_id)).code == "not_failed"
    assert stage.axis().carrier_state == "failed"
    stage.process(messages.did_changed("assigned", 3))
    stage.run_due_timers()
    assert stage.actions() == ["activate", "activate"]
    assert stage.open_command.command_id == promised
    assert stage.process(messages.retry(failed.command_id)).code == "not_failed"


def test_a_late_success_counts_while_the_retry_is_open(stage: Any, messages: Any) -> None:
    """The number is activated and announced once, even if both commands succeed or one fails."""
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    failed = stage.open_command
    stage.process(messages.failure(failed), messages.retry(failed.command_id), messages.result(failed))
    assert stage.axis().carrier_state == "active"
    stage.process(messages.failure(stage.open_command, code="rejected"))
    assert stage.axis().carrier_state == "active"
    assert stage.axis().unapplied == ()
    assert sum(isinstance(event, DidActivated) for event in stage.events) == 1


def test_only_a_command_that_failed_for_good_is_retried(active: Any, messages: Any) -> None:
    """A command that succeeded, is open or is unknown is refused."""
    succeeded = active.issued()[0].command_id
    active.process(messages.set_capacity(9))
    for command_id in (succeeded, active.open_command.command_id, messages.next_did_id):
        assert active.process(messages.retry(command_id)).code == "not_failed"


def test_a_retried_setting_waits_for_the_open_command(active: Any, messages: Any) -> None:
    """The answer has the id that the command gets when it is sent."""
    active.process(messages.set_capacity(9))
    failed = active.open_command
    active.process(messages.failure(failed), messages.did_changed("blocked", 2))
    assert active.open_command.action == "suspend"
    promised = active.process(messages.retry(failed.command_id)).answer
    assert [(each.action, each.state) for each in active.axis().unapplied] == [
        ("suspend", "out"),
        ("set_capacity", "queued"),
    ]
    active.succeed_all(messages)
    active.run_due_timers()
    assert active.open_command.command_id == promised
    active.succeed_all(messages)
    assert active.actions() == ["activate", "set_capacity", "suspend", "set_capacity"]


def test_a_newer_setting_replaces_a_retried_one_that_was_not_sent(active: Any, messages: Any) -> None:
    """The id that the retry was answered with is never used. The carrier gets the newer capacity only."""
    active.process(messages.set_capacity(9))
    failed = active.open_command
    active.process(messages.failure(failed), messages.did_changed("blocked", 2))
    promised = active.process(messages.retry(failed.command_id)).answer
    active.process(messages.set_capacity(7))
    active.succeed_all(messages)
    active.run_due_timers()
    assert [each.parameters.capacity for each in active.issued() if each.action == "set_capacity"] == [9, 7]
    assert promised not in {each.command_id for each in active.issued()}


def test_a_retried_command_that_fails_again_is_retried_again(active: Any, messages: Any) -> None:
    """Each retry has an id of its own. Two settings that are retried together are sent one after another."""
    active.process(messages.set_capacity(9))
    first = active.open_command
    active.process(messages.failure(first), ClearRouting(**messages.command_fields(messages.did_id)))
    active.process(messages.failure(active.open_command))
    active.process(messages.failure(active.open_command))
    failed = {f.action: f.command_id for f in active.routing().failures}
    assert set(failed) == {"set_voice", "set_capacity"}
    later, sooner = (
        active.process(messages.retry(failed[name])).answer for name in ("set_capacity", "set_voice")
    )
    active.process(messages.failure(active.open_command))
    again = active.process(messages.retry(later)).answer
    for _ in range(2):
        active.run_due_timers()
        active.succeed_all(messages)
    assert {sooner, again} <= {each.command_id for each in active.issued()}
    assert len({first.command_id, *failed.values(), later, sooner, again}) == 6
    assert active.axis().unapplied == ()


def test_a_new_setting_replaces_a_failed_one(active: Any, messages: Any) -> None:
    """A new capacity is sent although an earlier one failed."""
    active.process(messages.set_capacity(9))
    active.process(messages.failure(active.open_command), messages.set_capacity(8))
    assert active.axis().unapplied[0].state == "out"
    active.succeed_all(messages)
    assert active.axis().unapplied == ()


def test_clearing_removes_all_settings(active: Any, messages: Any) -> None:
    """Voice target and capacity are removed here and at the carrier."""
    active.process(ClearRouting(**messages.command_fields(messages.did_id)))
    active.succeed_all(messages)
    assert active.actions() == ["activate", "set_voice", "set_capacity"]
    assert active.axis().missing.voice == "assign_voice_trunk"
