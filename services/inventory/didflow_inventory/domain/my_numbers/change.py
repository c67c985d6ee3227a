"""The changes of DIDs as callers follow them: what is stored of a change, and who sees what of it.

A change is stored if it alters a field that the history records. A rebuild changes no DID: it stores nothing.
Source: spec http, `GET /v1/dids/changes`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from didflow_chassis.decision import Caller, Decided, Decision, Known
from didflow_contracts.vocabulary import Status
from didflow_inventory.domain.commands import RebuildDid
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.history.entry import HistoryEntry
from didflow_inventory.domain.history.record import DID, Message, record

Users = Mapping[str, str] | None
"""The users whose DIDs a caller sees, each with its account; None if the caller sees all DIDs in its reach."""


class DidChange(Struct, frozen=True, kw_only=True):
    """One change of a live DID.

    `account` and `user` are those after the change; `account` and `status` are null if the DID has ended. If it has
    ended, or if account or user are others than before, `former_account` and `former_user` are those before.
    """

    did_id: UUID
    number: str
    account: str | None
    user: str | None
    status: Status | None
    former_account: str | None = None
    former_user: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownChange:
    """A change as a caller gets it.

    `removed`: the caller no longer sees the DID. `account` is then its last account that the caller reached, and
    `status` is null.
    """

    did_id: UUID
    number: str
    account: str
    status: Status | None
    removed: bool


def recorded(
    message: Message, decision: Decision, state: Any, now: datetime, known: Known
) -> Iterable[HistoryEntry | DidChange]:
    """Return all rows that one message, or a due timer, leaves: its history entries, and the changes of DIDs."""
    entries = list(record(message, decision, state, now, known))
    if isinstance(message, RebuildDid):
        return entries
    changed = {entry.did_id for entry in entries if entry.thing == DID.name and entry.changes}
    if not changed:
        return entries
    return [*entries, *(c for did_id, c in _changes(decision, state, known) if did_id in changed)]


def change_of(before: Did | None, after: Did) -> DidChange | None:
    """Return the change of a DID; None if it was not live and is not."""
    old, new = None if before is None else before.holding, after.holding
    was_live, is_live = old is not None and old.is_live, new.is_live
    if not (was_live or is_live):
        return None
    place = (new.account, new.user) if is_live else (None, None)
    former = (old.account, old.user) if old is not None and was_live else place
    if former == place:
        former = (None, None)
    return DidChange(
        did_id=new.did_id,
        number=new.number,
        account=place[0],
        user=place[1],
        status=after.listing.status,
        former_account=former[0],
        former_user=former[1],
    )


def shown(change: DidChange, caller: Caller, users: Users) -> ShownChange | None:
    """Return what a caller gets for a change; None if it saw the DID neither before nor after it."""
    if _sees(caller, users, change.account, change.user):
        return _shown(change, str(change.account), change.status, removed=False)
    if _sees(caller, users, change.former_account, change.former_user):
        return _shown(change, str(change.former_account), None, removed=True)
    return None


def accounts_of(change: DidChange) -> Iterator[str]:
    """Yield the accounts of a change."""
    yield from filter(None, (change.account, change.former_account))


def _changes(decision: Decision, state: Any, known: Known) -> Iterator[tuple[UUID, DidChange]]:
    """Yield the change of each DID that a decision changes, with the id of the DID."""
    if not isinstance(decision, Decided):
        return
    own = () if decision.state is None else ((state, decision.state),)
    others = ((known.get(Did, DID.key_of(o)), o) for o in decision.also if isinstance(o, Did))
    for before, after in (*own, *others):
        if isinstance(after, Did) and (change := change_of(before, after)) is not None:
            yield change.did_id, change


def _sees(caller: Caller, users: Users, account: str | None, user: str | None) -> bool:
    if account is None or not caller.reaches(account):
        return False
    return users is None or (user is not None and users.get(user) == account)


def _shown(change: DidChange, account: str, status: Status | None, *, removed: bool) -> ShownChange:
    return ShownChange(
        did_id=change.did_id, number=change.number, account=account, status=status, removed=removed
    )
