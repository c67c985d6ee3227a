"""Rows are added to the price list: by whom, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_billing.api.bodies import PriceBody
from didflow_billing.domain.prices.changes import set_price
from didflow_billing.domain.prices.row import MAX_ROWS, DatedPrice, PriceRow, PriceSeries
from didflow_chassis.decision import Caller, Decided, Refused, Unchanged

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("by", "account", "code"),
    [
        ("operator:root", "master", None),
        ("operator:root", "master/acme/shop", None),
        ("master_reseller:master", "master/acme", None),
        ("master_reseller:master", "master/acme/shop", None),
        ("master_reseller:master", "master", "own_account"),
        ("reseller:master/acme", "master/acme/shop", None),
        ("reseller:master/acme", "master/acme", "own_account"),
        ("reseller:master/acme", "master", "not_found"),
        ("reseller:master/acme", "master/acme-2", "not_found"),
    ],
)
def test_no_account_sets_the_prices_that_it_pays(
    billing: Any, make: Any, by: str, account: str, code: str | None
) -> None:
    """A caller adds rows below its own account. Only an operator adds them for every account."""
    role, _, own = by.partition(":")
    command = make.set_price(account, "1", "2", caller=Caller(subject="ann", account=own, role=role))
    decision = billing.process(command)
    assert (decision.code if isinstance(decision, Refused) else None) == code
    assert len(billing.rows(PriceRow)) == (code is None)


def test_a_row_is_never_changed(billing: Any, make: Any) -> None:
    """The same row again is unchanged, and another price from the same instant on is refused."""
    first = billing.process(make.set_price("master", "1.00", "2"))
    again = billing.process(make.set_price("master", "1", "2.00"), make.zero + DAY)
    assert isinstance(again, Unchanged)
    assert again.answer == first.answer
    for other in (make.set_price("master", "1", "3"), make.set_price("master", "1", "2", currency="USD")):
        assert billing.process(other).code == "price_exists"
    assert len(billing.rows(PriceRow)) == 1


def test_a_row_says_what_it_replaces_and_what_replaces_it(billing: Any, make: Any) -> None:
    """Rows can be added in any order. Those of other countries are other series."""
    billing.process(make.set_price("master", "1", "1", since=make.zero - DAY))
    billing.process(make.set_price("master", "3", "3", since=make.zero + DAY))
    billing.process(make.set_price("master", "9", "9", country="IE"))
    answer = billing.process(make.set_price("master", "2", "2")).answer
    assert str(answer.replaces.recurring.amount) == "1"
    assert answer.effective_until == make.zero + DAY
    series = billing.state(PriceSeries, "master|*|*")
    assert [str(each.price.setup.amount) for each in series.prices] == ["1", "2", "3"]


def test_a_series_has_a_limit(make: Any) -> None:
    """Each purchase reads whole series."""
    command = make.set_price("master", "1", "1", since=make.zero - DAY)
    rows = tuple(
        DatedPrice(
            effective_from=make.zero + timedelta(seconds=n),
            price=command.price,
            recorded_at=make.zero,
            recorded_by="user:ann",
        )
        for n in range(MAX_ROWS)
    )
    full = PriceSeries(key="master|*|*", account="master", country="*", number_type="*", prices=rows)
    refused = set_price(full, command, make.zero)
    assert isinstance(refused, Refused)
    assert refused.code == "price_limit"
    below = PriceSeries(key="master|*|*", account="master", country="*", number_type="*", prices=rows[1:])
    assert isinstance(set_price(below, command, make.zero), Decided)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, None),
        ({"recurring": {"amount": "83333333.33", "currency": "EUR"}}, None),
        ({"recurring": {"amount": "83333333.34", "currency": "EUR"}}, "recurring"),
        (
            {
                "setup": {"amount": "0", "currency": "KWD"},
                "recurring": {"amount": "83333333.3334", "currency": "KWD"},
            },
            "recurring",
        ),
        ({"setup": {"amount": "1000000000", "currency": "EUR"}}, None),
        ({"setup": {"amount": "1000000000.1", "currency": "EUR"}}, "setup"),
        ({"setup": {"amount": "-0.01", "currency": "EUR"}}, "setup"),
        ({"setup": {"amount": "1", "currency": "USD"}}, "setup"),
        ({"setup": {"amount": "1", "currency": "XYZ"}}, "setup"),
        ({"country": "ie"}, "country"),
        ({"country": "**"}, "country"),
        ({"number_type": "pager"}, "number_type"),
        ({"effective_from": "2300-01-01T00:00:00Z"}, "effective_from"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_every_period_of_a_row_costs_an_allowed_amount(changes: dict[str, Any], wrong: str | None) -> None:
    """What twelve months cost is within the bounds in the minor unit of the currency. Amounts are not negative."""
    money = {"amount": "2.50", "currency": "EUR"}
    body = {
        "account": "master",
        "country": "*",
        "number_type": "*",
        "effective_from": "2026-03-01T00:00:00Z",
        "setup": money,
        "recurring": money,
    }
    try:
        PriceBody.model_validate(body | changes)
        found = None
    except ValueError as error:
        found = str(error)
    assert (found is None) == (wrong is None)
    assert wrong is None or wrong in (found or "")
