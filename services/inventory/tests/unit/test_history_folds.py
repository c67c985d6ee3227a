"""Random lives of a DID, with the events of all services in any order: its history always folds to the present DID."""

from datetime import timedelta
from typing import Any

from harness.folded_history import NOT_RECORDED, did_of, filled_fields, fold_all, shown
from hypothesis import given, settings
from hypothesis import strategies as st

from didflow_chassis.decision import Refused, Unchanged
from didflow_inventory.api.responses import did_json
from didflow_inventory.domain.changes import LABELS, fields_of
from didflow_inventory.domain.did import DidAt
from didflow_inventory.domain.holding import Holding
from didflow_inventory.domain.holding import commands as c
from didflow_inventory.domain.views import Views

REGISTRATIONS = ("awaiting", "pending", "approved", "rejected", "expired", "not_required")
TERMS = ("active", "delayed_removal", "canceled", "aging", "none")
CARRIERS = ("activating", "active", "failed", "suspended", "released")
REASONS = [{"code": "mismatch", "field": "identity.company_name", "message": "It differs."}]
COMPLETED = {"registration.completed"}
"""What an outdated event changes although it is refused: it shows that the registration was complete once."""

ACCOUNTS = ("master", "master/acme", "master/acme/shop", "other")


def message(draw: Any, make: Any) -> Any:
    """Return any message about the DID. Many are refused, outdated, or change nothing."""

    def one(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    sequence, by = draw(st.integers(1, 30)), make.caller(one(*ACCOUNTS))
    texts = c.Edits(description=one("a", None), tags=one((), ("x", "y")), after_hold=one(None, "reserved"))
    state = one(*REGISTRATIONS)
    kinds = (
        lambda: make.registration(state, sequence, attempt=sequence, reasons=one([], REASONS)),
        lambda: make.term(one(*TERMS), sequence, cycles_left=one(None, 0, 1)),
        lambda: make.cycle_expired(one(*TERMS), sequence, cycles_left=0),
        lambda: make.routing(one(*CARRIERS), sequence, capacity=one(None, 0, 2, "unlimited")),
        lambda: make.service(one("new", "active", "not_configured"), sequence, reasons=one([], REASONS)),
        lambda: make.enduser_assigned(document_ids=one([], [make.other_id])),
        lambda: make.assign_end_user(by=by),
        lambda: make.message_refused(sequence),
        lambda: make.ledger_posted(sequence),
        lambda: make.term_expiring(sequence),
        lambda: make.result(account=one("master/acme", "other")),
        make.porting_ended,
        lambda: make.purchased(acquired=one("ported_in", "purchased"), account=one("master/acme", "other")),
        make.rebuild,
        lambda: make.about(c.EditDid, by=by, edits=texts),
        lambda: make.about(c.HoldDid, by=by, days=3, after_hold=one(None, "back", "archived")),
        lambda: make.about(c.AssignAccount, by=by, account=one(*ACCOUNTS)),
        lambda: make.about(one(c.UnholdDid, c.BlockDid, c.UnblockDid, c.TakeBack, c.CancelPorting), by=by),
        lambda: make.about(one(c.PortOut, c.ReturnDid), by=by) if one(*range(6)) == 0 else make.rebuild(),
        lambda: make.removed(sequence) if one(*range(6)) == 0 else make.rebuild(),
    )
    return one(*kinds)()


def shown_now(stage: Any, make: Any) -> Any:
    """Return the DID as My Numbers shows it now."""
    return did_json(DidAt(stage.did, stage.now()), make.caller())


def test_the_history_has_every_field_of_a_did_except_a_few_that_nobody_is_shown(
    purchased: Any, make: Any
) -> None:
    """A new field is recorded, or named here with the reason why not."""
    recorded = {label.partition(".")[0] for label in LABELS}
    fields = {*Holding.__struct_fields__, *Views.__struct_fields__}
    assert fields - recorded == NOT_RECORDED
    assert did_of(fold_all(entry.changes for entry in purchased.history)).holding.account == make.account


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_history_of_any_life_folds_to_the_present_did(make: Any, with_accounts: Any, data: Any) -> None:
    """Each `before` is what the entries before it gave. What was refused changes nothing, with one exception."""
    stage = with_accounts(*ACCOUNTS)
    stage.decide(data.draw(st.sampled_from((make.purchased(), make.porting_started(), make.purchase()))))
    for _ in range(data.draw(st.integers(1, 25))):
        if data.draw(st.integers(0, 5)) == 0:
            stage.set_time(stage.now() + timedelta(days=data.draw(st.integers(1, 4))))
        decision = stage.decide(message(data.draw, make))
        entries = [entry for entry in stage.history if entry.did_id == make.did_id]
        assert fold_all(entry.changes for entry in entries) == filled_fields(fields_of(stage.did))
        assert shown(fold_all(entry.changes for entry in entries), stage.now(), make.caller()) == shown_now(
            stage, make
        )
        last = entries[-1]
        if isinstance(decision, Unchanged | Refused) and last.outcome != "applied":
            assert last.changes.keys() <= COMPLETED
    assert [e for e in stage.history if e.actor == "user:ann" and e.type.startswith("timer.")] == []
