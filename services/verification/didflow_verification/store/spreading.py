"""Rows that tell of a change and, by the statement that writes them, make every living DID concerned due.

The lock of what changed keeps new DIDs out of it; the clock then takes them one by one.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from didflow_chassis.states import Kind

S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class Spreading(Kind[S]):
    """An append-only kind; `spread` inserts what follows from the rows just `written`."""

    append_only: bool = True
    spread: str

    @cached_property
    def save_sql(self) -> str:
        """Insert the rows and what follows from them."""
        insert = super().save_sql
        return f"WITH written AS ({insert} RETURNING *), spread AS ({self.spread}) SELECT FROM written"


def rechecking(concerned: str) -> str:
    """Insert a recheck of those that a query selects (did_id, number, due_at, revoked, 1); who is due stays due."""
    return f"""
INSERT INTO rechecks AS t (did_id, number, due_at, revoked, version) {concerned}
ON CONFLICT (did_id) DO UPDATE SET due_at = LEAST(t.due_at, excluded.due_at),
    revoked = COALESCE(excluded.revoked, t.revoked), version = t.version + 1
"""
