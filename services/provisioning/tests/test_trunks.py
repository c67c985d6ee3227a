"""Voice trunks as things of their own."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_provisioning.domain.commands import DeleteVoiceTrunk, KeepVoiceTrunk
from didflow_provisioning.domain.trunks import VoiceTrunk


@pytest.fixture
def made(floor: Any, say: Any) -> Any:
    """A stage with one trunk of the account."""
    floor.feed(say.create_trunk())
    return floor


def on(say: Any, wish: type, **who: str) -> Any:
    """A wish about the trunk."""
    return wish(entity_id=say.trunk, subject="", caller=say.caller(**who))


def test_a_trunk_is_made_in_the_callers_subtree(made: Any, say: Any) -> None:
    """The trunk is kept as asked, under its account."""
    trunk = made.states[VoiceTrunk, say.trunk]
    assert (trunk.account, trunk.name, trunk.created_at) == (say.account, "Dublin", say.zero)


def test_nobody_makes_a_trunk_for_others(floor: Any, say: Any) -> None:
    """An account that the caller cannot see is not found."""
    outcome = floor.feed(say.create_trunk("master/other"))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.field) == ("not_found", "account")


def test_made_twice_it_is_one(made: Any, say: Any) -> None:
    """The same id again is the same trunk."""
    assert isinstance(made.feed(say.create_trunk()), Unchanged)


def test_a_deleted_trunk_serves_nobody(made: Any, say: Any) -> None:
    """A deleted trunk cannot be set, nor deleted again."""
    assert isinstance(made.feed(on(say, DeleteVoiceTrunk)), Decided)
    made.feed(say.purchased())
    assert made.feed(say.set_voice()).code == "voice_trunk_not_found"
    assert made.feed(on(say, DeleteVoiceTrunk)).code == "not_found"


def test_a_deletion_that_met_a_user_is_taken_back(made: Any, say: Any) -> None:
    """A DID that took the trunk at that instant keeps it."""
    made.feed(on(say, DeleteVoiceTrunk))
    assert isinstance(made.feed(on(say, KeepVoiceTrunk)), Decided)
    assert isinstance(made.feed(on(say, KeepVoiceTrunk)), Unchanged)
    assert made.states[VoiceTrunk, say.trunk].serves(say.account)


@pytest.mark.parametrize("wish", [DeleteVoiceTrunk, KeepVoiceTrunk])
def test_a_trunk_of_others_is_not_found(made: Any, say: Any, wish: type) -> None:
    """A caller outside, or below the owner, cannot touch it."""
    for account in ("master/other", "master/acme/shop"):
        assert made.feed(on(say, wish, account=account)).code == "not_found"
