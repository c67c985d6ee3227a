"""The reads of the changes of DIDs: by one reader for all streams, and within the reach of a caller."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from didflow_chassis.commit_order import (
    HORIZON,
    TRANSACTION,
    Place,
    is_after,
    is_until,
    place_order,
    written_at,
)
from didflow_chassis.commit_order import next_rows as settled_rows
from didflow_chassis.decision import Caller
from didflow_chassis.http.follower import End, Row, Rows
from didflow_chassis.tenancy import within
from didflow_inventory.domain.my_numbers.change import DidChange, Users
from didflow_inventory.store.tables import DID_CHANGES, did_changes, users

MAX_ROWS: Final = 1_000
"""How many changes the reader of all streams reads by one statement."""


def next_rows(place: Place | None) -> sa.Select[Any]:
    """Select the next changes of all accounts behind a place. `rows_of` reads the result."""
    return settled_rows(did_changes, place, MAX_ROWS)


def rows_of(found: Sequence[Any]) -> Rows[DidChange]:
    """Return what `next_rows` has selected."""
    rows = [row_of(each) for each in found if each[TRANSACTION] is not None]
    is_all = len(rows) < MAX_ROWS
    last = found[-1]
    end = End(Place(last[HORIZON], 0), last["now"]) if is_all else End(rows[-1].place, rows[-1].at)
    return Rows(rows, end, is_all)


def missed_changes(caller: Caller, users_: Users, after: Place, until: Place, limit: int) -> sa.Select[Any]:
    """Select the changes between two places that a caller may see, before or after the change.

    All changes until there must be settled.
    """
    place, former = did_changes.c.account, did_changes.c.former_account
    seen = sa.or_(within(place, caller), within(former, caller))
    if users_ is not None:
        own = list(users_)
        seen = sa.and_(seen, sa.or_(did_changes.c.user.in_(own), did_changes.c.former_user.in_(own)))
    between = is_after(did_changes, after), is_until(did_changes, until)
    order = place_order(did_changes)
    return sa.select(did_changes, written_at(did_changes)).where(*between, seen).order_by(*order).limit(limit)


def users_of_subjects(subjects: Iterable[str]) -> sa.Select[Any]:
    """Select id, account and subject of the users whose DIDs the tokens of these subjects see."""
    columns = users.c.user_id, users.c.account, users.c.subject
    return sa.select(*columns).where(users.c.subject.in_(list(subjects)), users.c.deleted.is_(False))


def users_of(caller: Caller) -> sa.Select[Any]:
    """Select the users whose DIDs a caller with the role `user` sees."""
    return users_of_subjects((caller.subject,)).where(within(users.c.account, caller))


def row_of(row: Any) -> Row[DidChange]:
    """Return a change with its place."""
    change = DID_CHANGES.from_row([*(row[name] for name in DID_CHANGES.columns), 0]).state
    return Row(Place(row[TRANSACTION], row["position"]), row["at"], change)
