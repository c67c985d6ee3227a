"""Voice trunk groups: what a DID on one gets, and when a group can be created, changed and deleted."""

from typing import Any
from uuid import UUID

import pytest

from didflow_chassis.decision import Decided, NewJob, Refused, Unchanged
from didflow_contracts.events.carrier import Endpoint
from didflow_contracts.ids import derived_id
from didflow_provisioning.domain.targets.commands import (
    ChangeVoiceTrunk,
    ChangeVoiceTrunkGroup,
    DeleteVoiceTrunk,
    DeleteVoiceTrunkGroup,
    GroupTrunk,
    MoveVoice,
    ReplaceVoiceTrunkGroup,
)
from didflow_provisioning.domain.targets.job_kinds import (
    CHANGE_VOICE_TRUNK,
    CHANGE_VOICE_TRUNK_GROUP,
    REPLACE_VOICE_TRUNK_GROUP,
    Move,
)
from didflow_provisioning.domain.targets.voice_trunk_groups import VoiceTrunkGroup
from didflow_provisioning.domain.targets.voice_trunks import VoiceTargetUse

OTHER_ID, JOB_ID = derived_id("other trunk"), derived_id("job")
NO_GROUP = Refused("not_found", "No such voice trunk group in your accounts.")
NO_TRUNK = Refused("not_found", "No such voice trunk in your accounts.", "trunks")


def change(messages: Any, *trunk_ids: UUID, **changes: Any) -> ChangeVoiceTrunkGroup:
    """Build the command to change the group."""
    caller = messages.caller(account=changes.pop("account", messages.account))
    trunks = tuple(GroupTrunk(voice_trunk_id=trunk) for trunk in trunk_ids)
    ids = {"entity_id": messages.group_id, "subject": "", "job_id": JOB_ID}
    return ChangeVoiceTrunkGroup(**ids, caller=caller, trunks=trunks, **changes)


def deletion(messages: Any, **caller: str) -> DeleteVoiceTrunkGroup:
    """Build the command to delete the group."""
    return DeleteVoiceTrunkGroup(entity_id=messages.group_id, subject="", caller=messages.caller(**caller))


def take(messages: Any, former: UUID) -> MoveVoice:
    """Build the command of a job for the DID: it takes the group as it is now."""
    fields = messages.command_fields(messages.did_id)
    return MoveVoice(**fields, former=former, voice_trunk_group_id=messages.group_id)


@pytest.fixture
def with_group(stage: Any, messages: Any) -> Any:
    """A stage with two trunks and a group of both. The second is tried first."""
    stage.process(messages.create_voice_trunk(), messages.create_voice_trunk(trunk_id=OTHER_ID))
    elsewhere = Endpoint(kind="pstn", address="+35319609000")
    for trunk_id, address in ((messages.trunk_id, "sip:one.example"), (OTHER_ID, "sip:two.example")):
        stage.process(
            ChangeVoiceTrunk(
                entity_id=trunk_id,
                subject="",
                caller=messages.caller(),
                job_id=JOB_ID,
                destination=Endpoint(kind="sip", address=address),
                settings={"priority": 4, "weight": 6},
                failover=(elsewhere,) if trunk_id == OTHER_ID else (),
            )
        )
    stage.process(messages.create_voice_trunk_group(messages.trunk_id, OTHER_ID, priorities=(9, None)))
    return stage


def test_a_did_on_a_group_gets_the_endpoints_by_priority_and_then_the_failovers(
    with_group: Any, messages: Any
) -> None:
    """A priority that the group does not give is that of the trunk, and so is the weight."""
    with_group.process(messages.purchased(), messages.set_voice_group())
    voice = with_group.routing().voice
    assert (voice.account, voice.delivery.kind, voice.delivery.name) == (
        "master/acme",
        "trunk_group",
        "Ireland",
    )
    assert [(end.address, end.settings) for end in voice.delivery.endpoints] == [
        ("sip:two.example", {"priority": 4, "weight": 6}),
        ("sip:one.example", {"priority": 9, "weight": 6}),
        ("+35319609000", {}),
    ]
    assert (with_group.axis().voice.kind, with_group.axis().voice.id) == ("trunk_group", messages.group_id)


