"""Random lives of one DID: what the rules allow is done, all else is refused, and the history gives the present."""

from datetime import timedelta
from typing import Any

from harness.folded_history import filled_fields, fold_all
from hypothesis import given, settings
from hypothesis import strategies as st

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_inventory.domain.changes import fields_of
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.events import did_changed
from didflow_inventory.domain.holding import commands as c
from didflow_inventory.domain.holding.rules import RULES, refusal_of_action
from didflow_inventory.domain.my_numbers.change import DidChange
from didflow_inventory.domain.stock.number import Number

ACCOUNTS = ("master", "master/acme", "master/acme/shop")
COMMANDS: dict[str, tuple[type[c.DidCommand], dict[str, Any]]] = {
    "edit": (c.EditDid, {"edits": c.Edits(notes="n")}),
    "take_back": (c.TakeBack, {}),
    "hold": (c.HoldDid, {"days": 3}),
    "unhold": (c.UnholdDid, {}),
    "block": (c.BlockDid, {}),
    "unblock": (c.UnblockDid, {}),
    "port_out": (c.PortOut, {}),
    "return": (c.ReturnDid, {}),
    "cancel_porting": (c.CancelPorting, {}),
}
AFTER_HOLD = (None, "back", "in_stock", "reserved", "archived")
NOT_HERE = {"assign_user", "assign_account"}
"""Actions that are also refused by what they name."""


def test_every_action_is_tried() -> None:
    """A new action comes with its command here, unless what it names decides too."""
    assert COMMANDS.keys() | NOT_HERE == RULES.keys()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_the_rules_allow_is_done_and_all_else_is_refused(
    make: Any, with_accounts: Any, data: Any
) -> None:
    """Whoever asks, in whatever state. A repeat of the last step is unchanged."""
    stage = with_accounts(*ACCOUNTS)
    if data.draw(st.booleans()):
        uploaded_by = data.draw(st.sampled_from(("master", "master/acme")))
        stage.store(Number(number=make.number, stock="in_stock", uploaded_by=uploaded_by))
        stage.decide(make.purchased())
    else:
        stage.decide(make.porting_started())
        if data.draw(st.booleans()):
            stage.decide(make.purchased(acquired="ported_in"))
    stage.decide(make.term(data.draw(st.sampled_from(("active", "canceled")))))
    for _ in range(data.draw(st.integers(1, 12))):
        _step(stage, make, data)
        _check(stage)


def _step(stage: Any, make: Any, data: Any) -> None:
    by = make.caller(data.draw(st.sampled_from(ACCOUNTS)))
    action = data.draw(st.sampled_from((*COMMANDS, "time", "assign_account")))
    before = stage.did
    if action == "time":
        stage.advance(timedelta(days=data.draw(st.integers(1, 3))))
        return
    if action == "assign_account":
        stage.decide(make.about(c.AssignAccount, by=by, account=data.draw(st.sampled_from(ACCOUNTS))))
        return
    command, fields = COMMANDS[action]
    if action == "hold":
        fields = {**fields, "after_hold": data.draw(st.sampled_from(AFTER_HOLD))}
    decision = stage.decide(make.about(command, by=by, **fields))
    holding = before.holding
    if not by.reaches(holding.account) or not (holding.is_live or action == "cancel_porting"):
        assert isinstance(decision, Refused)
        assert decision.code == "not_found"
        return
    allowed = refusal_of_action(action, holding, before.views, by) is None
    if isinstance(decision, Unchanged):
        assert stage.did == before
        assert not allowed or action == "edit"
    else:
        assert isinstance(decision, Decided) == allowed, (action, holding.stock, decision)


def _check(stage: Any) -> None:
    """History and changes fold to the DID, the last `did.changed` is the holding, and the number knows its live DID."""
    entries = [entry for entry in stage.history if entry.did_id is not None]
    assert fold_all(entry.changes for entry in entries) == filled_fields(fields_of(stage.did))
    assert follow(stage.did_changes) == seen(stage.did)
    assert stage.published_data("did.changed")[-1] == did_changed(stage.did.holding)
    assert (stage.number.did_id is not None) == stage.did.holding.is_live
    withdrawn = len(stage.published("did.withdrawn"))
    assert withdrawn == (0 if stage.did.holding.is_live else 1)
    assert stage.parked() == []


def follow(changes: list[DidChange]) -> tuple[Any, ...]:
    """Return account, user and status as the changes tell them. Each says what it was before, if that was another."""
    place, status = None, None
    for change in changes:
        after = change.account, change.user
        before = change.former_account, change.former_user
        assert place in ((None, after) if before == (None, None) else (before,))
        place, status = after, change.status
    return *(place or (None, None)), status


def seen(did: Did) -> tuple[Any, ...]:
    """Return account, user and status of a DID; nothing if it has ended."""
    return (did.holding.account, did.holding.user, did.listing.status) if did.holding.is_live else (None,) * 3
