"""A DID is handed down and taken back: the holder changes, the payer stays."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Unchanged
from didflow_contracts.ids import derived_id
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.holding import commands as c
from didflow_inventory.domain.packages.package import client_key
from didflow_inventory.domain.stock.number import Number

SHOP = "master/acme/shop"
PACKAGE_ID = derived_id("package")
HOUR = timedelta(hours=1)


def to(make: Any, account: str, by: Any = None) -> Any:
    """Return the command that hands the DID to an account."""
    return make.about(c.AssignAccount, account=account, by=by)


def test_each_handover_appends_to_the_holders_and_the_payer_stays(purchased: Any, make: Any) -> None:
    """Down by the reseller, back by the master. Each is published."""
    purchased.decide(to(make, SHOP), make.zero + HOUR)
    purchased.decide(make.about(c.TakeBack, by=make.caller("master")), make.zero + 2 * HOUR)

    holding = purchased.did.holding
    assert [(each.account, each.since) for each in holding.holders] == [
        (make.account, None),
        (SHOP, make.zero + HOUR),
        ("master", make.zero + 2 * HOUR),
    ]
    assert (holding.account, holding.payer) == ("master", make.account)
    published = purchased.published_data("did.changed")
    assert [(each.account, each.payer) for each in published[1:]] == [
        (SHOP, make.account),
        ("master", make.account),
    ]


@pytest.mark.parametrize(
    ("account", "is_kept"), [("master/acme/shop/till", True), ("master/acme/stall", False)]
)
def test_a_did_that_leaves_its_client_does_not_follow_the_package_any_more(
    purchased: Any, make: Any, account: Any, is_kept: bool
) -> None:
    """Otherwise a package would hold the number of an account that its owner may not even reach."""
    key = client_key(PACKAGE_ID, SHOP)
    purchased.change_did(account=SHOP, package_key=key)
    purchased.store(Account(path=account, name=account, created_at=make.zero))
    purchased.decide(to(make, account))
    holding = purchased.did.holding
    assert (holding.account, holding.package_key) == (account, key if is_kept else None)
    purchased.decide(make.about(c.TakeBack))
    assert (purchased.did.holding.account, purchased.did.holding.package_key) == (make.account, None)


@pytest.mark.parametrize(
    ("account", "is_kept"), [("master/acme/shop/till", True), ("master/acme/stall", False)]
)
def test_what_a_holder_wrote_about_a_did_does_not_leave_its_accounts(
    purchased: Any, make: Any, account: Any, is_kept: bool
) -> None:
    """The next holder may be a rival. An account that takes the DID back reads it in the history."""
    written = {
        "description": "Main line",
        "notes": "pays late",
        "tags": ("vip",),
        "next_after_hold": "archived",
    }
    none = {"description": None, "notes": None, "tags": (), "next_after_hold": None}
    purchased.change_did(account=SHOP, **written)
    purchased.store(Account(path=account, name=account, created_at=make.zero))

    purchased.decide(to(make, account))
    holding = purchased.did.holding
    assert {name: getattr(holding, name) for name in written} == (written if is_kept else none)
    purchased.decide(make.about(c.TakeBack))
    holding = purchased.did.holding
    assert {name: getattr(holding, name) for name in written} == none


def test_details_for_the_former_holder_count_only_until_the_handover(purchased: Any, make: Any) -> None:
    """The rule of assignments knows every holder and its start."""
    shop = make.caller(SHOP)
    purchased.decide(to(make, SHOP), make.zero + HOUR)
    late = make.enduser_assigned(account="other", assigned_at=make.zero + 2 * HOUR)
    assert purchased.code(late) == "not_yours"
    assert purchased.code(make.assign_end_user(by=shop)) is None


@pytest.mark.parametrize(
    ("account", "code"),
    [
        ("other", "not_found"),
        ("master", "not_found"),
        ("master/acme/none", "not_found"),
        ("master/acme", None),
        (SHOP, None),
    ],
)
def test_a_number_is_handed_only_to_an_existing_account_below(
    purchased: Any, make: Any, account: Any, code: Any
) -> None:
    """Foreign and absent accounts are answered alike. The holder itself changes nothing."""
    assert purchased.code(to(make, account)) == code


def test_a_number_is_not_handed_to_the_own_account(purchased: Any, make: Any) -> None:
    """That is to take it back, which can return it to the stock."""
    purchased.decide(to(make, SHOP))
    assert purchased.code(to(make, make.account)) == "not_below"


def test_an_operator_hands_a_number_over_within_its_tree(purchased: Any, make: Any) -> None:
    """Never to the tree of another root."""
    operator = make.caller("root", "operator")
    assert purchased.code(to(make, "other", operator)) == "not_below"
    assert purchased.code(to(make, "master", operator)) is None


@pytest.mark.parametrize("user", ["u-1", None])
@pytest.mark.parametrize("state", ["active", "canceled", "aging", "closed"])
def test_a_number_in_use_or_at_its_end_is_not_handed_over(
    purchased: Any, make: Any, user: Any, state: Any
) -> None:
    """First the user is unassigned; what has ended is restored or renewed."""
    purchased.decide(make.term(state))
    purchased.change_did(user=user)
    expected = "in_use" if user else "term_ended" if state != "active" else None
    assert purchased.code(to(make, SHOP)) == expected


def test_a_number_that_a_user_has_is_not_taken_back(purchased: Any, make: Any) -> None:
    """The holder unassigns the user first."""
    purchased.decide(to(make, SHOP))
    purchased.change_did(user="u-1")
    assert purchased.code(make.about(c.TakeBack)) == "in_use"


def test_only_a_number_of_an_account_below_is_taken_back(purchased: Any, make: Any) -> None:
    """The own number is refused; that which was just taken back is unchanged."""
    assert purchased.code(make.about(c.TakeBack)) == "not_below"
    purchased.decide(to(make, SHOP))
    purchased.decide(make.about(c.TakeBack))
    assert isinstance(purchased.decide(make.about(c.TakeBack)), Unchanged)
    assert purchased.code(make.about(c.TakeBack, by=make.caller(SHOP))) == "not_found"


def test_at_the_uploader_taking_back_is_a_return(purchased: Any, make: Any) -> None:
    """The DID is withdrawn, and the number is in stock again. Above the uploader the holder changes."""
    purchased.change_did(origin="stock")
    purchased.store(Number(number=make.number, did_id=make.did_id, uploaded_by=make.account))
    purchased.decide(to(make, SHOP))
    purchased.decide(make.about(c.TakeBack, by=make.caller("master")))
    assert purchased.did.holding.stock == "assigned"
    purchased.decide(to(make, SHOP, make.caller("master")))
    purchased.decide(make.about(c.TakeBack))

    assert purchased.published_data("did.withdrawn")[0].reason == "returned"
    assert (purchased.number.stock, purchased.number.uploaded_by) == ("in_stock", make.account)


@pytest.mark.parametrize("stock", ["porting_in", "blocked", "on_hold"])
def test_only_an_assigned_number_changes_its_holder(purchased: Any, make: Any, stock: Any) -> None:
    """Down and back."""
    purchased.decide(to(make, SHOP))
    purchased.change_did(stock=stock)
    assert purchased.code(to(make, "master/acme", make.caller("master"))) == "wrong_stock_state"
    assert purchased.code(make.about(c.TakeBack)) == "wrong_stock_state"
