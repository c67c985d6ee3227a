"""Configuration profiles are applied to DIDs, by callers and by themselves."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_contracts.ids import derived_id
from didflow_provisioning.domain.commands import ClearRouting
from didflow_provisioning.domain.profiles.commands import ChangeProfile, DeleteProfile
from didflow_provisioning.domain.profiles.profile import ProfileUse

OTHER = derived_id("other profile")


@pytest.fixture
def profile(stage: Any, messages: Any) -> Any:
    """A stage with a trunk, a group of 5 channels, and a profile that names both."""
    stage.process(messages.create_voice_trunk(), messages.create_capacity_group())
    named = {"voice_trunk_id": messages.trunk_id, "capacity_group_id": messages.group_id}
    stage.process(messages.create_profile(**named))
    return stage


def change(messages: Any, **changes: Any) -> ChangeProfile:
    """Return the command that changes the profile."""
    return ChangeProfile(entity_id=messages.profile_id, subject="", caller=messages.caller(), changes=changes)


def delete(messages: Any, **caller: str) -> DeleteProfile:
    """Return the command that deletes the profile."""
    return DeleteProfile(entity_id=messages.profile_id, subject="", caller=messages.caller(**caller))


def settings(stage: Any) -> tuple[Any, Any, Any]:
    """Return what is set: trunk, capacity and group."""
    routing = stage.routing()
    group = routing.capacity_group
    return routing.voice and routing.voice.delivery.id, routing.capacity, group and group.group_id


def test_a_profile_applied_twice_changes_nothing_the_second_time(profile: Any, messages: Any) -> None:
    """The first time it sets the trunk and reserves a channel."""
    profile.process(messages.purchased(), messages.did_changed())
    assert isinstance(profile.process(messages.apply_profile()), Decided)
    assert settings(profile) == (messages.trunk_id, 1, messages.group_id)
    assert isinstance(profile.process(messages.apply_profile()), Unchanged)


def test_what_a_profile_leaves_out_stays(active: Any, messages: Any) -> None:
    """A profile of a capacity leaves the trunk as it is."""
    active.process(messages.create_profile(capacity=7), messages.apply_profile())
    assert settings(active) == (messages.trunk_id, 7, None)
    assert active.issued()[-1].action == "set_capacity"


def test_a_profile_is_applied_whole_or_not_at_all(profile: Any, messages: Any) -> None:
    """If the group is full, the trunk is not set either."""
    profile.process(messages.create_capacity_group(0, group_id=OTHER))
    profile.process(change(messages, capacity_group_id=OTHER), messages.purchased(), messages.did_changed())
    decision = profile.process(messages.apply_profile())
    assert isinstance(decision, Refused)
    assert decision.code == "capacity_exhausted"
    assert settings(profile) == (None, None, None)


@pytest.mark.parametrize("account", ["master/other", "master/acme/shop", None])
def test_a_profile_that_does_not_serve_the_did_is_refused(stage: Any, messages: Any, account: Any) -> None:
    """One of an account beside or below the holder, and one that does not exist, are refused alike."""
    if account is not None:
        stage.process(messages.create_profile(account, capacity=1))
    stage.process(messages.purchased(), messages.did_changed())
    decision = stage.process(messages.apply_profile())
    assert isinstance(decision, Refused)
    assert decision.code == "configuration_profile_not_found"
    assert decision.field == "configuration_profile_id"


@pytest.mark.parametrize(("features", "code"), [(["sms_in"], None), (["voice_out"], "not_supported")])
def test_a_number_takes_what_it_can_of_a_profile(
    profile: Any, messages: Any, features: Any, code: Any
) -> None:
    """One for messages only takes no trunk and no capacity. One that takes neither is refused."""
    profile.process(messages.purchased(), messages.did_changed(features=features))
    decision = profile.process(messages.apply_profile())
    assert getattr(decision, "code", None) == code
    assert settings(profile) == (None, None, None)
    assert isinstance(profile.process(messages.apply_profile()), Refused if code else Unchanged)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"voice_trunk_id": OTHER}, "voice_trunk_id"),
        ({"capacity_group_id": OTHER}, "capacity_group_id"),
        ({"automatic_for": "master/other"}, "automatic_for"),
        ({"automatic_for": "master"}, "automatic_for"),
    ],
)
def test_a_profile_names_only_what_serves_its_account(
    profile: Any, messages: Any, fields: Any, field: str
) -> None:
    """A new profile and a change of one are refused alike, and name the field."""
    created = profile.process(messages.create_profile(profile_id=OTHER, **fields))
    changed = profile.process(change(messages, **fields))
    assert (created.code, created.field) == (changed.code, changed.field) == ("not_found", field)


def test_a_change_holds_for_what_is_applied_later(profile: Any, messages: Any) -> None:
    """A capacity takes the place of the group. A DID has it when the profile is applied again."""
    profile.process(messages.purchased(), messages.did_changed(), messages.apply_profile())
    profile.process(change(messages, capacity=3))
    assert settings(profile) == (messages.trunk_id, 1, messages.group_id)
    assert isinstance(profile.process(messages.apply_profile()), Decided)
    assert settings(profile) == (messages.trunk_id, 3, None)
    assert isinstance(profile.process(change(messages, capacity=3)), Unchanged)


def test_a_purchase_with_an_automatic_profile_becomes_active_with_no_further_call(
    profile: Any, messages: Any
) -> None:
    """The activation carries what the profile has set."""
    profile.process(change(messages, automatic_for="master/acme"))
    profile.process(messages.purchased(), messages.did_changed(), messages.registration())
    assert profile.actions() == ["activate"]
    parameters = profile.issued()[-1].parameters
    assert (parameters.voice.id, parameters.capacity) == (messages.trunk_id, 1)
    profile.succeed_all(messages)
    assert profile.axis().voice_ready


def test_the_automatic_profile_of_the_nearest_account_comes_first(stage: Any, messages: Any) -> None:
    """After its deletion, a new DID gets that of the account above."""
    above, below = derived_id("above"), derived_id("below")
    stage.process(messages.create_profile("master", above, capacity=1, automatic_for="master"))
    stage.process(messages.create_profile("master", below, capacity=2, automatic_for="master/acme"))
    stage.process(messages.purchased(), messages.did_changed())
    assert (stage.routing().capacity, stage.routing().profile.profile_id) == (2, below)
    stage.process(DeleteProfile(entity_id=below, subject="", caller=messages.caller(role="operator")))
    stage.process(messages.purchased(messages.next_did_id))
    stage.process(messages.did_changed(did_id=messages.next_did_id))
    assert stage.axis(messages.next_did_id).capacity == 1


def test_an_automatic_profile_leaves_what_a_caller_has_set(profile: Any, messages: Any) -> None:
    """The capacity that was set before inventory published the DID stays, and the trunk is set."""
    profile.process(change(messages, automatic_for="master/acme"))
    profile.process(messages.purchased(), messages.set_capacity(1), messages.did_changed())
    assert settings(profile) == (messages.trunk_id, 1, None)


def test_an_automatic_profile_is_for_new_dids_only(profile: Any, messages: Any) -> None:
    """A DID that was there before, and one that changes later, stay as they are."""
    profile.process(messages.purchased(), messages.did_changed())
    profile.process(change(messages, automatic_for="master/acme"))
    profile.process(messages.did_changed(sequence=2, account="master/acme/shop"))
    assert settings(profile) == (None, None, None)


def test_a_full_group_of_an_automatic_profile_leaves_the_capacity_open(profile: Any, messages: Any) -> None:
    """The trunk is set, and the missing step is the capacity."""
    profile.process(messages.create_capacity_group(0, group_id=OTHER))
    profile.process(change(messages, automatic_for="master/acme", capacity_group_id=OTHER))
    profile.process(messages.purchased(), messages.did_changed(), messages.registration())
    profile.succeed_all(messages)
    assert settings(profile) == (messages.trunk_id, None, None)
    assert profile.axis().missing.voice == "assign_capacity"


def test_an_account_has_one_automatic_profile(profile: Any, messages: Any) -> None:
    """Another one is refused, until the first is for another account, for none, or deleted."""
    profile.process(change(messages, automatic_for="master/acme"))
    second = messages.create_profile(profile_id=OTHER, capacity=1, automatic_for="master/acme")
    decision = profile.process(second)
    assert (decision.code, decision.field) == ("automatic_for_taken", "automatic_for")
    assert isinstance(profile.process(change(messages, automatic_for=None)), Decided)
    assert isinstance(profile.process(second), Decided)
    assert profile.process(change(messages, automatic_for="master/acme")).code == "automatic_for_taken"
    assert isinstance(profile.process(change(messages, automatic_for="master/acme/shop")), Decided)
    assert isinstance(profile.process(delete(messages)), Decided)
    third = messages.create_profile(profile_id=derived_id("third"), automatic_for="master/acme/shop")
    assert isinstance(profile.process(third), Decided)


@pytest.mark.parametrize(
    "end",
    [
        lambda messages: ClearRouting(**messages.command_fields(messages.did_id)),
        lambda messages: messages.removed(),
        lambda messages: messages.did_changed(sequence=2, account="master/other"),
        lambda messages: messages.apply_profile(OTHER),
    ],
    ids=["cleared", "removed", "handed over", "another profile"],
)
def test_a_did_uses_a_profile_until_it_leaves_it(profile: Any, messages: Any, end: Any) -> None:
    """The routing names the profile until then."""
    profile.process(messages.create_profile(profile_id=OTHER, capacity=1))
    profile.process(messages.purchased(), messages.did_changed(), messages.apply_profile())
    assert profile.routing().profile.profile_id == messages.profile_id
    profile.process(end(messages))
    used = profile.routing().profile
    assert used is None or used.profile_id == OTHER


def test_a_profile_in_use_is_not_deleted(profile: Any, messages: Any) -> None:
    """`in_use` has the count. Who does not reach the profile does not learn that it is in use."""
    profile.store(ProfileUse(profile_id=messages.profile_id, dids=2))
    decision = profile.process(delete(messages))
    assert decision.code == "in_use"
    assert decision.message.startswith("2 live DIDs use this configuration profile.")
    for account in ("master/acme/shop", "master/other"):
        assert profile.process(delete(messages, account=account)).code == "not_found"


def test_a_profile_sets_a_voice_trunk_group(profile: Any, messages: Any) -> None:
    """The group takes the place of the trunk in the profile, and the DID gets the trunks of the group."""
    profile.process(messages.create_voice_trunk_group())
    profile.process(change(messages, voice_trunk_group_id=messages.group_id, automatic_for="master/acme"))
    profile.process(messages.purchased(), messages.did_changed())
    voice = profile.routing().voice.delivery
    assert (voice.kind, voice.id, len(voice.endpoints)) == ("trunk_group", messages.group_id, 1)
    assert isinstance(profile.process(messages.apply_profile()), Unchanged)
    unknown = change(messages, voice_trunk_group_id=OTHER)
    decision = profile.process(unknown)
    assert (decision.code, decision.field) == ("not_found", "voice_trunk_group_id")


def test_a_number_for_messages_with_an_automatic_profile_becomes_ready(profile: Any, messages: Any) -> None:
    """It takes the SMS trunk of the profile and nothing else. Calls are not needed."""
    profile.process(messages.create_sms_trunk())
    profile.process(change(messages, sms_trunk_id=messages.sms_trunk_id, automatic_for="master/acme"))
    profile.process(messages.purchased(), messages.did_changed(features=["sms_in"]), messages.registration())
    profile.succeed_all(messages)
    assert settings(profile) == (None, None, None)
    assert profile.routing().sms.delivery.id == messages.sms_trunk_id
    assert profile.axis().sms_ready
    assert isinstance(profile.process(messages.apply_profile()), Unchanged)


def test_a_number_for_calls_takes_no_sms_trunk_of_a_profile(profile: Any, messages: Any) -> None:
    """It takes the voice trunk and a channel. An SMS trunk that does not exist is refused in the profile."""
    profile.process(messages.create_sms_trunk())
    profile.process(change(messages, sms_trunk_id=messages.sms_trunk_id))
    profile.process(messages.purchased(), messages.did_changed(), messages.apply_profile())
    assert settings(profile) == (messages.trunk_id, 1, messages.group_id)
    assert profile.routing().sms is None
    decision = profile.process(change(messages, sms_trunk_id=OTHER))
    assert (decision.code, decision.field) == ("not_found", "sms_trunk_id")
