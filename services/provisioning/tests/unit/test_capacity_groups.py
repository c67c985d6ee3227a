"""DIDs reserve channels of capacity groups and free them. The stage compares groups and members after each message."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_contracts.ids import derived_id
from didflow_provisioning.domain.capacity.commands import ChangeCapacityGroup, DeleteCapacityGroup
from didflow_provisioning.domain.capacity.group import CapacityGroup
from didflow_provisioning.domain.commands import ClearRouting

OTHER = derived_id("other group")


@pytest.fixture
def member(active: Any, messages: Any) -> Any:
    """A stage with one active DID that has reserved 2 of 5 channels."""
    active.process(messages.create_capacity_group(), messages.join_group(2))
    active.succeed_all(messages)
    return active


def reserved(stage: Any, group_id: Any) -> tuple[int, int]:
    """Return the reserved and the free channels of a group."""
    group = stage.state(CapacityGroup, group_id)
    return group.reserved, group.free


def change(messages: Any, **changes: Any) -> ChangeCapacityGroup:
    """Return the command that changes the group."""
    return ChangeCapacityGroup(
        entity_id=messages.group_id, subject="", caller=messages.caller(), changes=changes
    )


def delete(messages: Any, **caller: str) -> DeleteCapacityGroup:
    """Return the command that deletes the group."""
    return DeleteCapacityGroup(entity_id=messages.group_id, subject="", caller=messages.caller(**caller))


def test_a_member_reserves_one_channel_if_it_does_not_say_how_many(stage: Any, messages: Any) -> None:
    """The axis has what is reserved and the group, and the activation carries it."""
    stage.process(messages.purchased(), messages.did_changed(), messages.create_capacity_group())
    assert isinstance(stage.process(messages.join_group()), Decided)
    assert (stage.axis().capacity, stage.axis().capacity_group) == (1, messages.group_id)
    assert reserved(stage, messages.group_id) == (1, 4)
    stage.process(messages.registration())
    assert stage.issued()[-1].parameters.capacity == 1


def test_the_carrier_gets_what_is_reserved(member: Any, messages: Any) -> None:
    """A reservation after the activation is a command, unless the DID has so many channels already."""
    assert member.actions() == ["activate"]
    member.process(messages.join_group(4))
    assert (member.issued()[-1].action, member.issued()[-1].parameters.capacity) == ("set_capacity", 4)
    assert reserved(member, messages.group_id) == (4, 1)


def test_the_same_reservation_again_changes_nothing(member: Any, messages: Any) -> None:
    """Nothing more is reserved."""
    assert isinstance(member.process(messages.join_group(2)), Unchanged)
    assert reserved(member, messages.group_id) == (2, 3)


def test_a_member_can_have_what_is_free_besides_its_own(member: Any, messages: Any) -> None:
    """Of 5 channels, the member with 2 may have 5 and not 6."""
    decision = member.process(messages.join_group(6))
    assert isinstance(decision, Refused)
    assert (decision.code, decision.field) == ("capacity_exhausted", "capacity_group_id")
    assert reserved(member, messages.group_id) == (2, 3)
    assert isinstance(member.process(messages.join_group(5)), Decided)
    assert reserved(member, messages.group_id) == (5, 0)


def test_with_overcommit_more_is_reserved_than_there_is(active: Any, messages: Any) -> None:
    """Then free is negative. After its end, members keep what they have and may reserve less, and not more."""
    active.process(messages.create_capacity_group(overcommit=True))
    assert isinstance(active.process(messages.join_group(9)), Decided)
    assert reserved(active, messages.group_id) == (9, -4)
    assert isinstance(active.process(change(messages, overcommit=False)), Decided)
    assert active.process(messages.join_group(10)).code == "capacity_exhausted"
    assert isinstance(active.process(messages.join_group(8)), Decided)


def test_a_full_group_is_sufficient_for_its_members(member: Any, messages: Any) -> None:
    """Calls stay ready. A member that reserves no channel has no sufficient capacity."""
    member.process(change(messages, channels=2))
    assert reserved(member, messages.group_id) == (2, 0)
    assert member.axis().voice_ready
    member.process(messages.join_group(0))
    member.succeed_all(messages)
    assert member.axis().missing.voice == "assign_capacity"


@pytest.mark.parametrize("capacity", [2, 0, None, "unlimited"])
def test_capacity_of_its_own_ends_the_membership(member: Any, messages: Any, capacity: Any) -> None:
    """What was reserved is free again, also if the DID has as many channels as before."""
    assert isinstance(member.process(messages.set_capacity(capacity)), Decided)
    assert (member.axis().capacity, member.axis().capacity_group) == (capacity, None)
    assert reserved(member, messages.group_id) == (0, 5)


def test_another_group_frees_the_channels_of_the_first(member: Any, messages: Any) -> None:
    """Both groups change in one decision."""
    member.process(messages.create_capacity_group(group_id=OTHER), messages.join_group(3, OTHER))
    assert (reserved(member, messages.group_id), reserved(member, OTHER)) == ((0, 5), (3, 2))


@pytest.mark.parametrize(
    "end",
    [
        lambda messages: ClearRouting(**messages.command_fields(messages.did_id)),
        lambda messages: messages.removed(),
        lambda messages: messages.purchase_refused(),
        lambda messages: messages.did_changed(sequence=2, account="master/other"),
        lambda messages: messages.did_changed(sequence=2, account="master"),
    ],
    ids=["cleared", "removed", "refused", "handed over", "taken back"],
)
def test_what_a_did_has_reserved_is_free_after_it_leaves(member: Any, messages: Any, end: Any) -> None:
    """Its capacity is not set any more, and the group can be deleted."""
    member.process(end(messages))
    assert (member.axis().capacity, member.axis().capacity_group) == (None, None)
    assert reserved(member, messages.group_id) == (0, 5)
    assert isinstance(member.process(delete(messages)), Decided)
    assert member.process(delete(messages)).code == "not_found"


def test_a_holder_that_the_group_serves_keeps_the_channels(member: Any, messages: Any) -> None:
    """An account below the owner of the group."""
    member.process(messages.did_changed(sequence=2, account="master/acme/shop"))
    assert member.axis().capacity_group == messages.group_id
    assert reserved(member, messages.group_id) == (2, 3)


def test_features_without_calls_keep_the_channels_until_they_are_cleared(member: Any, messages: Any) -> None:
    """As a voice trunk, they are cleared by hand."""
    member.process(messages.did_changed(sequence=2, features=["sms_in"]))
    assert member.process(messages.join_group(1)).code == "not_supported"
    assert reserved(member, messages.group_id) == (2, 3)


@pytest.mark.parametrize("account", ["master/other", "master/acme/shop", None])
def test_a_group_that_does_not_serve_the_did_is_refused(active: Any, messages: Any, account: Any) -> None:
    """A group of an account beside or below the holder, and one that does not exist, are refused alike."""
    if account is not None:
        active.process(messages.create_capacity_group(account=account))
    decision = active.process(messages.join_group())
    assert isinstance(decision, Refused)
    assert (decision.code, decision.field) == ("capacity_group_not_found", "capacity_group_id")


@pytest.mark.parametrize("overcommit", [False, True])
def test_a_group_never_gets_fewer_channels_than_are_reserved(
    member: Any, messages: Any, overcommit: bool
) -> None:
    """409 `in_use` says how many are reserved. With overcommit too; one that has too few may grow by some."""
    member.process(change(messages, overcommit=overcommit))
    decision = member.process(change(messages, channels=1))
    assert (decision.code, decision.field) == ("in_use", "channels")
    assert decision.message.startswith("2 channels are reserved by 1 live DID.")
    assert isinstance(member.process(change(messages, channels=2)), Decided)
    if overcommit:
        member.process(messages.join_group(9))
        assert isinstance(member.process(change(messages, channels=3)), Decided)
        assert member.process(change(messages, channels=2)).code == "in_use"


def test_a_change_to_what_is_already_so_is_unchanged(member: Any, messages: Any) -> None:
    """It answers with the group."""
    decision = member.process(change(messages, channels=5, name="Shared"))
    assert isinstance(decision, Unchanged)
    assert decision.answer.channels == 5


def test_a_group_is_not_deleted_while_dids_are_members(member: Any, messages: Any) -> None:
    """`in_use` has the count. Who does not reach the group does not learn that it is in use."""
    decision = member.process(delete(messages))
    assert decision.code == "in_use"
    assert decision.message.startswith("1 live DID uses this capacity group.")
    assert member.process(delete(messages, account="master/acme/shop")).code == "not_found"
