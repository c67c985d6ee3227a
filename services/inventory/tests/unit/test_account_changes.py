"""Changes of accounts: who may change what, where accounts end, and whose default carriers a number has."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged
from didflow_inventory.domain.accounts.account import Account, kind_of_new

OWN = "master/acme"
BELOW = "master/acme/shop"


@pytest.mark.parametrize("change", [{"name": "New"}, {"default_carrier": "a"}, {"default_sms_carrier": "b"}])
def test_a_caller_changes_the_name_and_the_carriers_of_its_own_account(
    stage: Any, make: Any, change: Any
) -> None:
    """The answer is the changed account; the same again is unchanged."""
    stage.store(make.stored_carrier("a"), make.stored_carrier("b"))
    assert isinstance(stage.decide(make.change_account(OWN, **change)), Decided)
    account = stage.state(Account, OWN)
    assert {name: getattr(account, name) for name in change} == change
    assert isinstance(stage.decide(make.change_account(OWN, **change)), Unchanged)


@pytest.mark.parametrize("change", [{"allow_external_numbers": True}, {"may_set_prices": False}])
@pytest.mark.parametrize("role", ["reseller", "master_reseller"])
def test_a_caller_cannot_give_its_own_account_more(stage: Any, make: Any, role: Any, change: Any) -> None:
    """An account above does that, or an operator. Sending the present value is no change."""
    assert stage.code(make.change_account(OWN, make.caller(OWN, role), **change)) == "own_account"
    present = {name: getattr(stage.state(Account, OWN), name) for name in change}
    assert stage.code(make.change_account(OWN, make.caller(OWN, role), **present)) is None
    for by in (make.caller("master"), make.caller(OWN, "operator")):
        assert stage.code(make.change_account(OWN, by, **change)) is None


@pytest.mark.parametrize("path", ["master", "other", "master/acm", "master/acme/none", "none"])
def test_an_account_beside_or_above_is_answered_like_one_that_does_not_exist(
    stage: Any, make: Any, path: Any
) -> None:
    """Nothing tells whether it exists."""
    decision = stage.decide(make.change_account(path, name="x"))
    absent = stage.decide(make.change_account("master/acme/nothing", name="x"))
    assert (decision, decision.code) == (absent, "not_found")


def test_only_whoever_may_name_prices_lets_an_account_below_set_prices(stage: Any, make: Any) -> None:
    """Taking it away needs no permission."""
    other = make.caller("other")
    stage.decide(make.create_account("other/new", other))
    assert stage.code(make.change_account("other/new", other, may_set_prices=True)) == "price_not_allowed"
    assert stage.code(make.change_account("other/new", other, may_set_prices=False)) is None
    assert stage.code(make.change_account(BELOW, may_set_prices=False)) is None
    assert stage.code(make.change_account(BELOW, may_set_prices=True)) is None


def test_there_is_no_account_below_an_enterprise(stage: Any, make: Any) -> None:
    """An enterprise has users instead."""
    stage.decide(make.create_account("master/acme/firm", kind="enterprise"))
    assert stage.code(make.create_account("master/acme/firm/more")) == "parent_is_enterprise"


@pytest.mark.parametrize(
    ("path", "kind", "found"),
    [
        ("root", None, "master_reseller"),
        ("root", "master_reseller", "master_reseller"),
        ("root", "enterprise", None),
        ("root/a", None, "reseller"),
        ("root/a", "reseller", "reseller"),
        ("root/a", "enterprise", "enterprise"),
        ("root/a", "master_reseller", None),
    ],
)
def test_a_root_and_no_other_account_is_a_master_reseller(path: Any, kind: Any, found: Any) -> None:
    """A reseller is the default elsewhere."""
    assert kind_of_new(path, kind) == found


@pytest.mark.parametrize(
    ("above", "own", "found"),
    [
        ({}, {}, ("simulator", "simulator")),
        ({"default_carrier": "far"}, {}, ("far", "far")),
        ({"default_carrier": "far", "default_sms_carrier": "texts"}, {}, ("far", "texts")),
        ({"default_sms_carrier": "texts"}, {}, ("simulator", "texts")),
        ({"default_sms_carrier": "texts"}, {"default_carrier": "near"}, ("near", "near")),
        ({"default_carrier": "far"}, {"default_sms_carrier": "texts"}, ("far", "texts")),
    ],
)
def test_the_nearest_account_with_a_carrier_gives_it_for_calls_and_for_messages(
    stage: Any, make: Any, above: Any, own: Any, found: Any
) -> None:
    """An account with a carrier for calls alone has it for messages too. Else the deployment's is taken."""
    stage.store(*(make.stored_carrier(name) for name in ("far", "near", "texts")))
    master = make.caller("master")
    stage.decide(make.change_account("master", master, **above))
    stage.decide(make.change_account(OWN, master, **own))
    stage.decide(make.purchased())
    assert (stage.did.holding.carrier, stage.did.holding.sms_carrier) == found
