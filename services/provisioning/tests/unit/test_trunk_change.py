"""The change of a voice trunk, and the decision on each DID on it."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, NewJob, Refused, Unchanged
from didflow_contracts.events.carrier import Endpoint
from didflow_contracts.ids import derived_id
from didflow_provisioning.domain.targets.commands import ChangeVoiceTrunk, MoveVoice
from didflow_provisioning.domain.targets.job_kinds import CHANGE_VOICE_TRUNK, Move
from didflow_provisioning.domain.targets.voice_trunks import VoiceTargetUse, VoiceTrunk

JOB_ID, THIRD_ID = derived_id("job"), derived_id("third trunk")
ELSEWHERE = Endpoint(kind="pstn", address="+35319609000")


def change(messages: Any, account: str = "master/acme", **changes: Any) -> ChangeVoiceTrunk:
    """Build the command to change the trunk."""
    caller = messages.caller(account=account)
    return ChangeVoiceTrunk(entity_id=messages.trunk_id, subject="", caller=caller, job_id=JOB_ID, **changes)


def take(messages: Any) -> MoveVoice:
    """Build the command of the job for the DID: it takes the trunk as it is now."""
    fields = messages.command_fields(messages.did_id)
    return MoveVoice(**fields, former=messages.trunk_id, voice_trunk_id=messages.trunk_id)


def test_a_trunk_that_nothing_uses_is_changed_at_once(stage: Any, messages: Any) -> None:
    """What is not given stays. The answer is the trunk, and there is no job."""
    stage.process(messages.create_voice_trunk())
    decision = stage.process(change(messages, settings={"priority": 5}))
    assert decision.answer == stage.state(VoiceTrunk, messages.trunk_id)
    (own,) = decision.answer.endpoints
    assert (decision.answer.name, own.address, own.settings["priority"]) == (
        "Dublin",
        "sip:pbx.example.com",
        5,
    )
    assert isinstance(stage.process(change(messages, settings={"priority": 5})), Unchanged)


def test_another_destination_keeps_the_settings_of_the_trunk(stage: Any, messages: Any) -> None:
    """Priority, weight and ring time stay; transport and codecs go with the SIP endpoint. A failover can be removed."""
    stage.process(messages.create_voice_trunk())
    sip = Endpoint(kind="sip", address="sip:a.example", settings={"transport": "tls"})
    stage.process(change(messages, destination=sip, settings={"weight": 7}, failover=(ELSEWHERE,)))
    after = stage.process(change(messages, name="Cork", destination=ELSEWHERE)).answer
    own, failover = after.endpoints
    assert (own.kind, own.settings, failover) == ("pstn", {"weight": 7}, ELSEWHERE)
    assert len(stage.process(change(messages, failover=())).answer.endpoints) == 1


def test_a_change_of_a_trunk_in_use_starts_a_job_in_the_name_of_the_caller(stage: Any, messages: Any) -> None:
    """The trunk is changed at once: a DID that takes it now takes it as it is."""
    stage.process(messages.create_voice_trunk())
    stage.store(VoiceTargetUse(target_id=messages.trunk_id, dids=2))
    decision = stage.process(change(messages, name="Cork"))
    assert isinstance(decision.answer, NewJob)
    job = decision.answer
    assert (job.kind, job.parameters) == (CHANGE_VOICE_TRUNK, Move(former=messages.trunk_id))
    assert (job.account, job.created_by) == (messages.account, "user:ann")
    assert stage.state(VoiceTrunk, messages.trunk_id).name == "Cork"


@pytest.mark.parametrize("account", ["master/other", "master/acme/shop"])
def test_a_trunk_of_another_account_is_not_changed(stage: Any, messages: Any, account: str) -> None:
    """A caller beside or below the owner gets `not_found`, like for an unknown trunk."""
    unknown = stage.process(change(messages, name="x"))
    stage.process(messages.create_voice_trunk())
    foreign = stage.process(change(messages, account=account, name="x"))
    assert unknown == foreign == Refused("not_found", "No such voice trunk in your accounts.")


def test_a_did_on_the_trunk_takes_the_change_once(active: Any, messages: Any) -> None:
    """One `set_voice` is sent. The second time nothing changes."""
    active.process(change(messages, destination=ELSEWHERE))
    assert isinstance(active.process(take(messages)), Decided)
    assert active.process(take(messages)) == Unchanged()
    active.succeed_all(messages)
    assert active.actions() == ["activate", "set_voice"]
    assert active.issued()[-1].parameters.voice.endpoints[0].address == ELSEWHERE.address


def test_a_did_that_was_changed_meanwhile_keeps_what_it_was_changed_to(active: Any, messages: Any) -> None:
    """It has a third trunk when the job comes to it."""
    active.process(change(messages, destination=ELSEWHERE))
    active.process(messages.create_voice_trunk(trunk_id=THIRD_ID), messages.set_voice(trunk_id=THIRD_ID))
    assert active.process(take(messages)) == Unchanged()
    assert active.routing().voice.delivery.id == THIRD_ID


def test_a_did_that_a_canceled_job_did_not_reach_takes_the_change_when_the_trunk_is_set_again(
    active: Any, messages: Any
) -> None:
    """The trunk is changed, and no job comes to the DID."""
    active.process(change(messages, destination=ELSEWHERE))
    assert active.routing().voice.delivery.endpoints[0].address != ELSEWHERE.address
    assert isinstance(active.process(messages.set_voice()), Decided)
    assert active.routing().voice.delivery.endpoints[0].address == ELSEWHERE.address
