"""The world of a random history of terms: numbers, accounts, callers, prices, and the instants at which it begins."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from didflow_chassis.decision import Caller
from didflow_contracts.ids import derived_id

NUMBERS: Final = ("+35319609036", "+35319609037", "+442079460124")
OTHER_NUMBER: Final = "+35319609099"
"""A number that is never sold under its own id."""

BUYER: Final = "master/acme"
ACCOUNTS: Final = (BUYER, "master/acme/shop", "master/globex")
"""The accounts that hold a DID. The first one has bought it."""

OPERATOR: Final = Caller(subject="olga", account="", role="operator")
CALLERS: Final = (
    *(Caller(subject="ann", account=BUYER, role="reseller"),) * 8,
    OPERATOR,
    Caller(subject="mia", account="master", role="master_reseller"),
    Caller(subject="sam", account="master/acme/shop", role="enterprise_admin"),
    Caller(subject="gus", account="master/globex", role="reseller"),
    Caller(subject="al", account="master/acm", role="reseller"),
)
"""Callers of the buyer, above it, below it and beside it. The last account is only the beginning of another name."""

STARTS: Final = (
    datetime(2026, 1, 31, 12, 30, tzinfo=UTC),
    datetime(2027, 11, 29, 23, 59, 59, tzinfo=UTC),
    datetime(2028, 2, 29, tzinfo=UTC),
    datetime(2026, 12, 30, 0, 0, 1, 500_000, tzinfo=UTC),
)
"""Ends of months, before and in a leap year."""

AMOUNTS: Final = (
    ("EUR", "3.00", "5.00"),
    ("EUR", "0", "0.335"),
    ("EUR", "1.005", "4.999999999"),
    ("JPY", "99.5", "100.4999"),
    ("JPY", "300", "0"),
    ("KWD", "0.0005", "1.2345"),
    ("EUR", "0.01", "200000000.01"),
)
"""Currency, setup and monthly amount. Six months of the last one cost more than is allowed; three do not."""

LISTED: Final = (
    ("master", "*", "*", 1, "EUR", "1.00", "2.345"),
    ("master", "IE", "*", 2, "JPY", "10", "99.5"),
    (BUYER, "*", "*", 5, "EUR", "2", "3"),
    (BUYER, "*", "mobile", -400, "EUR", "0", "0"),
    (BUYER, "GB", "*", -10, "EUR", "5", "7"),
    (BUYER, "GB", "local", 20, "KWD", "0.1", "0.3335"),
    ("master/globex", "*", "*", -400, "EUR", "9", "9"),
)
"""The price list: account, country, number type, days after the beginning, currency, setup and monthly amount.

A purchase that is earlier than the first fitting row has no price.
"""

SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)
LONG: Final = 400 * DAY
LONGEST: Final = 1_800 * DAY
"""No time passes after this. So no DID has more due timers than one transaction settles."""


@dataclass(frozen=True)
class Life:
    """One life of a number."""

    slot: int
    count: int

    @property
    def number(self) -> str:
        """The number."""
        return NUMBERS[self.slot]

    @property
    def did_id(self) -> UUID:
        """The id of the DID."""
        return derived_id("history", self.number, str(self.count))


def price_of(index: int | None) -> dict[str, Any] | None:
    """Return a price as a purchase names it, or None if it names none."""
    if index is None:
        return None
    currency, setup, recurring = AMOUNTS[index % len(AMOUNTS)]
    return {
        "setup": {"amount": setup, "currency": currency},
        "recurring": {"amount": recurring, "currency": currency},
    }


def builder_of(life: Life, messages: Any) -> Any:
    """Return what builds the messages about one DID."""
    made = messages()
    made.did, made.number = life.did_id, life.number
    return made
