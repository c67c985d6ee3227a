"""The queue of a number: its carrier commands run one after another over all its DIDs."""

from datetime import timedelta
from typing import Any

from didflow_provisioning.domain.carrier_command import next_command_id


def test_the_next_did_waits_for_the_release_of_the_former_one(active: Any, messages: Any) -> None:
    """The release of the former DID is sent before the activation of the next one."""
    follower = messages.next_did_id
    active.process(
        messages.purchased(follower),
        messages.did_changed(did_id=follower),
        messages.registration(did_id=follower),
    )
    assert active.actions(follower) == []
    active.process(messages.removed())
    assert active.actions() == ["activate", "release"]
    active.process(messages.result(active.open_command))
    assert active.routing().carrier_state == "released"
    assert active.actions(follower) == ["activate"]
    assert active.queue.did_ids == (follower,)


def test_a_did_that_ends_without_a_command_lets_the_next_one_start(stage: Any, messages: Any) -> None:
    """The message that releases the former DID also sends the activation of the next one."""
    follower = messages.next_did_id
    stage.process(messages.purchased(), messages.did_changed(), messages.registration("awaiting"))
    stage.process(
        messages.purchased(follower),
        messages.did_changed(did_id=follower),
        messages.registration(did_id=follower),
    )
    assert stage.issued() == []
    stage.process(messages.removed())
    assert [command.did_id for command in stage.issued()] == [follower]


def test_a_failed_release_holds_the_next_did_back(active: Any, messages: Any) -> None:
    """The next DID is activated when the retry of the release succeeds."""
    follower = messages.next_did_id
    active.process(
        messages.purchased(follower),
        messages.did_changed(did_id=follower),
        messages.registration(did_id=follower),
        messages.removed(),
    )
    release = active.open_command
    active.process(messages.failure(release))
    active.advance(timedelta(days=30))
    assert active.actions(follower) == []
    active.process(messages.retry(release.command_id, role="operator", account="master"))
    active.process(messages.result(active.open_command))
    assert active.actions(follower) == ["activate"]


def test_a_refused_purchase_of_a_taken_number_leaves_its_queue_alone(active: Any, messages: Any) -> None:
    """The refused DID is released. The queue still belongs to the DID that has the number."""
    follower = messages.next_did_id
    queue = active.queue
    active.process(
        messages.purchased(follower),
        messages.registration(did_id=follower),
        messages.purchase_refused(follower),
    )
    assert active.queue == queue
    assert active.routing(follower).carrier_state == "released"


def test_a_number_never_has_two_open_commands(active: Any, messages: Any) -> None:
    """Each command is sent after the end of the previous one."""
    active.process(
        messages.set_capacity(3),
        messages.set_voice(),
        messages.did_changed("blocked", 2),
        messages.set_capacity(4),
    )
    active.succeed_all(messages)
    assert active.actions() == ["activate", "set_capacity", "suspend", "set_capacity"]
    assert active.queue.open_command_id is None


def test_a_message_that_is_decided_again_causes_the_same_command(messages: Any) -> None:
    """After a rollback, the message sends a command with the same id."""
    event = messages.registration()
    assert next_command_id(event) == next_command_id(event)
    assert next_command_id(event) != next_command_id(messages.registration())
