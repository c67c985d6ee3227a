"""Ledger entries."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from didflow_billing.domain.ledger import charge
from didflow_billing.domain.term import Term
from didflow_contracts.ids import uuid7
from didflow_contracts.money import Money

AT = datetime(2030, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize("amount", ["1.5", "1.50", "-1.50", "0.000000001", "0", "0.00"])
def test_the_money_of_an_entry_keeps_its_digits(amount: str) -> None:
    """Equal amounts with different digits, such as 1.5 and 1.50, are not mixed up."""
    money = Money(amount=Decimal(amount), currency="EUR")
    term = Term(did_id=uuid7(), number="+35312345678", account="master", payer="master")
    _, entry = charge(term, "setup", money, AT)
    assert entry.money.model_dump(mode="json") == {"amount": amount, "currency": "EUR"}
