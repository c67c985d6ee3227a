"""The results of carriers."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Refused, Unchanged
from didflow_contracts.events import DidActivated, RoutingChanged
from didflow_contracts.events.carrier import SmsDelivery
from didflow_contracts.sources import RegisteredSource
from didflow_provisioning.domain.carrier_command import CarrierCommand
from didflow_provisioning.domain.routing import SmsSetting


@pytest.fixture
def activating(stage: Any, messages: Any) -> Any:
    """A stage whose activation is open."""
    stage.process(messages.purchased(), messages.create_voice_trunk())
    stage.process(messages.did_changed(), messages.registration())
    return stage


def test_a_success_activates_the_number(activating: Any, messages: Any) -> None:
    """`did.activated` with the carrier's reference is published, and the whole axis after it."""
    completed_at = messages.start + timedelta(seconds=3)
    activating.process(messages.result(activating.open_command, completed_at=completed_at))
    activated, axis = activating.events[-2:]
    assert isinstance(activated, DidActivated)
    assert isinstance(axis, RoutingChanged)
    assert (activated.carrier_reference, activated.activated_at) == ("ref-1", completed_at)
    assert activated.carrier_state == axis.carrier_state == "active"
    assert axis.unapplied == ()
    assert activating.queue.open_command_id is None


def test_a_final_failure_of_an_activation_is_shown_with_its_reason(activating: Any, messages: Any) -> None:
    """The carrier state is failed, and the number waits for a retry by hand."""
    failure = messages.failure(activating.open_command, code="number_unknown", message="no such number")
    activating.process(failure)
    assert activating.axis().carrier_state == "failed"
    assert activating.axis().reason == "number_unknown: no such number"
    assert activating.axis().missing.voice == "retry_carrier"
    activating.advance(timedelta(days=10))
    assert len(activating.issued()) == 1


def test_a_retryable_failure_is_tried_again_as_the_same_command(activating: Any, messages: Any) -> None:
    """Attempt 2 has the same id and parameters and a deadline of its own. It follows after a pause."""
    command = activating.open_command
    activating.process(messages.failure(command, retryable=True, code="carrier_unavailable"))
    assert activating.open_command.state == "waiting"
    assert activating.axis().unapplied[0].code == "carrier_unavailable"
    activating.advance(timedelta(seconds=2))
    first, second = activating.issued()
    assert (first.command_id, first.parameters) == (second.command_id, second.parameters)
    assert (second.attempt, second.give_up_at) == (2, first.give_up_at)
    assert second.deadline > first.deadline


def test_a_repeated_retryable_failure_does_not_extend_the_pause(activating: Any, messages: Any) -> None:
    """The same failure under another event id is only noted as an answer."""
    command = activating.open_command
    activating.process(messages.failure(command, retryable=True, code="busy"))
    waiting, queue, events = activating.open_command, activating.queue, activating.events
    activating.set_time(activating.now() + timedelta(seconds=1))
    activating.process(messages.failure(command, retryable=True, code="busy"))
    assert activating.open_command == replace(waiting, answered_at=activating.now())
    assert (activating.queue, activating.events) == (queue, events)


def test_a_late_retry_after_is_respected(activating: Any, messages: Any) -> None:
    """A carrier may ask for time after the deadline of the attempt."""
    command = activating.open_command
    activating.advance(timedelta(minutes=2))
    activating.process(messages.failure(command, retryable=True, code="rate_limited", retry_after_s=600))
    activating.advance(timedelta(seconds=599))
    assert len(activating.issued()) == 1


def test_the_next_attempt_waits_at_least_retry_after(activating: Any, messages: Any) -> None:
    """The carrier gets the 600 seconds that it asks for."""
    activating.process(messages.failure(activating.open_command, retryable=True, retry_after_s=600))
    activating.advance(timedelta(seconds=599))
    assert len(activating.issued()) == 1
    activating.advance(timedelta(seconds=100))
    assert len(activating.issued()) == 2


def test_a_retryable_failure_of_an_earlier_attempt_is_only_noted(activating: Any, messages: Any) -> None:
    """While attempt 2 is out, a retryable failure of attempt 1 is outdated, and only noted as an answer."""
    command = activating.open_command
    activating.advance(timedelta(minutes=3))
    second, queue, events = activating.open_command, activating.queue, activating.events
    assert (second.attempt, second.state) == (2, "out")
    activating.process(messages.failure(command, retryable=True))
    assert activating.open_command == replace(second, answered_at=activating.now())
    assert (activating.queue, activating.events) == (queue, events)


def test_a_success_of_an_earlier_attempt_counts(activating: Any, messages: Any) -> None:
    """All attempts are the same command."""
    command = activating.open_command
    activating.advance(timedelta(minutes=3))
    activating.process(messages.result(command))
    assert activating.axis().carrier_state == "active"


def test_a_failed_setting_stays_unapplied(active: Any, messages: Any) -> None:
    """After a final failure of set_capacity the number stays active. The axis shows the setting and the failure."""
    active.process(messages.set_capacity(5))
    active.process(messages.failure(active.open_command, code="bad_request"))
    axis = active.axis()
    assert (axis.carrier_state, axis.capacity) == ("active", 5)
    assert [(u.action, u.state, u.code) for u in axis.unapplied] == [
        ("set_capacity", "failed", "bad_request")
    ]
    assert axis.voice_ready


@pytest.mark.parametrize("field", ["command_id", "did_id"])
def test_a_result_for_an_unknown_command_is_refused(activating: Any, messages: Any, field: str) -> None:
    """A result that names an unknown command or DID is refused and never parked."""
    decision = activating.process(messages.result(activating.open_command, **{field: messages.next_did_id}))
    assert isinstance(decision, Refused)
    assert decision.code == "command_unknown"
    assert activating.parked() == []


