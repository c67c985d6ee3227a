"""The edit of a DID: texts at any time, features and carriers only while no user has the number."""

from typing import Any

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Unchanged
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.carriers import Carrier, carrier_id_of
from didflow_inventory.domain.holding import commands as c


def edit(make: Any, by: Any = None, **fields: Any) -> Any:
    """Return an edit."""
    return make.about(c.EditDid, by=by, edits=c.Edits(**fields))


def known_carrier(stage: Any, make: Any) -> Carrier:
    """Store a carrier that serves the account of the DID, and return it."""
    carrier = Carrier(
        carrier_id=carrier_id_of("c-2"), account="master", name="c-2", kind="both", created_at=make.zero
    )
    stage.store(carrier)
    return carrier


def test_only_the_given_fields_change(purchased: Any, make: Any) -> None:
    """A description is published, notes are not. The same again is unchanged."""
    purchased.decide(edit(make, description="Main", notes="Ask Ann", tags=("b", "a", "b")))
    holding = purchased.did.holding
    assert (holding.description, holding.notes, holding.tags) == ("Main", "Ask Ann", ("b", "a"))
    purchased.decide(edit(make, add_tags=("c", "a"), remove_tags=("b",)))
    assert purchased.did.holding.tags == ("a", "c")
    purchased.decide(edit(make, description=None))
    assert (purchased.did.holding.description, purchased.did.holding.notes) == (None, "Ask Ann")
    published = len(purchased.published("did.changed"))
    purchased.decide(edit(make, notes="Ask Bob"))
    assert len(purchased.published("did.changed")) == published
    assert isinstance(purchased.decide(edit(make, notes="Ask Bob")), Unchanged)
    assert purchased.history[-2].changes["notes"] == {"before": "Ask Ann", "after": "Ask Bob"}


@pytest.mark.parametrize("field", [{"features": ("voice_in",)}, {"carrier": "c-2"}, {"sms_carrier": "c-2"}])
def test_features_and_carriers_do_not_change_while_a_user_has_the_number(
    purchased: Any, make: Any, field: Any
) -> None:
    """The same values are no change, and texts change all the same."""
    known_carrier(purchased, make)
    purchased.change_did(user="u-1")
    assert purchased.code(edit(make, **field)) == "in_use"
    assert purchased.code(edit(make, carrier="simulator", description="x")) is None
    purchased.change_did(user=None)
    assert purchased.code(edit(make, **field)) is None


def test_a_holder_names_only_carriers_that_serve_its_account(purchased: Any, make: Any) -> None:
    """Foreign, unknown and deleted carriers are answered alike, and so is one for calls alone for messages."""
    carrier = known_carrier(purchased, make)
    assert purchased.code(edit(make, carrier="c-3")) == "carrier_unknown"
    for changes in ({"account": "other"}, {"deleted": True}):
        purchased.store(replace(carrier, **changes))
        assert purchased.code(edit(make, carrier="c-2")) == "carrier_unknown"
    purchased.store(replace(carrier, kind="voice"))
    assert purchased.code(edit(make, sms_carrier="c-2")) == "carrier_unknown"
    assert purchased.code(edit(make, carrier="c-2")) is None


def test_the_default_carrier_is_taken_where_none_is_given(purchased: Any, make: Any) -> None:
    """That of the nearest account above the holder. A carrier that the features do not need is dropped."""
    purchased.store(Account(path="master", name="m", default_carrier="c-9", created_at=make.zero))
    purchased.decide(edit(make, carrier=None))
    holding = purchased.did.holding
    assert (holding.carrier, holding.sms_carrier) == ("c-9", "simulator")
    purchased.decide(edit(make, features=("voice_in",)))
    assert (purchased.did.holding.carrier, purchased.did.holding.sms_carrier) == ("c-9", None)
    purchased.decide(edit(make, features=("voice_in", "sms_in")))
    assert (purchased.did.holding.carrier, purchased.did.holding.sms_carrier) == ("c-9", "c-9")


def test_a_number_has_at_most_a_hundred_tags(purchased: Any, make: Any) -> None:
    """More cannot be published."""
    purchased.decide(edit(make, tags=tuple(f"t{n}" for n in range(100))))
    assert purchased.code(edit(make, add_tags=("one more",))) == "too_many"


def test_a_number_can_be_edited_until_it_is_removed(purchased: Any, make: Any) -> None:
    """On hold and blocked too; a removed and a foreign one are absent."""
    for stock in ("porting_in", "blocked", "on_hold"):
        purchased.change_did(stock=stock)
        assert purchased.code(edit(make, description=stock)) is None
    assert purchased.code(edit(make, by=make.caller("other"), description="x")) == "not_found"
    purchased.change_did(stock="assigned")
    purchased.decide(make.removed())
    assert purchased.code(edit(make, description="x")) == "not_found"
