"""The default carriers of an account are carriers that serve it, for what it uses them."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged
from didflow_inventory.domain.accounts.account import Account

OWN = "master/acme"
NEW = "master/acme/new"


@pytest.fixture
def served(stage: Any, make: Any) -> Any:
    """Accounts that are served by carriers of `master`; there are others beside, below, and a deleted one."""
    stage.store(
        make.stored_carrier("net"),
        make.stored_carrier("calls", kind="voice"),
        make.stored_carrier("texts", kind="sms"),
        make.stored_carrier("theirs", "other"),
        make.stored_carrier("below", "master/acme/shop"),
        make.stored_carrier("gone", deleted=True),
    )
    return stage


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"default_carrier": "net"}, None),
        ({"default_carrier": "calls", "default_sms_carrier": "texts"}, None),
        ({"default_carrier": "simulator", "default_sms_carrier": "simulator"}, None),
        ({"default_sms_carrier": "texts"}, None),
        ({"default_carrier": "theirs"}, "default_carrier"),
        ({"default_sms_carrier": "theirs"}, "default_sms_carrier"),
        ({"default_carrier": "below"}, "default_carrier"),
        ({"default_carrier": "gone"}, "default_carrier"),
        ({"default_carrier": "nobodys"}, "default_carrier"),
        ({"default_sms_carrier": "nobodys"}, "default_sms_carrier"),
        ({"default_carrier": "texts"}, "default_carrier"),
        ({"default_sms_carrier": "calls"}, "default_sms_carrier"),
        ({"default_carrier": "calls"}, "default_sms_carrier"),
    ],
)
def test_an_account_has_only_default_carriers_that_serve_it(
    served: Any, make: Any, fields: Any, refused: Any
) -> None:
    """A foreign, deleted or unknown one is answered alike. If there is one for calls alone, it serves messages too."""
    for command in (make.create_account(NEW, **fields), make.change_account(OWN, **fields)):
        decision = served.decide(command)
        found = (getattr(decision, "code", None), getattr(decision, "field", None))
        assert found == (("carrier_unknown", refused) if refused else (None, None))
        assert (served.state(Account, command.entity_id) is None) is (
            refused is not None and command.entity_id == NEW
        )


def test_a_repeated_creation_is_unchanged_after_its_carrier_was_deleted(served: Any, make: Any) -> None:
    """The repeat has the answer of the first."""
    created = make.create_account(NEW, default_carrier="net")
    assert isinstance(served.decide(created), Decided)
    served.store(make.stored_carrier("net", deleted=True))
    assert isinstance(served.decide(created), Unchanged)


def test_the_carrier_of_calls_is_judged_again_when_it_begins_to_carry_messages(
    served: Any, make: Any
) -> None:
    """Without a carrier of messages, that of calls serves both."""
    served.decide(make.change_account(OWN, default_carrier="calls", default_sms_carrier="texts"))
    decision = served.decide(make.change_account(OWN, default_sms_carrier=None))
    assert (decision.code, decision.field) == ("carrier_unknown", "default_sms_carrier")
    assert served.code(make.change_account(OWN, default_sms_carrier=None, default_carrier="net")) is None


def test_a_carrier_that_stays_is_not_judged_again(served: Any, make: Any) -> None:
    """The name of an account changes, and its carrier of messages, whatever became of its carrier of calls."""
    served.decide(make.change_account(OWN, default_carrier="net"))
    served.store(make.stored_carrier("net", deleted=True))
    assert served.code(make.change_account(OWN, name="New", default_carrier="net")) is None
    assert served.code(make.change_account(OWN, default_sms_carrier="texts")) is None
