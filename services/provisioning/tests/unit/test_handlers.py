"""Every handler: its message delivered twice, and its message before the purchase."""

from collections.abc import Callable
from dataclasses import fields as fields_of
from typing import Any, get_args

import pytest

from didflow_chassis.decision import Decided, Refused, TooEarly, Unchanged
from didflow_contracts.events import ResultReported, VerificationExpiring
from didflow_contracts.topics import PROVISIONING, topics_read_by
from didflow_contracts.vocabulary import Registration
from didflow_provisioning.domain.commands import RoutingCommand
from didflow_provisioning.handlers import commands, events
from didflow_provisioning.settings import ProvisioningSettings

EVENTS = events(ProvisioningSettings.placeholder())
COMMANDS = commands(ProvisioningSettings.placeholder())


def registration_event(state: str) -> Callable[[Any, int], Any]:
    """Return a function that builds a registration event in this state with a sequence."""
    return lambda messages, sequence: messages.registration(state, sequence)


EVENT_BUILDERS: dict[str, Callable[[Any, int], Any]] = {
    **{f"registration {state}": registration_event(state) for state in get_args(Registration)},
    "did_changed": lambda messages, sequence: messages.did_changed(sequence=sequence),
    "term": lambda messages, sequence: messages.term(sequence=sequence),
    "cycle_expired": lambda messages, sequence: messages.cycle_expired("aging", sequence),
    "removed": lambda messages, sequence: messages.removed(sequence=sequence),
    "purchase_refused": lambda messages, sequence: messages.purchase_refused(sequence=sequence),
}
"""An event of each kind that needs a purchase before it, with a given sequence."""

ROUTING_COMMANDS = [command for command in COMMANDS if issubclass(command, RoutingCommand)]


def test_there_is_a_handler_for_every_topic_that_provisioning_receives() -> None:
    """The handlers and the topics of the contracts name the same events."""
    assert set(EVENTS) == {topic.event for topic in topics_read_by(PROVISIONING)}


@pytest.mark.parametrize("kind", EVENT_BUILDERS)
def test_an_event_before_its_purchase_is_parked(stage: Any, messages: Any, kind: str) -> None:
    """It is decided when the purchase arrives."""
    event = EVENT_BUILDERS[kind](messages, 1)
    assert stage.process(event) == TooEarly("did.purchased")
    stage.process(messages.purchased())
    assert stage.parked() == []


@pytest.mark.parametrize("kind", EVENT_BUILDERS)
def test_an_event_delivered_twice_is_applied_once(stage: Any, messages: Any, kind: str) -> None:
    """The second delivery is not decided."""
    stage.process(messages.purchased())
    event = EVENT_BUILDERS[kind](messages, 1)
    assert isinstance(stage.process(event), Decided)
    published = len(stage.events)
    assert stage.process(event) is None
    assert len(stage.events) == published


@pytest.mark.parametrize("kind", EVENT_BUILDERS)
def test_the_same_content_under_another_id_publishes_nothing(stage: Any, messages: Any, kind: str) -> None:
    """A later event with the same content leaves the axis as it is."""
    stage.process(messages.purchased(), EVENT_BUILDERS[kind](messages, 1))
    published = len(stage.events)
    stage.process(EVENT_BUILDERS[kind](messages, 2))
    assert len(stage.events) == published


@pytest.mark.parametrize("start", ["purchased", "porting_started"])
def test_a_second_purchase_under_another_id_changes_nothing(stage: Any, messages: Any, start: str) -> None:
    """A repeated purchase or porting of the same DID is unchanged."""
    stage.process(getattr(messages, start)())
    assert isinstance(stage.process(getattr(messages, start)()), Unchanged)


def test_a_result_is_never_parked(stage: Any, messages: Any) -> None:
    """A result for an unknown DID is refused."""
    stage.process(messages.purchased(), messages.did_changed(), messages.registration())
    foreign = messages.result(stage.open_command, did_id=messages.next_did_id)
    assert isinstance(stage.process(foreign), Refused)


def test_an_expiring_registration_still_counts(active: Any, messages: Any) -> None:
    """`verification.expiring` carries the axis, which is still approved."""
    data = VerificationExpiring(
        did_id=messages.did_id,
        number=messages.number,
        account=messages.account,
        registration="approved",
        expires_at=messages.start,
        reason="proof_ended",
    )
    active.process(messages.event(data, "/didflow/verification", 2))
    assert active.actions() == ["activate"]


@pytest.mark.parametrize("command", ROUTING_COMMANDS)
def test_a_command_for_an_unknown_did_is_not_found(stage: Any, messages: Any, command: type) -> None:
    """Every command about a DID that provisioning does not know is refused."""
    trunk_id = messages.trunk_id
    ids = ("voice_trunk_id", "sms_trunk_id", "former", "command_id", "configuration_profile_id")
    values = {"capacity": 1, **dict.fromkeys(ids, trunk_id)}
    fields = {field.name: values[field.name] for field in fields_of(command) if field.name in values}
    decision = stage.process(command(**messages.command_fields(messages.did_id), **fields))
    assert isinstance(decision, Refused)
    assert decision.code == "not_found"


def test_only_carriers_may_publish_results() -> None:
    """A result from another source is not allowed."""
    (topic,) = (topic for topic in topics_read_by(PROVISIONING) if topic.event is ResultReported)
    assert topic.allows("/carriers/simulator")
    assert not topic.allows("/orders/acme")
