"""Examples of the routes of the ledger, of balances and of invoices in the OpenAPI document.

The entries are real ones: of a purchase, and of one that was refused the next day.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from msgspec.structs import asdict, replace

from didflow_billing.api.examples import ACCOUNT, BOUGHT, PRICE, PURCHASED, options
from didflow_billing.api.responses import ENTRY_COLUMNS, balance_of_row, entry_cells, entry_of_row
from didflow_billing.domain.ledger import LedgerEntry, charge, refund
from didflow_billing.domain.periods import charge_period, start_period
from didflow_billing.domain.term import Term
from didflow_chassis.http.csv_export import MEDIA_TYPE as CSV
from didflow_chassis.http.csv_export import csv_text
from didflow_chassis.http.jsonl_export import MEDIA_TYPE as JSON_LINES
from didflow_chassis.http.jsonl_export import jsonl_text

_REFUSED_AT: Final = BOUGHT + timedelta(hours=20)
_WRITTEN: Final = timedelta(milliseconds=40)
"""How long after its instant an entry of the examples was written."""

_OTHER: Final = replace(
    PURCHASED,
    did_id=UUID("01932f6e-5c4b-7a10-8c3e-2f6d1b7a9e11"),
    number="+35319609037",
    order_id="o-2",
    accepted=False,
)


def _charged(term: Term) -> tuple[Term, tuple[LedgerEntry, ...]]:
    """Return the term and the entries of a purchase."""
    with_setup, setup = charge(term, "setup", PRICE.setup.rounded(), BOUGHT)
    started, first = charge_period(start_period(with_setup, 1, BOUGHT), "recurring", BOUGHT, start=BOUGHT)
    return started, (setup, first)


def _entries() -> Iterator[LedgerEntry]:
    yield from _charged(PURCHASED)[1]
    refused, charges = _charged(_OTHER)
    yield from charges
    yield from refund(refused, _REFUSED_AT)[1]


_ROWS: Final[Sequence[Mapping[str, Any]]] = [
    {**asdict(entry), "recorded_at": entry.posted_at + _WRITTEN} for entry in _entries()
]
"""The entries as rows of the ledger."""


def _page(*items: Mapping[str, Any]) -> dict[str, Any]:
    return {"items": list(items), "next": None}


def _balance(charged: str, refunded: str, **about: Any) -> dict[str, Any]:
    sums = {"charged": Decimal(charged), "refunded": Decimal(refunded)}
    return balance_of_row({**about, "currency": "EUR", **sums})


def _of_january(rows: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (row for row in rows if row["recorded_at"].month == BOUGHT.month)


LEDGER: Final = options({}, {"a_purchase_and_a_refused_one": _page(*map(entry_of_row, _ROWS))})
LEDGER_CSV: Final = options(
    {}, {"a_purchase_and_a_refused_one": csv_text(ENTRY_COLUMNS, map(entry_cells, _ROWS))}, media_type=CSV
)
BALANCES: Final = options(
    {},
    {
        "by_account": _page(_balance("16.00", "8.00", account=ACCOUNT)),
        "by_order": _page(
            _balance("8.00", "0", account=ACCOUNT, order_id="o-1"),
            _balance("8.00", "8.00", account=ACCOUNT, order_id="o-2"),
        ),
        "by_did": _page(
            *(
                _balance("8.00", refunded, account=ACCOUNT, did_id=str(term.did_id))
                for term, refunded in ((PURCHASED, "0"), (_OTHER, "8.00"))
            )
        ),
    },
)
INVOICE_CSV: Final = options(
    {}, {"january": csv_text(ENTRY_COLUMNS, map(entry_cells, _of_january(_ROWS)))}, media_type=CSV
)
INVOICE_LINES: Final = options(
    {}, {"january": jsonl_text(map(entry_of_row, _of_january(_ROWS)))}, media_type=JSON_LINES
)
