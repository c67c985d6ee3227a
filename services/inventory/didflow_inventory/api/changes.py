"""The changes of DIDs over HTTP, as a stream of events. See `didflow_chassis.http.event_stream`."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Annotated, Any, Final, Literal
from weakref import WeakSet

import msgspec
from fastapi import Header
from pydantic import BaseModel, Field

from didflow_chassis.commit_order import Place
from didflow_chassis.database import Outage
from didflow_chassis.decision import Caller
from didflow_chassis.http import Http, HttpContext, Router
from didflow_chassis.http.event_stream import AsText, EventStream, EventStreamResponse, Sent, View
from didflow_chassis.http.follower import Follower, Row, Rows
from didflow_chassis.http.runtime import WriteDatabase
from didflow_inventory.domain.holding.edit import USER
from didflow_inventory.domain.my_numbers.change import DidChange, ShownChange, Users, accounts_of, shown
from didflow_inventory.store import did_changes as store

CHANGE: Final = "change"

router = Router(tags=["numbers"])


class ChangeEvent(BaseModel):
    """One event of the stream. A `change` has the DID as `data`; a `reset` has `{}`."""

    id: str = Field(description="Send the last one as `Last-Event-ID` to go on behind it.")
    event: Literal["change", "reset"]
    data: Annotated[ShownChange | dict[str, Any], AsText()]


class ChangesOfCaller(View[DidChange]):
    """The changes as one caller sees them. The role `user` sees those of the DIDs of its users."""

    def __init__(self, http: HttpContext, users: Users) -> None:
        super().__init__(http.caller)
        self._http = http
        self.users = users

    @property
    def version(self) -> str:
        """A hash of the users, for the role `user`."""
        if self.users is None:
            return ""
        names = "\n".join(sorted(f"{user} {account}" for user, account in self.users.items()))
        return blake2b(names.encode(), digest_size=8).hexdigest()

    def event(self, row: DidChange) -> Sent | None:
        """Return a change as the caller sees it."""
        change = shown(row, self.caller, self.users)
        return None if change is None else Sent(CHANGE, msgspec.json.encode(change).decode())

    def concerns(self, row: DidChange) -> bool:
        """Return whether the caller sees anything of a change."""
        return shown(row, self.caller, self.users) is not None

    async def page(self, after: Place, until: Place) -> Sequence[Row[DidChange]]:
        """Read the next changes in the reach of the caller."""
        statement = store.missed_changes(self.caller, self.users, after, until, self.PAGE)
        return [store.row_of(row) for row in await self._http.rows(statement)]


class Changes:
    """The reader of changes of one process, and the streams of the role `user`, whose users it compares."""

    def __init__(self, database: WriteDatabase) -> None:
        self._database = database
        self.views: WeakSet[ChangesOfCaller] = WeakSet()
        self.follower: Follower[DidChange] = Follower(self._read, accounts_of)

    async def _read(self, place: Place | None) -> Rows[DidChange]:
        """Read the next changes. Two statements at most, whatever the number of streams."""
        found = store.rows_of(await self._database.fetch(store.next_rows(place)))
        if self.views:
            await self._compare_users(list(self.views))
        return found

    async def _compare_users(self, views: Sequence[ChangesOfCaller]) -> None:
        """Tell a stream when its subject has other users than before."""
        rows = await self._database.fetch(store.users_of_subjects({view.caller.subject for view in views}))
        for view in views:
            users = _users_in(rows, view.caller)
            if users != view.users:
                view.users = users
                view.changed.set()


@router.get(
    "/dids/changes",
    action="see_numbers",
    status_code=200,
    response_class=EventStreamResponse,
    responses={200: {"model": ChangeEvent, "description": "Events, until the token expires."}},
)
async def follow_changes(
    http: Http, last_event_id: Annotated[str, Header(alias="Last-Event-ID")] = ""
) -> EventStreamResponse:
    """Follow the changes of the DIDs in your accounts: one event for each change.

    `removed` says that you no longer see the DID. To go on after a break without a gap, send the last id as
    `Last-Event-ID`. Ids are good for 24 hours. A `reset` says that this id is too old or unknown: read your DIDs again.
    """
    streams = http.runtime.streams
    if streams is None:
        raise Outage("this process has no streams")
    changes: Changes = streams.shared("changes", lambda: Changes(http.runtime.database))
    users = None
    if http.caller.role == USER:
        users = _users_in(await http.rows(store.users_of(http.caller)), http.caller)
    view = ChangesOfCaller(http, users)
    if users is not None:
        changes.views.add(view)
    stream = EventStream(streams, changes.follower, view, seconds_left=http.seconds_left)
    await stream.open(last_event_id)
    return EventStreamResponse(stream)


def _users_in(rows: Sequence[Any], caller: Caller) -> Mapping[str, str]:
    """Return the users of a caller among the users of several, each with its account."""
    own = (row for row in rows if row["subject"] == caller.subject and caller.reaches(row["account"]))
    return {str(row["user_id"]): row["account"] for row in own}
