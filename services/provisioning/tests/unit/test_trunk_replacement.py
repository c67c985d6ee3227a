"""The start of a trunk's replacement, and the decision on each DID."""

from typing import Any
from uuid import UUID

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_contracts.ids import derived_id
from didflow_provisioning.domain.targets.commands import DeleteVoiceTrunk, MoveVoice, ReplaceVoiceTrunk
from didflow_provisioning.domain.targets.job_kinds import REPLACE_VOICE_TRUNK, Move

OTHER_ID, JOB_ID = derived_id("other trunk"), derived_id("job")
NOT_FOUND = "No such voice trunk in your accounts."
NO_OTHER = "No such voice trunk or voice trunk group in your accounts."


def replacement(messages: Any, by: UUID = OTHER_ID, **caller: str) -> ReplaceVoiceTrunk:
    """Build the command to replace the trunk."""
    caller_of = messages.caller(**caller)
    return ReplaceVoiceTrunk(entity_id=messages.trunk_id, subject="", caller=caller_of, by=by, job_id=JOB_ID)


def move(messages: Any, former: UUID, **caller: str) -> MoveVoice:
    """Build the command of the job for the DID: from a former trunk to the other one."""
    fields = messages.command_fields(messages.did_id, **caller)
    return MoveVoice(**fields, former=former, voice_trunk_id=OTHER_ID)


@pytest.fixture
def with_trunks(stage: Any, messages: Any) -> Any:
    """A stage with two trunks of the account and one DID on the first of them."""
    stage.process(messages.create_voice_trunk(), messages.create_voice_trunk(trunk_id=OTHER_ID))
    stage.process(messages.purchased(), messages.set_voice())
    return stage


def test_a_replacement_starts_a_job_in_the_name_of_the_caller(with_trunks: Any, messages: Any) -> None:
    """The job has both trunks. Its commands have the reach of the caller, and no more."""
    decision = with_trunks.process(replacement(messages))
    assert isinstance(decision, Decided)
    job = decision.answer
    assert decision.also == (job,)
    assert (job.job_id, job.kind, job.parameters) == (
        JOB_ID,
        REPLACE_VOICE_TRUNK,
        Move(former=messages.trunk_id, by=OTHER_ID),
    )
    assert (job.account, job.role, job.created_by) == (messages.account, "reseller", "user:ann")


@pytest.mark.parametrize("account", ["master/other", "master/acme/shop"])
def test_a_trunk_of_another_account_is_not_replaced(with_trunks: Any, messages: Any, account: str) -> None:
    """A caller beside or below the owner gets `not_found`, like for an unknown trunk."""
    assert with_trunks.process(replacement(messages, account=account)) == Refused("not_found", NOT_FOUND)


def test_a_deleted_trunk_is_not_replaced(stage: Any, messages: Any) -> None:
    """It is not found."""
    stage.process(messages.create_voice_trunk(), messages.create_voice_trunk(trunk_id=OTHER_ID))
    stage.process(DeleteVoiceTrunk(entity_id=messages.trunk_id, subject="", caller=messages.caller()))
    assert stage.process(replacement(messages)) == Refused("not_found", NOT_FOUND)


@pytest.mark.parametrize("owner", [None, "master/other", "deleted"])
def test_the_other_trunk_must_exist_for_the_caller(stage: Any, messages: Any, owner: str | None) -> None:
    """An unknown, a foreign and a deleted one are not found. The field is `by`."""
    stage.process(messages.create_voice_trunk())
    if owner == "deleted":
        stage.process(messages.create_voice_trunk(trunk_id=OTHER_ID))
        stage.process(DeleteVoiceTrunk(entity_id=OTHER_ID, subject="", caller=messages.caller()))
    elif owner:
        stage.process(messages.create_voice_trunk(owner, OTHER_ID, role="operator"))
    assert stage.process(replacement(messages)) == Refused("not_found", NO_OTHER, "by")


@pytest.mark.parametrize("owner", ["master", "master/acme/shop"])
def test_the_other_trunk_may_be_of_an_account_above_or_below(stage: Any, messages: Any, owner: str) -> None:
    """The caller is served by the one and reaches the other."""
    stage.process(messages.create_voice_trunk())
    stage.process(messages.create_voice_trunk(owner, OTHER_ID, role="operator"))
    assert isinstance(stage.process(replacement(messages)), Decided)


def test_a_trunk_is_not_replaced_by_itself(with_trunks: Any, messages: Any) -> None:
    """Refused `same_target`."""
    decision = with_trunks.process(replacement(messages, by=messages.trunk_id))
    assert (decision.code, decision.field) == ("same_target", "by")


def test_a_did_on_the_former_trunk_takes_the_other_one(with_trunks: Any, messages: Any) -> None:
    """The second time it is not on the former trunk any more, and nothing changes."""
    assert isinstance(with_trunks.process(move(messages, messages.trunk_id)), Decided)
    assert with_trunks.axis().voice.id == OTHER_ID
    assert with_trunks.process(move(messages, messages.trunk_id)) == Unchanged()


def test_a_did_that_was_changed_meanwhile_keeps_what_it_was_changed_to(
    with_trunks: Any, messages: Any
) -> None:
    """It has a third trunk, or none."""
    third = derived_id("third trunk")
    with_trunks.process(messages.create_voice_trunk(trunk_id=third), messages.set_voice(trunk_id=third))
    assert with_trunks.process(move(messages, messages.trunk_id)) == Unchanged()
    assert with_trunks.routing().voice.delivery.id == third
    with_trunks.process(messages.removed())
    assert with_trunks.process(move(messages, messages.trunk_id)) == Unchanged()


def test_a_did_that_the_other_trunk_does_not_serve_keeps_the_former_one(stage: Any, messages: Any) -> None:
    """Refused `voice_trunk_not_found`."""
    stage.process(messages.create_voice_trunk(), messages.purchased(), messages.set_voice())
    stage.process(messages.create_voice_trunk("master/acme/shop", OTHER_ID))
    assert stage.process(move(messages, messages.trunk_id)).code == "voice_trunk_not_found"
    assert stage.routing().voice.delivery.id == messages.trunk_id


def test_a_did_that_takes_no_calls_any_more_takes_the_other_trunk(with_trunks: Any, messages: Any) -> None:
    """Otherwise it would keep the former trunk in use."""
    with_trunks.process(messages.did_changed(features=["sms_in"]))
    assert isinstance(with_trunks.process(move(messages, messages.trunk_id)), Decided)
    assert with_trunks.axis().voice.id == OTHER_ID
