"""Voice trunks."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_chassis.testing.memory import MemoryDatabase
from didflow_provisioning.domain.targets.commands import DeleteVoiceTrunk
from didflow_provisioning.domain.targets.voice_trunks import VoiceTargetUse, VoiceTrunk
from didflow_provisioning.store.tables import VOICE_TARGET_USE


@pytest.fixture
def with_trunk(stage: Any, messages: Any) -> Any:
    """A stage with one trunk of the account."""
    stage.process(messages.create_voice_trunk())
    return stage


def deletion(messages: Any, **caller: str) -> DeleteVoiceTrunk:
    """Build the command to delete the trunk."""
    return DeleteVoiceTrunk(entity_id=messages.trunk_id, subject="", caller=messages.caller(**caller))


def test_a_trunk_is_created_for_an_account_that_the_caller_reaches(with_trunk: Any, messages: Any) -> None:
    """The trunk has the account, the name and the time of the command."""
    trunk = with_trunk.state(VoiceTrunk, messages.trunk_id)
    assert (trunk.account, trunk.name, trunk.created_at) == (messages.account, "Dublin", messages.start)


def test_a_trunk_for_a_foreign_account_is_refused(stage: Any, messages: Any) -> None:
    """An account that the caller does not reach is not found."""
    decision = stage.process(messages.create_voice_trunk("master/other"))
    assert isinstance(decision, Refused)
    assert (decision.code, decision.field) == ("not_found", "account")


def test_a_trunk_is_created_once(with_trunk: Any, messages: Any) -> None:
    """The same id again changes nothing."""
    assert isinstance(with_trunk.process(messages.create_voice_trunk()), Unchanged)


def test_a_deleted_trunk_serves_no_did(with_trunk: Any, messages: Any) -> None:
    """It can be neither set nor deleted again."""
    assert isinstance(with_trunk.process(deletion(messages)), Decided)
    with_trunk.process(messages.purchased())
    assert with_trunk.process(messages.set_voice()).code == "voice_trunk_not_found"
    assert with_trunk.process(deletion(messages)).code == "not_found"


@pytest.mark.parametrize(("dids", "start"), [(1, "1 live DID uses this"), (1000, "1000 live DIDs use this")])
def test_a_trunk_that_live_dids_use_is_not_deleted(
    with_trunk: Any, messages: Any, dids: int, start: str
) -> None:
    """The refusal `in_use` has their count, and the trunk can still be set."""
    with_trunk.store(VoiceTargetUse(target_id=messages.trunk_id, dids=dids))
    refused = with_trunk.process(deletion(messages))
    assert (refused.code, refused.message.startswith(start)) == ("in_use", True)
    assert with_trunk.state(VoiceTrunk, messages.trunk_id).serves(messages.account)


@pytest.mark.parametrize("account", ["master/other", "master/acme/shop"])
def test_a_trunk_of_another_account_is_not_found(with_trunk: Any, messages: Any, account: str) -> None:
    """A caller beside or below the owner cannot delete the trunk, and does not learn how many DIDs use it."""
    with_trunk.store(VoiceTargetUse(target_id=messages.trunk_id, dids=7))
    foreign = with_trunk.process(deletion(messages, account=account))
    assert foreign == Refused("not_found", "No such voice trunk in your accounts.")


def test_an_unknown_a_foreign_and_a_deleted_trunk_have_one_answer(stage: Any, messages: Any) -> None:
    """The refusals are equal, so a caller cannot tell the three apart."""
    unknown = stage.process(deletion(messages))
    stage.process(messages.create_voice_trunk())
    foreign = stage.process(deletion(messages, account="master/other"))
    stage.process(deletion(messages))
    stage.store(VoiceTargetUse(target_id=messages.trunk_id, dids=1))
    deleted = stage.process(deletion(messages))
    assert unknown == foreign == deleted == Refused("not_found", "No such voice trunk in your accounts.")


@pytest.mark.parametrize(
    ("account", "is_counted"), [("master/acme", True), ("master", True), ("master/other", False)]
)
def test_the_dids_of_a_trunk_are_counted_only_for_those_who_may_delete_it(
    with_trunk: Any, messages: Any, monkeypatch: pytest.MonkeyPatch, account: str, is_counted: bool
) -> None:
    """The time that a refusal takes does not tell others how many DIDs use the trunk."""
    loaded: list[str] = []
    fetch = MemoryDatabase.fetch

    async def recorded(self: MemoryDatabase, statement: Any, *values: Any) -> list[Any]:
        loaded.append(statement)
        return await fetch(self, statement, *values)

    monkeypatch.setattr(MemoryDatabase, "fetch", recorded)
    with_trunk.process(deletion(messages, account=account))
    assert (VOICE_TARGET_USE.load_sql in loaded) == is_counted
