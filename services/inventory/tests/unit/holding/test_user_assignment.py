"""DIDs of an enterprise are assigned to its users: one for a PBX or a trunk, many for SMS."""

from typing import Any

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Unchanged
from didflow_contracts.ids import derived_id
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.users import User
from didflow_inventory.domain.holding import commands as c

PBX, OTHER, SMS, FOREIGN, DELETED = (
    derived_id(name) for name in ("pbx", "other", "sms", "foreign", "deleted")
)


@pytest.fixture
def enterprise(stage: Any, make: Any) -> Any:
    """An inventory in which acme is an enterprise with users and two DIDs."""
    stage.store(
        Account(path=make.account, name="Acme", kind="enterprise", may_set_prices=True, created_at=make.zero)
    )
    for user_id, kind in ((PBX, "pbx"), (OTHER, "trunk"), (SMS, "sms"), (FOREIGN, "pbx"), (DELETED, "pbx")):
        user = User(user_id=user_id, account=make.account, name=kind, kind=kind, created_at=make.zero)
        user = replace(user, account="other") if user_id == FOREIGN else user
        stage.store(replace(user, deleted=user_id == DELETED))
    stage.decide(make.purchased())
    stage.decide(make.purchased(did_id=make.other_id, number=NEXT, order_id="o-2"))
    return stage


NEXT = "+35319609037"


def to(make: Any, user_id: Any, by: Any = None) -> Any:
    """Return the assignment of the first DID."""
    return make.about(c.AssignUser, user_id=user_id, by=by)


def second(make: Any, user_id: Any) -> Any:
    """Return the assignment of the second DID."""
    return c.AssignUser(entity_id=make.other_id, subject=NEXT, caller=make.caller(), user_id=user_id)


def test_a_user_gets_a_number_and_loses_it(enterprise: Any, make: Any) -> None:
    """The id of the user is published, nothing else about it. A repeat changes nothing."""
    enterprise.decide(to(make, PBX))
    assert enterprise.did.holding.user == str(PBX)
    assert enterprise.published_data("did.changed")[-1].user == str(PBX)
    assert enterprise.state(User, PBX).default_did == make.did_id
    assert isinstance(enterprise.decide(to(make, PBX)), Unchanged)
    assert enterprise.code(make.about(c.AssignAccount, account="master/acme/shop")) == "in_use"
    enterprise.decide(to(make, None))
    assert enterprise.did.holding.user is None
    assert isinstance(enterprise.decide(to(make, None)), Unchanged)


def test_a_pbx_has_one_number_and_more_only_for_messages(enterprise: Any, make: Any) -> None:
    """After the first one was unassigned, another one can be its default."""
    enterprise.decide(to(make, PBX))
    assert enterprise.code(second(make, PBX)) == "user_has_default"
    enterprise.store(replace(enterprise.state(User, PBX), sms_enabled=True))
    assert enterprise.code(second(make, PBX)) is None
    enterprise.decide(to(make, OTHER))
    assert enterprise.did.holding.user == str(OTHER)
    assert enterprise.code(second(make, None)) is None
    assert enterprise.code(second(make, PBX)) is None
    assert enterprise.state(User, PBX).default_did == make.other_id


def test_two_numbers_in_one_request_are_not_both_the_default(enterprise: Any, make: Any) -> None:
    """The second one is refused, also in one transaction. An SMS user gets both."""
    decisions = enterprise.run_batch([to(make, PBX), second(make, PBX)])
    assert [getattr(decision, "code", None) for decision in decisions] == [None, "user_has_default"]
    decisions = enterprise.run_batch([to(make, SMS), second(make, SMS)])
    assert [getattr(decision, "code", None) for decision in decisions] == [None, None]


@pytest.mark.parametrize("user_id", [FOREIGN, DELETED, derived_id("nobody")])
def test_users_of_others_and_absent_users_are_answered_alike(
    enterprise: Any, make: Any, user_id: Any
) -> None:
    """An operator reaches the foreign user, but it is none of the holder's."""
    assert enterprise.code(to(make, user_id)) == "not_found"
    assert enterprise.code(to(make, user_id, make.caller("root", "operator"))) == "not_found"


def test_only_a_number_of_an_enterprise_is_assigned_to_a_user(enterprise: Any, make: Any) -> None:
    """And only while it is assigned to the account."""
    enterprise.change_did(in_enterprise=False)
    assert enterprise.code(to(make, PBX)) == "not_an_enterprise"
    enterprise.change_did(in_enterprise=True, stock="blocked")
    assert enterprise.code(to(make, PBX)) == "wrong_stock_state"
    assert enterprise.code(to(make, PBX, make.caller("other"))) == "not_found"


def test_a_user_describes_only_the_numbers_that_are_assigned_to_it(enterprise: Any, make: Any) -> None:
    """Its token names it by the subject. The number can be unassigned between the request and the decision."""
    enterprise.store(replace(enterprise.state(User, PBX), subject="ann"))
    user = make.caller(role="user")
    edit = make.about(c.EditDid, by=user, edits=c.Edits(description="Desk"))
    assert enterprise.code(edit) == "not_found"
    enterprise.decide(to(make, OTHER))
    assert enterprise.code(edit) == "not_found"
    enterprise.decide(to(make, PBX))
    assert enterprise.code(edit) is None
    assert enterprise.did.holding.description == "Desk"
