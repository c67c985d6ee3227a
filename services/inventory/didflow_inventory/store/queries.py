"""The reads of inventory. Every query over DIDs or accounts is limited to what its caller may see."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from didflow_chassis.commit_order import is_settled
from didflow_chassis.decision import OPERATOR, Caller
from didflow_chassis.row_access import count_of_foreign
from didflow_chassis.tables import NOW
from didflow_chassis.tenancy import in_subtree, in_subtree_by_level, within
from didflow_contracts.accounts import is_within
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.history.entry import HistoryEntry
from didflow_inventory.domain.history.things import ThingName
from didflow_inventory.domain.holding.edit import USER
from didflow_inventory.domain.my_numbers.listing import FILTERS, Filter
from didflow_inventory.store.tables import ACCOUNTS, DIDS, HISTORY, accounts, dids, history, users

DID_SORTS: Final = {name: dids.c[name] for name in ("number", "expires_at", "purchased_at", "status")}
ACCOUNT_SORTS: Final = {name: accounts.c[name] for name in ("path", "name", "created_at")}
HISTORY_SORTS: Final = {"position": history.c.position}
HISTORY_KEY: Final = history.c.position
AUDIT_LOG_SORTS: Final = {"commit": history.c.transaction_id}
"""The order of the audit log. Entries of one transaction are in the order of their positions."""


def is_visible(caller: Caller) -> sa.ColumnElement[bool]:
    """Return the condition that a caller may see a DID. A user sees only the DIDs whose `user` it is.

    The token of a user names it by its subject. Source: spec roles, `see_numbers`.
    """
    in_reach = within(dids.c.account, caller)
    if caller.role != USER:
        return in_reach
    own = users.c.subject == caller.subject, users.c.account == dids.c.account, users.c.deleted.is_(False)
    is_own = sa.exists().where(sa.cast(users.c.user_id, sa.Text) == dids.c.user, *own)
    return sa.and_(in_reach, is_own)


def my_numbers(caller: Caller, quick_filter: Filter, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the visible DIDs that match a quick filter and all conditions, each with the time as `now`."""
    return _dids().where(dids.c[f"in_{quick_filter}"], is_visible(caller), *conditions)


def one_did(caller: Caller, name: UUID | str) -> sa.Select[Any]:
    """Select one visible DID, with the time as `now`. A number means its live DID; an id can be a former DID."""
    return _dids().where(_is_named(name), is_visible(caller))


def summary(caller: Caller, account: str | None = None) -> sa.Select[Any]:
    """Select the count of the visible DIDs that match each quick filter, in one pass over the rows.

    With an account, only its DIDs and those of the accounts below it are counted.
    """
    counts = [sa.func.count().filter(dids.c[f"in_{name}"]).label(name) for name in FILTERS]
    columns: list[sa.ColumnElement[Any]] = [*counts]
    foreign = count_of_foreign(dids.c.account, caller)
    chosen = () if account is None else (in_subtree(dids.c.account, account),)
    return sa.select(*columns, foreign).where(dids.c.in_all, is_visible(caller), *chosen)


def places(caller: Caller) -> sa.Select[Any]:
    """Select the number of the visible live DIDs of each country and shown region."""
    place = dids.c.country, dids.c.shown_region
    return (
        sa.select(*place, sa.func.count().label("count"), count_of_foreign(dids.c.account, caller))
        .where(dids.c.in_all, is_visible(caller))
        .group_by(*place)
    )


def live_dids(caller: Caller, ids: Sequence[UUID], numbers: Sequence[str]) -> sa.Select[Any]:
    """Select id and number of the visible live DIDs with one of these ids or numbers."""
    is_named = sa.or_(dids.c.did_id.in_(ids), dids.c.number.in_(numbers))
    columns = dids.c.did_id, dids.c.number, dids.c.account
    return sa.select(*columns).where(dids.c.in_all, is_visible(caller), is_named)


def history_of(caller: Caller, did_id: UUID) -> sa.Select[Any]:
    """Select the history of a DID, as far as it belonged to accounts in the caller's reach.

    The caller must have been allowed to see the DID. What a former holder did with it is not told to the next one.
    """
    return sa.select(history).where(history.c.did_id == did_id, within(history.c.account, caller))


def history_of_thing(caller: Caller, thing: ThingName, thing_id: str) -> sa.Select[Any]:
    """Select the history of anything but a DID, as far as it belonged to accounts in the caller's reach."""
    of_thing = history.c.thing_id == thing_id, history.c.thing == thing
    return sa.select(history).where(*of_thing, within(history.c.account, caller))


def audit_log(caller: Caller, account: str | None, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the entries of all things in the caller's reach that match all conditions.

    With an `account`, only those of this account and the accounts below it are selected.

    An entry belongs to the account that it names, for ever: whoever pages through the log sees the same entries,
    whatever becomes of a DID meanwhile.
    """
    return sa.select(history).where(is_settled(history), _in_both(caller, account), *conditions)


def account_tree(caller: Caller) -> sa.Select[Any]:
    """Select the accounts in the caller's reach."""
    return sa.select(*(accounts.c[name] for name in ACCOUNTS.columns)).where(within(accounts.c.path, caller))


def number_of_dids() -> sa.Select[Any]:
    """Select the number of all DIDs, live and former."""
    return sa.select(sa.func.count()).select_from(dids)


def dids_after(did_id: UUID | None, limit: int) -> sa.Select[Any]:
    """Select the next DIDs in the order of their ids, for a job."""
    query = sa.select(*(dids.c[name] for name in DIDS.columns)).order_by(dids.c.did_id).limit(limit)
    return query if did_id is None else query.where(dids.c.did_id > did_id)


def did_of_row(row: Any) -> Did:
    """Return the DID of a row."""
    return DIDS.from_row([row[name] for name in DIDS.columns]).state


def account_of_row(row: Any) -> Account:
    """Return the account of a row."""
    return ACCOUNTS.from_row([row[name] for name in ACCOUNTS.columns]).state


def entry_of_row(row: Any) -> HistoryEntry:
    """Return the history entry of a row. An entry has no version, because it never changes."""
    return HISTORY.from_row([*(row[name] for name in HISTORY.columns), 0]).state


def _dids() -> sa.Select[Any]:
    return sa.select(*(dids.c[name] for name in DIDS.columns), NOW.label("now"))


def _in_both(caller: Caller, account: str | None) -> sa.ColumnElement[bool]:
    """Return the condition that an entry is in the reach of the caller and, if an account is given, in its subtree.

    One of the two subtrees is part of the other, or they have no entry in common. A second condition that says the same
    would make PostgreSQL expect few entries, and sort all of an account instead of reading one page.
    """
    own = None if caller.role == OPERATOR else caller.account
    if own is None and account is None:
        return sa.true()
    if own is None or account is None or is_within(own, account):
        return in_subtree_by_level(history.c.account, own or account or "")
    return in_subtree_by_level(history.c.account, account) if is_within(account, own) else sa.false()


def _is_named(name: UUID | str) -> sa.ColumnElement[bool]:
    if isinstance(name, UUID):
        return dids.c.did_id == name
    return sa.and_(dids.c.number == name, dids.c.in_all)
