"""A purchase that names no price: what it costs by the price list, and what happens without a row."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_billing.domain.prices.quote import quote_price
from didflow_billing.domain.prices.row import PriceSeries
from didflow_chassis.decision import Refused

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def charged(billing: Any) -> list[tuple[str, str, str]]:
    """Return the entries of the ledger: kind, amount and currency."""
    return [(entry.kind, str(entry.amount), entry.currency) for entry in billing.ledger]


def test_a_purchase_without_a_price_is_charged_by_the_list(billing: Any, make: Any) -> None:
    """The term keeps the price: a later row changes no renewal."""
    billing.process(make.set_price("master", "9", "9"))
    billing.process(make.set_price("master/acme", "1.00", "2.50"))
    billing.receive(make.purchased(price=None, billing_period=3), make.did_changed())
    assert billing.topics() == ["term.changed", "ledger.posted", "ledger.posted"]
    assert charged(billing) == [("setup", "1.00", "EUR"), ("recurring", "7.50", "EUR")]
    billing.process(make.set_price("master/acme", "4", "4", since=make.zero + SECOND))
    billing.receive(make.registration("not_required"))
    billing.run_timers(billing.term.expires_at)
    assert charged(billing)[2:] == [("renewal", "7.50", "EUR")]


@pytest.mark.parametrize(
    ("price", "amounts"),
    [
        (("10.5", "99.5", "JPY"), ["11", "299"]),
        (("0.0005", "1.2345", "KWD"), ["0.001", "3.704"]),
        (("0", "0.005", "EUR"), ["0.00", "0.02"]),
    ],
)
def test_charges_are_rounded_to_the_minor_unit_after_multiplication(
    billing: Any, make: Any, price: tuple[str, str, str], amounts: list[str]
) -> None:
    """The yen has no minor unit, and the Kuwaiti dinar has three decimal places. Halves are rounded up."""
    setup, recurring, currency = price
    billing.process(make.set_price("master", setup, recurring, currency=currency))
    billing.process(make.purchased(price=None, billing_period=3))
    assert [str(entry.amount) for entry in billing.ledger] == amounts


def test_the_row_in_force_at_the_purchase_is_taken_however_late_the_event_comes(
    billing: Any, make: Any
) -> None:
    """A row is in force from its instant on, inclusive. The instant is that of the purchase, not of the event."""
    for n, at in enumerate((make.zero - DAY, make.zero, make.zero + SECOND), start=1):
        billing.process(make.set_price("master", "0", str(n), since=at))
    billing.process(make.purchased(make.zero + DAY, price=None, purchased_at=make.zero))
    assert [str(entry.amount) for entry in billing.ledger] == ["0.00", "2.00"]


def test_without_a_row_the_did_is_removed(billing: Any, make: Any) -> None:
    """Nothing is charged, and what comes later about the DID changes nothing, also a purchase and a new row."""
    purchase = make.purchased(price=None)
    billing.process(make.set_price("master", "1", "1", since=make.zero + SECOND))
    billing.process(purchase)
    assert billing.topics() == ["term.changed", "did.removed"]
    (changed,), (removed,) = billing.published_data("term.changed"), billing.published_data("did.removed")
    assert (changed.state, changed.reason) == ("closed", "closed")
    assert (removed.reason, removed.refunded) == ("no_price", False)
    billing.process(make.set_price("master", "1", "1"))
    billing.receive(make.again(purchase), make.did_changed(), make.registration("approved"))
    billing.receive(make.purchase_refused(), make.withdrawn())
    assert (billing.term.state, billing.ledger, len(billing.published())) == ("closed", [], 2)


@pytest.mark.parametrize("acquired", ["assigned", "package", "external", "ported_in"])
def test_other_ways_to_get_a_number_are_never_looked_up(billing: Any, make: Any, acquired: str) -> None:
    """The term is `none`, although there is a price for every number."""
    billing.process(make.set_price("master", "1", "1"))
    billing.process(make.purchased(price=None, acquired=acquired, source="/didflow/inventory"))
    assert (billing.term.state, billing.term.price, billing.ledger) == ("none", None, [])


def test_a_named_price_is_not_looked_up(billing: Any, make: Any) -> None:
    """It counts in place of the list's."""
    billing.process(make.set_price("master", "9", "9"))
    billing.process(make.purchased())
    assert [str(entry.amount) for entry in billing.ledger] == ["3.00", "5.00"]


@pytest.mark.parametrize("has_row", [True, False])
def test_a_purchase_after_the_start_of_a_porting_is_looked_up(billing: Any, make: Any, has_row: bool) -> None:
    """Its term was `none`. Without a row the DID is removed."""
    if has_row:
        billing.process(make.set_price("master", "1", "2"))
    billing.process(make.porting_started())
    billing.process(make.purchased(price=None))
    assert billing.term.state == ("active" if has_row else "closed")
    assert billing.topics()[-1] == ("ledger.posted" if has_row else "did.removed")


def test_the_country_that_a_purchase_states_does_not_change_its_price(billing: Any, make: Any) -> None:
    """The country is that of the number. Inventory refuses a contradiction."""
    billing.process(make.set_price("master", "1", "1", country="IE"))
    billing.process(make.set_price("master", "0", "0", country="GB"))
    billing.process(make.purchased(price=None, country="GB"))
    assert [str(entry.amount) for entry in billing.ledger] == ["1.00", "1.00"]


def test_a_quote_from_the_list_equals_what_the_purchase_is_charged(billing: Any, make: Any) -> None:
    """It holds for each length of a period. Where there is no row, the quote says so."""
    read = lambda key: billing.state(PriceSeries, key)  # noqa: E731
    quote = quote_price(make.number, make.account, 6, read, make.zero)
    assert isinstance(quote, Refused)
    assert quote.code == "no_price"
    billing.process(make.set_price("master", "1.005", "0.334", number_type="local"))
    quoted = quote_price(make.number, make.account, 6, read, make.zero)
    billing.process(make.purchased(price=None, billing_period=6))
    assert not isinstance(quoted, Refused)
    assert str(quoted.charge.amount) == billing.bill() == "3.01"
