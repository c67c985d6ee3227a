"""Voice trunks."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_provisioning.domain.commands import DeleteVoiceTrunk, RestoreVoiceTrunk
from didflow_provisioning.domain.voice_trunks import VoiceTrunk


@pytest.fixture
def with_trunk(stage: Any, messages: Any) -> Any:
    """A stage with one trunk of the account."""
    stage.process(messages.create_voice_trunk())
    return stage


def about_trunk(messages: Any, command: type, **caller: str) -> Any:
    """Build a command about the trunk."""
    return command(entity_id=messages.trunk_id, subject="", caller=messages.caller(**caller))


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
    assert isinstance(with_trunk.process(about_trunk(messages, DeleteVoiceTrunk)), Decided)
    with_trunk.process(messages.purchased())
    assert with_trunk.process(messages.set_voice()).code == "voice_trunk_not_found"
    assert with_trunk.process(about_trunk(messages, DeleteVoiceTrunk)).code == "not_found"


def test_the_deletion_of_a_trunk_can_be_undone(with_trunk: Any, messages: Any) -> None:
    """A DID that started to use the trunk during the deletion keeps it."""
    with_trunk.process(about_trunk(messages, DeleteVoiceTrunk))
    assert isinstance(with_trunk.process(about_trunk(messages, RestoreVoiceTrunk)), Decided)
    assert isinstance(with_trunk.process(about_trunk(messages, RestoreVoiceTrunk)), Unchanged)
    assert with_trunk.state(VoiceTrunk, messages.trunk_id).serves(messages.account)


@pytest.mark.parametrize("command", [DeleteVoiceTrunk, RestoreVoiceTrunk])
@pytest.mark.parametrize("account", ["master/other", "master/acme/shop"])
def test_a_trunk_of_another_account_is_not_found(
    with_trunk: Any, messages: Any, command: type, account: str
) -> None:
    """A caller beside or below the owner cannot change the trunk."""
    assert with_trunk.process(about_trunk(messages, command, account=account)).code == "not_found"
