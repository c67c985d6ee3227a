"""The listing of a DID is computed from its holding and its views. It cannot be set, and no field can be left out."""

from dataclasses import replace as copy_of
from typing import Any

import pytest
from msgspec import NODEFAULT, structs

from didflow_inventory.domain.did import Did
from didflow_inventory.domain.my_numbers import listing
from didflow_inventory.domain.my_numbers.listing import FILTERS, Listing, listing_of
from didflow_inventory.store.tables import DIDS


@pytest.mark.parametrize("name", Listing.__struct_fields__)
def test_a_forgotten_field_is_an_error(purchased: Any, name: Any) -> None:
    """No field has a default, so a column that nobody computes is never False or null."""
    values = structs.asdict(purchased.did.listing)
    del values[name]
    with pytest.raises(TypeError, match=f"Missing required argument '{name}'"):
        Listing(**values)


def test_a_quick_filter_without_a_rule_is_an_error(purchased: Any, monkeypatch: Any) -> None:
    """It does not count as a filter that never matches."""
    holding = structs.replace(purchased.did.holding, features=("voice_out", "emergency"))
    rules = {name: holds for name, holds in listing.QUICK_FILTERS.items() if name != "porting"}
    monkeypatch.setattr(listing, "QUICK_FILTERS", rules)
    listing.matches_of.cache_clear()
    with pytest.raises(KeyError, match="porting"):
        listing_of(holding, purchased.did.views)
    listing.matches_of.cache_clear()


def test_every_quick_filter_has_a_field() -> None:
    """Queries filter and count by these columns."""
    assert {name for name in Listing.__struct_fields__ if name.startswith("in_")} == {
        f"in_{name}" for name in FILTERS
    }
    assert {field.default for field in structs.fields(Listing)} == {NODEFAULT}


def test_every_column_of_the_table_has_a_field() -> None:
    """No column of My Numbers is left null because nobody computes it."""
    assert set(DIDS.columns) == set(DIDS.table.c.keys())


def test_the_constructor_of_a_did_computes_the_listing(purchased: Any) -> None:
    """Nobody can pass one, neither to a new DID nor to a copy."""
    did = purchased.did
    with pytest.raises(TypeError, match="unexpected keyword argument 'listing'"):
        Did(holding=did.holding, views=did.views, listing=did.listing)
    with pytest.raises(ValueError, match="init=False"):
        copy_of(did, listing=did.listing)


def test_a_changed_holding_or_view_changes_the_listing(purchased: Any) -> None:
    """A copy of a DID has the listing of its own parts."""
    did = purchased.did
    blocked = copy_of(did, holding=structs.replace(did.holding, stock="blocked"))
    assert (did.listing.status, blocked.listing.status) == ("awaiting_registration", "blocked")
    canceled = copy_of(
        did, views=structs.replace(did.views, term=structs.replace(did.views.term, state="canceled"))
    )
    assert (canceled.listing.status, canceled.listing.in_terminated) == ("terminated", True)
