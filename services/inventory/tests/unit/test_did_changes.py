"""Which messages are changes of a DID for those who follow it, and who sees what of a change."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from didflow_inventory.domain.holding import commands as c
from didflow_inventory.domain.my_numbers.change import DidChange, shown

FIRM = "master/acme/firm"


def test_each_message_that_changes_a_field_leaves_one_change(purchased: Any, make: Any) -> None:
    """Events of all services, commands, and the due timer of a hold."""
    messages = (
        make.registration("awaiting"),
        make.term("active"),
        make.routing("active"),
        make.service("new"),
        make.about(c.EditDid, edits=c.Edits(notes="n")),
        make.about(c.HoldDid, days=1),
    )
    for count, message in enumerate(messages, 2):
        purchased.decide(message)
        assert len(purchased.did_changes) == count, message
    purchased.advance(timedelta(days=1))
    assert [change.status for change in purchased.did_changes[-2:]] == ["hold", purchased.did.listing.status]
    assert len(purchased.did_changes) == len(messages) + 2


def test_what_changes_no_field_leaves_no_change(purchased: Any, make: Any) -> None:
    """A repeat, an entry of the ledger, a refusal, and a rebuild of a listing that is out of date."""
    before = purchased.did_changes
    purchased.decide(make.ledger_posted())
    purchased.decide(make.about(c.UnholdDid))
    purchased.decide(make.about(c.EditDid, edits=c.Edits(notes=None)))
    purchased.outdate(status="active")
    purchased.decide(make.rebuild())
    assert purchased.did.listing.status == "awaiting_registration"
    assert purchased.did_changes == before


@pytest.fixture
def change(make: Any) -> DidChange:
    """A change of a DID of an enterprise that a user has."""
    return DidChange(did_id=make.did_id, number=make.number, account=FIRM, user="u1", status="active")


@pytest.mark.parametrize(
    "case",
    [
        ("master", "reseller", None, {}, True, False),
        (FIRM, "enterprise_admin", None, {}, True, False),
        ("root", "operator", None, {}, True, False),
        ("other", "reseller", None, {}, False, None),
        ("master/acme/fir", "reseller", None, {}, False, None),
        (FIRM, "enterprise_admin", None, {"account": "master/b", "former_account": FIRM}, True, True),
        ("master", "reseller", None, {"account": "master/b", "former_account": FIRM}, True, False),
        ("master/b", "reseller", None, {"account": "master/b", "former_account": FIRM}, True, False),
        (FIRM, "enterprise_admin", None, {"account": None, "former_account": FIRM}, True, True),
        (FIRM, "user", {"u1": FIRM}, {}, True, False),
        (FIRM, "user", {"u2": FIRM}, {}, False, None),
        (FIRM, "user", {"u1": "master/acme/other"}, {}, False, None),
        (FIRM, "user", {}, {"user": None, "former_account": FIRM, "former_user": "u1"}, False, None),
        (FIRM, "user", {"u1": FIRM}, {"user": None, "former_account": FIRM, "former_user": "u1"}, True, True),
        (
            FIRM,
            "user",
            {"u2": FIRM},
            {"user": "u2", "former_account": FIRM, "former_user": "u1"},
            True,
            False,
        ),
    ],
)
def test_who_sees_a_change(make: Any, change: DidChange, case: tuple[Any, ...]) -> None:
    """Whoever reaches the DID after the change sees it. Whoever reached it before only is told that it is gone."""
    account, role, users, after, is_seen, is_removed = case
    found = shown(replace(change, **after), make.caller(account, role), users)
    assert (found is not None) == is_seen
    if found is not None:
        assert found.removed == is_removed
        assert (found.account, found.status) == (
            (FIRM, None) if is_removed else (after.get("account", FIRM), "active")
        )
