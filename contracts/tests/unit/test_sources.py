"""Registered sources: who may say what from outside."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from didflow_contracts.envelope import BadEvent, Event, check_times, decode
from didflow_contracts.events import EVENT_TYPES
from didflow_contracts.sources import OPEN, RegisteredSource, Sources, read_sources

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ACME = {"prefix": "/orders/acme", "kind": "order_system", "accounts": ["master/acme"]}
ADAPTER = {"prefix": "/carriers/blue", "kind": "adapter", "carriers": ["blue"]}


def registered(*sources: dict[str, Any], unregistered: Any = "closed") -> Sources:
    return Sources(read_sources(orjson.dumps(sources)), unregistered=unregistered)


def decoded(purchase: dict[str, Any], sources: Sources, topic: str | None = "did.purchased") -> Event[Any]:
    return decode(orjson.dumps(purchase), [], types=EVENT_TYPES, topic=topic, sources=sources)


def refused(purchase: dict[str, Any], sources: Sources, topic: str | None = "did.purchased") -> str:
    with pytest.raises(BadEvent) as raised:
        decoded(purchase, sources, topic)
    return raised.value.code


@pytest.fixture
def purchase(purchase: dict[str, Any]) -> dict[str, Any]:
    """Return a purchase of the order system acme for its own account."""
    purchase["data"]["account"] = "master/acme/shop"
    return purchase | {"source": "/orders/acme"}


def test_a_registered_order_system_buys_for_the_accounts_of_its_subtrees(purchase: dict[str, Any]) -> None:
    """An account above, beside, or with a name that only begins alike is not in the subtree."""
    sources = registered(ACME | {"may_set_prices": True})
    assert decoded(purchase, sources).registered == sources.registered[0]
    for account in ("master", "master/other", "master/acme-2", "master/acm"):
        purchase["data"]["account"] = account
        assert refused(purchase, sources) == "unexpected_source"


def test_an_order_system_without_the_right_to_set_prices_names_none(purchase: dict[str, Any]) -> None:
    """The price of a purchase is a right of its source."""
    assert refused(purchase, registered(ACME)) == "price_not_allowed"


@pytest.mark.parametrize("sources", [registered(ACME), registered(ACME | {"may_set_prices": True}), OPEN])
def test_a_purchase_from_outside_needs_no_price(purchase: dict[str, Any], sources: Sources) -> None:
    """The price is then that of the price list, whether its source may set prices or not."""
    del purchase["data"]["price"]
    assert decoded(purchase, sources).data.price is None


def test_an_order_system_without_the_right_to_set_prices_names_none_for_a_porting(
    purchase: dict[str, Any],
) -> None:
    """The price of a number that is ported in is a right of its source too."""
    porting = purchase | {"type": "didflow.did.porting_started.v1"}
    assert refused(porting, registered(ACME), "did.porting_started") == "price_not_allowed"


@pytest.mark.parametrize("acquired", ["assigned", "package"])
def test_a_registered_order_system_takes_no_number_out_of_stock_for_nothing(
    purchase: dict[str, Any], acquired: str
) -> None:
    """Hand-outs and picks have no price. Inventory decides and publishes them."""
    purchase["data"] |= {"acquired": acquired, "price": None}
    assert refused(purchase, registered(ACME | {"may_set_prices": True})) == "unexpected_source"
    ours = purchase | {"source": "/didflow/inventory"}
    assert decoded(ours, registered(ACME), "inventory.did.purchased").data.acquired == acquired


def test_a_source_below_a_registered_one_is_covered_by_the_longest_prefix(purchase: dict[str, Any]) -> None:
    """`/orders/acme-2` is not below `/orders/acme`."""
    shop = ACME | {"prefix": "/orders/acme/shop", "accounts": ["master/acme/shop"], "may_set_prices": True}
    sources = registered(ACME | {"may_set_prices": True}, shop)
    found = {name: sources.of(name) for name in ("/orders/acme/shop/eu", "/orders/acme/x", "/orders/acme-2")}
    assert [source and source.prefix for source in found.values()] == [
        "/orders/acme/shop",
        "/orders/acme",
        None,
    ]
    purchase["source"] = "/orders/acme-2"
    assert refused(purchase, sources) == "unexpected_source"


def test_an_unregistered_source_may_say_everything_or_nothing(purchase: dict[str, Any]) -> None:
    """`open` is for development, `closed` for production."""
    assert refused(purchase, registered()) == "unexpected_source"
    assert decoded(purchase, OPEN).registered is None


def test_a_registered_source_of_another_kind_may_not_publish_purchases(purchase: dict[str, Any]) -> None:
    """Its prefix already keeps it from the topic; so does its kind."""
    purchase["source"] = "/carriers/blue"
    assert refused(purchase, registered(ADAPTER)) == "unexpected_source"


@pytest.mark.parametrize(
    "source", ["/didflow/inventory", "/didflow/billing", "/didflow/x", "/didflow/inventory/x"]
)
def test_nobody_poses_as_a_service_on_a_topic_of_outsiders(purchase: dict[str, Any], source: str) -> None:
    """Who may write the topic could otherwise say everything in the name of inventory."""
    assert refused(purchase | {"source": source}, OPEN) == "unexpected_source"
    assert refused(purchase | {"source": source, "sequence": "900"}, OPEN) == "unexpected_source"


def test_an_order_system_is_not_heard_on_the_topic_of_inventory(purchase: dict[str, Any]) -> None:
    """The broker's access rules say the same; this holds without them."""
    assert refused(purchase, OPEN, "inventory.did.purchased") == "unexpected_source"
    ours = decoded(purchase | {"source": "/didflow/inventory"}, registered(), "inventory.did.purchased")
    assert ours.source == "/didflow/inventory"


