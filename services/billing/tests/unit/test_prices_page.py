"""The example of the page about the price list is what billing decides."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from didflow_contracts.ids import derived_id

PAGE = (Path(__file__).parents[4] / "docs" / "prices.md").read_text()
NUMBERS = {"IE": "+35319609036", "GB": "+442071940000"}


def cells(heading: str) -> list[list[str]]:
    """Return the rows of the table whose header starts with this heading."""
    rows = PAGE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def day(text: str) -> datetime:
    """Return the beginning of a day."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("case", cells("buyer"), ids=lambda case: " ".join(case[:3]))
def test_a_purchase_of_the_page_takes_the_row_that_the_page_names(
    billing: Any, make: Any, case: list[str]
) -> None:
    """Without a row, the DID is removed."""
    amounts = {"none": []}
    for name, account, country, number_type, since, amount in cells("row"):
        price = amount.removesuffix(" EUR")
        amounts[name] = ["0.00", price]
        billing.process(
            make.set_price(account, "0", price, country=country, number_type=number_type, since=day(since))
        )
    buyer, kind, at, row, _ = case
    country, number_type = kind.split()
    changes = {"account": buyer, "number": NUMBERS[country], "number_type": number_type, "price": None}
    billing.process(make.purchased(day(at), did_id=derived_id("page", buyer), **changes))
    assert [str(entry.amount) for entry in billing.ledger] == amounts[row]
    assert [event.reason for event in billing.published_data("did.removed")] == ["no_price"] * (row == "none")