def test_a_trunk_and_a_group_take_the_place_of_each_other(with_group: Any, messages: Any) -> None:
    """A DID has one of them, never both."""
    with_group.process(messages.purchased(), messages.set_voice(), messages.set_voice_group())
    assert with_group.routing().voice.delivery.id == messages.group_id
    with_group.process(messages.set_voice())
    assert with_group.routing().voice.delivery.id == messages.trunk_id


@pytest.mark.parametrize("account", ["master/other", "master/acme/shop"])
def test_a_group_that_does_not_serve_the_did_is_refused(stage: Any, messages: Any, account: str) -> None:
    """A group of an account beside or below the holder, and an unknown one, have one answer."""
    stage.process(messages.purchased())
    unknown = stage.process(messages.set_voice_group(role="operator"))
    stage.process(messages.create_voice_trunk(account, role="operator"))
    stage.process(messages.create_voice_trunk_group(account=account, role="operator"))
    foreign = stage.process(messages.set_voice_group(role="operator"))
    assert foreign == unknown
    assert (foreign.code, foreign.field) == ("voice_trunk_group_not_found", "voice_trunk_group_id")


@pytest.mark.parametrize(
    ("owner", "is_refused"),
    [("master", False), ("master/acme", False), ("master/acme/shop", True), (None, True)],
)
def test_the_trunks_of_a_group_must_serve_its_account(
    stage: Any, messages: Any, owner: str | None, is_refused: bool
) -> None:
    """They are of the account or of an account above. An unknown one and one below have one answer."""
    if owner:
        stage.process(messages.create_voice_trunk(owner, role="operator"))
    decision = stage.process(messages.create_voice_trunk_group())
    assert (decision == NO_TRUNK) == is_refused
    assert (stage.state(VoiceTrunkGroup, messages.group_id) is None) == is_refused


def test_a_group_is_created_once_and_only_for_an_account_that_the_caller_reaches(
    with_group: Any, messages: Any
) -> None:
    """The same id again changes nothing. A foreign account is not found."""
    assert isinstance(with_group.process(messages.create_voice_trunk_group()), Unchanged)
    foreign = messages.create_voice_trunk_group(account="master/other", group_id=derived_id("another"))
    assert with_group.process(foreign).field == "account"


def test_a_change_of_a_group_in_use_starts_a_job(with_group: Any, messages: Any) -> None:
    """Without a use it is changed at once. An unknown trunk changes nothing."""
    assert with_group.process(change(messages, derived_id("none"))) == NO_TRUNK
    changed = with_group.process(change(messages, OTHER_ID)).answer
    assert [each.voice_trunk_id for each in changed.trunks] == [OTHER_ID]
    with_group.store(VoiceTargetUse(target_id=messages.group_id, dids=1))
    job = with_group.process(change(messages, name="Cork")).answer
    assert isinstance(job, NewJob)
    assert (job.kind, job.parameters) == (CHANGE_VOICE_TRUNK_GROUP, Move(former=messages.group_id))
    assert len(with_group.state(VoiceTrunkGroup, messages.group_id).trunks) == 1