def test_the_actor_of_an_outside_event_is_only_claimed(purchase: dict[str, Any]) -> None:
    """That of a didflow service is trusted."""
    event = decoded(purchase | {"actor": "user:boss"}, OPEN)
    assert (event.actor, event.claimed_actor) == (None, "user:boss")
    ours = decoded(purchase | {"actor": "user:boss", "source": "/didflow/inventory"}, OPEN, None)
    assert (ours.actor, ours.claimed_actor) == ("user:boss", None)


def test_the_instants_of_an_outside_event_lie_within_the_bounds_of_its_source(
    purchase: dict[str, Any],
) -> None:
    """At most one day ahead, and 400 days back unless its registration says otherwise."""
    sources = registered(ACME | {"may_set_prices": True, "backdate_days": 30})
    for days, policy, fits in (
        (-400, OPEN, True),
        (-401, OPEN, False),
        (-30, sources, True),
        (-31, sources, False),
        (1, sources, True),
        (2, OPEN, False),
    ):
        at = (NOW + timedelta(days=days)).isoformat()
        for early in (
            {"time": at},
            {"data": purchase["data"] | {"purchased_at": at}, "time": NOW.isoformat()},
        ):
            event = decoded(purchase | early, policy)
            if fits:
                check_times(event, NOW)
            else:
                with pytest.raises(BadEvent, match="invalid_data"):
                    check_times(event, NOW)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (ACME | {"prefix": "/carriers/acme"}, "must begin with /orders/"),
        (ACME | {"prefix": "/orders/acme/"}, "0.prefix: The text does not have"),
        (ACME | {"accounts": []}, "needs accounts"),
        (ACME | {"carriers": ["blue"]}, "has no carriers"),
        (ADAPTER | {"carriers": []}, "needs carriers"),
        (ADAPTER | {"may_set_prices": True}, "Only an order system"),
        (ACME | {"backdate_days": -1}, "greater than or equal to 0"),
        (ACME | {"may_set_price": True}, "Extra inputs"),
        (ACME | {"accounts": ["Master"]}, "0.accounts.0: An account must be"),
    ],
)
def test_a_wrong_registration_is_refused(source: dict[str, Any], problem: str) -> None:
    """A typing error never opens a door."""
    with pytest.raises(ValueError, match=problem):
        registered(source)


def test_a_prefix_is_registered_once() -> None:
    """Which of the two would count?"""
    with pytest.raises(ValueError, match="registered twice"):
        registered(ACME, ACME)


@given(st.text(max_size=30))
def test_a_source_is_covered_only_by_a_prefix_of_whole_segments(name: str) -> None:
    """Whatever follows the prefix."""
    source = RegisteredSource.model_validate(ACME)
    assert source.covers(f"/orders/acme{name}") == (not name or name.startswith("/"))