def test_a_result_that_names_another_account_is_not_yours(activating: Any, messages: Any) -> None:
    """A carrier is an outside source, so its account must not contradict the owner."""
    decision = activating.process(messages.result(activating.open_command, account="master/else"))
    assert isinstance(decision, Refused)
    assert (decision.code, decision.field) == ("not_yours", "account")


@pytest.mark.parametrize(("carriers", "code"), [(("other",), "not_yours"), (("other", "simulator"), None)])
def test_a_registered_adapter_answers_only_the_commands_of_its_own_carriers(
    activating: Any, messages: Any, carriers: tuple[str, ...], code: str | None
) -> None:
    """Another carrier's result changes nothing: the command stays open."""
    activating.register(RegisteredSource(prefix="/carriers/x", kind="adapter", carriers=carriers))
    assert activating.open_command.carrier == "simulator"
    result = replace(messages.result(activating.open_command), source="/carriers/x")
    decision = activating.process(result)
    assert (decision.code if isinstance(decision, Refused) else None) == code
    assert (activating.axis().carrier_state == "active") == (code is None)


@pytest.mark.parametrize("holder", ["master/acme/shop", "master/other"])
def test_a_result_that_names_the_former_holder_counts(activating: Any, messages: Any, holder: str) -> None:
    """The adapter returns the account of the command. The DID may have a new holder since then."""
    command = activating.open_command
    activating.process(messages.did_changed(sequence=2, account=holder), messages.result(command))
    assert activating.axis().carrier_state == "active"


def test_a_repeated_success_changes_nothing(activating: Any, messages: Any) -> None:
    """The same success under another event id, or a failure after it, changes nothing."""
    command = activating.open_command
    activating.process(messages.result(command))
    published = len(activating.events)
    assert isinstance(activating.process(messages.result(command)), Unchanged)
    assert isinstance(activating.process(messages.failure(command)), Unchanged)
    assert len(activating.events) == published


def test_a_late_success_of_a_failed_activation_counts(activating: Any, messages: Any) -> None:
    """The number becomes active, and the activation is published."""
    command = activating.open_command
    activating.process(messages.failure(command), messages.result(command))
    assert activating.axis().carrier_state == "active"
    assert activating.axis().unapplied == ()
    assert isinstance(activating.events[-2], DidActivated)


def test_the_wanted_state_is_restored_after_a_late_success(active: Any, messages: Any) -> None:
    """If a suspension succeeds when it is no longer wanted, the number is resumed."""
    active.process(messages.did_changed("blocked", 2))
    suspension = active.open_command
    active.process(messages.failure(suspension), messages.did_changed("assigned", 3))
    assert active.axis().unapplied == ()
    active.process(messages.result(suspension))
    assert active.axis().carrier_state == "suspended"
    active.succeed_all(messages)
    assert active.axis().carrier_state == "active"
    assert active.actions() == ["activate", "suspend", "resume"]


def test_the_current_setting_is_sent_again_after_a_late_success_of_an_old_one(
    active: Any, messages: Any
) -> None:
    """If the carrier applies an old capacity late, the current capacity is sent again."""
    active.process(messages.set_capacity(5))
    old = active.open_command
    active.process(messages.failure(old), messages.set_capacity(6))
    active.succeed_all(messages)
    active.process(messages.result(old))
    assert active.issued()[-1].parameters.capacity == 6
    active.succeed_all(messages)
    assert active.axis().unapplied == ()


def test_a_late_activation_of_a_removed_did_is_not_announced(activating: Any, messages: Any) -> None:
    """The number is released again, and no `did.activated` is published."""
    activating.process(messages.removed(), messages.result(activating.open_command))
    assert not any(isinstance(event, DidActivated) for event in activating.events)
    activating.succeed_all(messages)
    assert activating.axis().carrier_state == "released"


def test_a_success_after_the_release_changes_no_state(active: Any, messages: Any) -> None:
    """It is recorded on its carrier command only."""
    active.process(messages.set_capacity(5))
    old = active.open_command
    active.process(messages.failure(old), messages.removed())
    active.succeed_all(messages)
    before = active.routing()
    active.process(messages.result(old))
    assert active.routing() == before
    assert active.state(CarrierCommand, old.command_id).state == "succeeded"


def test_settings_made_during_a_command_follow_it(activating: Any, messages: Any) -> None:
    """They are sent one after another. Only the newest value of each is sent."""
    activating.process(messages.set_voice(), messages.set_capacity(1), messages.set_capacity(2))
    assert [(u.action, u.state) for u in activating.axis().unapplied] == [
        ("activate", "out"),
        ("set_voice", "queued"),
        ("set_capacity", "queued"),
    ]
    activating.succeed_all(messages)
    assert activating.actions() == ["activate", "set_voice", "set_capacity"]
    assert activating.issued()[-1].parameters.capacity == 2
    assert activating.axis().voice_ready


def test_another_sms_carrier_gets_the_sms_target_after_the_activation(
    stage: Any, messages: Any, changed: Any
) -> None:
    """The activation carries no SMS target. A set_sms command goes to the SMS carrier."""
    stage.process(messages.purchased(), messages.did_changed(sms_carrier="texts"))
    sms = SmsSetting(account=messages.account, delivery=SmsDelivery(id=messages.next_did_id, name="Inbox"))
    stage.store(changed(stage.routing(), sms=sms))
    stage.process(messages.registration())
    assert stage.issued()[-1].parameters.sms is None
    stage.succeed_all(messages)
    assert (stage.issued()[-1].action, stage.issued()[-1].carrier) == ("set_sms", "texts")
    assert stage.routing().applied.sms == sms.delivery