def test_a_change_of_a_trunk_in_a_group_reaches_the_dids_on_the_group(with_group: Any, messages: Any) -> None:
    """The trunk is in use, though no DID is on it. Each DID on the group takes the group as it is now, once."""
    with_group.process(messages.purchased(), messages.set_voice_group())
    with_group.store(VoiceTargetUse(target_id=OTHER_ID, dids=0, groups=1))
    new = Endpoint(kind="sip", address="sip:new.example")
    command = ChangeVoiceTrunk(
        entity_id=OTHER_ID, subject="", caller=messages.caller(), job_id=JOB_ID, destination=new
    )
    job = with_group.process(command).answer
    assert (job.kind, job.parameters) == (CHANGE_VOICE_TRUNK, Move(former=OTHER_ID))
    assert isinstance(with_group.process(take(messages, messages.group_id)), Decided)
    assert with_group.routing().voice.delivery.endpoints[0].address == "sip:new.example"
    assert with_group.process(take(messages, messages.group_id)) == Unchanged()


def test_a_did_moves_from_a_trunk_to_a_group(with_group: Any, messages: Any) -> None:
    """The replacement of a trunk by a group."""
    with_group.process(messages.purchased(), messages.set_voice())
    assert isinstance(with_group.process(take(messages, messages.trunk_id)), Decided)
    assert with_group.routing().voice.delivery.id == messages.group_id


def test_a_group_is_replaced_by_a_trunk_or_a_group_and_not_by_itself(with_group: Any, messages: Any) -> None:
    """The job names both and says what the other one is."""
    second = derived_id("second group")
    with_group.process(messages.create_voice_trunk_group(OTHER_ID, group_id=second))

    def replaced_by(by: UUID) -> Any:
        ids = {"entity_id": messages.group_id, "subject": "", "job_id": derived_id("job", by.hex)}
        return with_group.process(ReplaceVoiceTrunkGroup(**ids, caller=messages.caller(), by=by))

    for by, is_group in ((OTHER_ID, False), (second, True)):
        job = replaced_by(by).answer
        expected = Move(former=messages.group_id, by=by, is_group=is_group)
        assert (job.kind, job.parameters) == (REPLACE_VOICE_TRUNK_GROUP, expected)
    assert replaced_by(messages.group_id).code == "same_target"
    assert replaced_by(derived_id("none")).field == "by"


def test_a_trunk_that_is_in_a_group_is_not_deleted(with_group: Any, messages: Any) -> None:
    """The refusal counts both uses."""
    command = DeleteVoiceTrunk(entity_id=OTHER_ID, subject="", caller=messages.caller())
    for use, start in (
        (VoiceTargetUse(target_id=OTHER_ID, dids=0, groups=1), "1 voice trunk group uses this voice trunk."),
        (
            VoiceTargetUse(target_id=OTHER_ID, dids=1, groups=2),
            "1 live DID and 2 voice trunk groups use this voice trunk.",
        ),
    ):
        with_group.store(use)
        refused = with_group.process(command)
        assert (refused.code, refused.message.startswith(start)) == ("in_use", True)


def test_a_group_that_dids_use_is_not_deleted(with_group: Any, messages: Any) -> None:
    """After the DIDs have left it, it is deleted and serves nobody."""
    with_group.process(messages.purchased())
    with_group.store(VoiceTargetUse(target_id=messages.group_id, dids=3))
    assert with_group.process(deletion(messages)).message.startswith(
        "3 live DIDs use this voice trunk group."
    )
    with_group.store(VoiceTargetUse(target_id=messages.group_id, dids=0))
    assert isinstance(with_group.process(deletion(messages)), Decided)
    assert with_group.process(messages.set_voice_group()).code == "voice_trunk_group_not_found"


@pytest.mark.parametrize("account", ["master/other", "master/acme/shop"])
def test_an_unknown_a_foreign_and_a_deleted_group_have_one_answer(
    with_group: Any, messages: Any, account: str
) -> None:
    """A caller cannot tell the three apart, and changes none of them."""
    foreign = with_group.process(deletion(messages, account=account))
    changed = with_group.process(change(messages, name="x", account=account))
    with_group.process(deletion(messages))
    assert foreign == changed == with_group.process(deletion(messages)) == NO_GROUP
    assert with_group.process(change(messages, name="x")) == NO_GROUP
