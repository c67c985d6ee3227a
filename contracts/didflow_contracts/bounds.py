"""The bounds of all values, one table. Events and HTTP take them from here. Source: spec events, Bounds.

Both ends of a range are allowed. A value outside its bounds is refused at the edge: an event becomes a dead letter
`invalid_data`, an HTTP request is answered 422 with code `out_of_range`, `too_short`, `too_long`, `too_few` or
`too_many`. What is computed from allowed values stays within the bounds (`instants.later`), so it can be stored,
published and read again.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, Generic, Protocol, TypeVar


class _Ordered(Protocol):
    def __lt__(self, other: Any, /) -> bool:
        """Return True if this value is lower."""
        ...

    def __le__(self, other: Any, /) -> bool:
        """Return True if this value is not higher."""
        ...


T = TypeVar("T", bound=_Ordered)


@dataclass(frozen=True)
class Range(Generic[T]):
    """The lowest and the highest allowed value, and what it is a range of."""

    least: T
    most: T
    of: str

    def __contains__(self, value: T) -> bool:
        """Return True if the value lies in the range."""
        return self.least <= value <= self.most

    def nearest(self, value: T) -> T:
        """Return the allowed value that is nearest to this one."""
        if value < self.least:
            return self.least
        return min(value, self.most)


INSTANT: Final = Range(datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC), "instants")
DAY: Final = Range(date(1970, 1, 1), date(2200, 1, 1), "dates that rules are looked up by")
BIRTH_DATE: Final = Range(date(1900, 1, 1), date(2200, 1, 1), "dates of birth")
DOCUMENT_DATE: Final = Range(date(1900, 1, 1), date(9999, 12, 31), "dates on documents")
"""A document that ends after the last instant has no end, as if it stated none."""

AMOUNT: Final = Range(
    Decimal(-1_000_000_000), Decimal(1_000_000_000), "amounts in the main unit of a currency"
)
"""It holds for what is charged: for a price, the setup, and the monthly amount times the months of a period."""
DECIMALS: Final = Range(0, 9, "decimal places of an amount; what is charged has those of its currency")

COUNT: Final = Range(0, 2_147_483_647, "counts, channels and seconds")
ORDINAL: Final = Range(1, 2_147_483_647, "positions and versions, counted from 1")
CYCLES: Final = Range(0, 999, "billing cycles")
PRIORITY: Final = Range(0, 65_535, "priorities and weights of trunks, as in DNS")
PORT: Final = Range(1, 65_535, "TCP ports")
HOLD_DAYS: Final = Range(1, 3_650, "days of a hold")
RING_TIME: Final = Range(1, 600, "seconds that a call may ring")

NAME: Final = Range(1, 255, "characters of a name, a code, an order number or another word")
TEXT: Final = Range(0, 2_000, "characters of a message, a reason, a description or a reference")
ATTRIBUTE: Final = Range(1, 1_024, "characters of an attribute of CloudEvents")
ACCOUNT_PATH: Final = Range(1, 512, "characters of the path of an account")
ACCOUNT_LEVELS: Final = Range(1, 16, "accounts of a path, from the root to the account itself")
STREET: Final = Range(1, 500, "characters of street lines")
POSTAL_CODE: Final = Range(0, 20, "characters of a postal code")
STATED_VALUE: Final = Range(1, 500, "characters of a value that a document states")
SAMPLE_MESSAGE: Final = Range(1, 1_600, "characters of a sample message: ten SMS")
NUMBER_LIST: Final = Range(0, 40_000, "characters of a list of numbers or ids in a query")

ITEMS: Final = Range(0, 100, "items of a list inside an event or a body")
STATED_VALUES: Final = Range(0, 20, "values that a document states")
SAMPLE_MESSAGES: Final = Range(1, 5, "sample messages of a campaign")
REASONS: Final = Range(1, 100, "reasons of a rejection")
GROUP_TRUNKS: Final = Range(1, 50, "trunks of a group; each has its endpoint and at most one failover")
BATCH: Final = Range(1, 1_000, "things in one request")

BOUNDS: Final[tuple[Range[Any], ...]] = tuple(
    each for each in list(globals().values()) if isinstance(each, Range)
)
"""The whole table."""
