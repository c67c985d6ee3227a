"""The totals of billing against the sums of its ledger. Both are in one database, so every difference is certain.

The database adds up the ledger once for each table of totals, and returns only what differs. Source: spec billing,
Balances.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from didflow.consistency.codes import Disagreement
from didflow.consistency.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class _Totals:
    """A table of totals: what its totals are of, the column of their span of time, and how stripes are added up.

    The function `<table>_of_ledger()` of the database returns what the totals must be.
    """

    table: str
    about: Sequence[str]
    span: str
    sums: Mapping[str, str]

    @property
    def statement(self) -> str:
        """The statement that selects one row for each thing with a wrong total, the longest span first; $1 how many."""
        about, keys = ", ".join(self.about), ", ".join((*self.about, self.span))
        added = ", ".join(f"{function}({name}) AS {name}" for name, function in self.sums.items())
        kept, right = (", ".join(f"{side}.{name}" for name in self.sums) for side in ("kept", "of_ledger"))
        return f"""
SELECT DISTINCT ON ({about}) {about}, {self.span}::text AS span, count(*) OVER (PARTITION BY {about}) AS wrong,
    kept.charged AS kept_charged, kept.refunded AS kept_refunded, of_ledger.charged, of_ledger.refunded
FROM {self.table}_of_ledger() AS of_ledger FULL JOIN (
    SELECT {keys}, {added} FROM {self.table} GROUP BY {keys}
) AS kept USING ({keys})
WHERE ({kept}) IS DISTINCT FROM ({right}) ORDER BY {about}, {self.span} DESC LIMIT $1
"""  # noqa: S608


_ADDED: Final = {"charged": "sum", "refunded": "sum"}
_TABLES: Final = (
    _Totals(
        table="account_totals",
        about=("account", "currency"),
        span="period",
        sums=_ADDED | {"first_at": "min", "last_at": "max"},
    ),
    _Totals(table="order_totals", about=("account", "order_id", "currency"), span="day", sums=_ADDED),
)


async def wrong_totals(found: Snapshot, most: int) -> list[Disagreement]:
    """Return the accounts and orders with a total that is not the sum of its entries; at most `most` of each."""
    if "billing" not in found.connections:
        return []
    return [
        _disagreement(totals, row)
        for totals in _TABLES
        for row in await found.fetch("billing", totals.statement, most)
    ]


def _disagreement(totals: _Totals, row: Any) -> Disagreement:
    about = ", ".join(f"{name} {row[name]}" for name in totals.about)
    kept, right = _text(row["kept_charged"], row["kept_refunded"]), _text(row["charged"], row["refunded"])
    return Disagreement(
        code="totals_differ",
        did_id=None,
        number="",
        service="billing",
        detail=f"{about}: {row['wrong']} totals differ. That of {row['span']} is {kept}, by the ledger {right}",
        certain=True,
    )


def _text(charged: Any, refunded: Any) -> str:
    return "missing" if charged is None else f"{charged} charged, {refunded} refunded"
