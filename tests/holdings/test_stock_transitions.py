"""Every transition of the stock axis, a second before and at its instant, over the movable clock of all four services.

It is read over HTTP alone: a DID on My Numbers, a number in stock on `GET /v1/stock`.
Source: spec lifecycle, The axes and their closed tables.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, product
from typing import Any

import pytest_asyncio
from harness.fixtures import OnPostgres
from harness.folded_history import filled_fields, fold_all, shown
from holdings.four_services import ACME, FourServices, four_services, order

from didflow_chassis.decision import Caller
from didflow_inventory.domain.holding.stock_axis import TABLE
from didflow_inventory.domain.stock.transitions import TRANSITIONS

STOCKED = [f"+1212555{n}" for n in range(2000, 2030)]
OUTSIDE = [f"+1212555{n}" for n in range(3000, 3010)]
SHOP = "reseller:master/acme/shop"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

Seen = tuple[str | None, str | None, str | None]
"""The stock axis of the DID, its status, and the state of its number in stock. None: there is none."""

ASSIGNED: Seen = ("assigned", "active", None)
BLOCKED: Seen = ("blocked", "blocked", None)
ON_HOLD: Seen = ("on_hold", "hold", None)


def removed(stock: str | None) -> Seen:
    """Return what is seen of a removed DID whose number is in this state."""
    return ("removed", None, stock)


def in_stock(stock: str) -> Seen:
    """Return what is seen of a number that is no DID."""
    return (None, None, stock)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A transition at an instant: what is seen a second before it, and at it."""

    number: str
    did: str | None
    instant: datetime
    before: Seen
    at: Seen


@dataclass(kw_only=True)
class Life:
    """An installation. `rows` wait for their instants."""

    services: FourServices
    stocked: list[str] = field(default_factory=lambda: list(STOCKED))
    outside: list[str] = field(default_factory=lambda: list(OUTSIDE))
    rows: list[Row] = field(default_factory=list)
    dids: list[str] = field(default_factory=list)

    async def do(self, path: str, /, *, by: str = ACME, at: str = "inventory", **body: Any) -> Any:
        """Send a POST that must succeed, and deliver all events."""
        return await self.services.done(at, "POST", f"/v1/{path}", by, body)

    async def act(self, action: str, *dids: str, **body: Any) -> None:
        """Do a batch action with DIDs."""
        await self.do(f"dids/batch/{action}", dids=dids, **body)

    async def purchased(self, *, blocked: bool = False, stocked: bool = True) -> Any:
        """Purchase a number, and wait a minute, so that no two instants are the same."""
        number = (self.stocked if stocked else self.outside).pop()
        did = await self.do("purchases", **order(number))
        self.dids.append(did["did_id"])
        if blocked:
            await self.act("block", number)
        await self.services.advance(MINUTE)
        return await self.services.shown(number)

    async def seen(self, number: str, did: str | None) -> Seen:
        """Return what is seen of a number now."""
        listed = await self.services.call("inventory", "GET", f"/v1/stock?number_contains={number[1:]}")
        states = [item["stock"] for item in listed.json()["items"]]
        shown = {"stock": None, "status": None} if did is None else await self.services.shown(did)
        return shown["stock"], shown["status"], states[0] if states else None

    async def reach(self, instant: datetime, *names: str) -> None:
        """Move the clock of services. Their timers run at their own instants."""
        for name in names:
            opened = self.services.opened[name]
            await opened.advance(instant - await opened.now())

    async def history(self, path: str) -> list[dict[str, Any]]:
        """Return the changes of each entry of a history."""
        answer = await self.services.call("inventory", "GET", f"/v1/{path}/history?limit=1000")
        return [entry["changes"] for entry in answer.json()["items"]]


@pytest_asyncio.fixture
async def life(on_postgres: OnPostgres) -> Life:
    """The four services, with numbers in the stock of the reseller."""
    found = Life(services=await four_services(on_postgres))
    await found.do("stock", numbers=STOCKED, number_type="local", features=["voice_out"])
    return found


async def test_each_transition_is_seen_at_its_instant_and_not_a_second_before(life: Life) -> None:
    """Holds by hand and by a package, reservations, and terms that end. Histories have each transition, and fold."""
    await holds_by_hand(life)
    await holds_by_a_package(life)
    await a_reservation(life)
    await terms(life)
    await what_people_do(life)

    wrong = []
    rows = sorted(life.rows, key=lambda row: row.instant)
    for instant, group in groupby(rows, key=lambda row: row.instant):
        together = list(group)
        await life.reach(instant - MINUTE / 2, *life.services.opened)
        await life.services.deliver()
        await life.reach(instant - SECOND, "inventory")
        before = [await life.seen(row.number, row.did) for row in together]
        await life.reach(instant, *life.services.opened)
        await life.services.deliver()
        at = [await life.seen(row.number, row.did) for row in together]
        wrong += [
            each
            for each in zip(together, before, at, strict=True)
            if each[1:] != (each[0].before, each[0].at)
        ]
    assert wrong == []
    await carriers_follow(life)
    assert "refund" not in {kind for kind, _, _ in await life.services.charges()}
    await every_transition_was_taken(life)
    await histories_fold(life)


async def holds_by_hand(life: Life) -> None:
    """A hold ends in what the DID was before, or in each of the three other ways. An outside number is in no stock."""
    for blocked, stocked, after_hold, at in (
        (False, True, "back", ASSIGNED),
        (True, True, "back", BLOCKED),
        (False, True, "in_stock", removed("in_stock")),
        (False, True, "reserved", removed("reserved")),
        (False, True, "archived", removed("archived")),
        (True, True, "archived", removed("archived")),
        (False, False, "in_stock", removed(None)),
    ):
        did = await life.purchased(blocked=blocked, stocked=stocked)
        await life.act("hold", did["number"], days=1, after_hold=after_hold)
        await add_hold(life, did["number"], at, "await_hold_end")


async def holds_by_a_package(life: Life) -> None:
    """The numbers of an inactive package are on hold for `hold_days`. Then comes what the stock says about each."""
    await life.services.advance(MINUTE)
    numbers = [life.stocked.pop() for _ in range(2)]
    await life.do("stock/batch/edit", numbers=numbers, tag="gold")
    await life.do("stock/batch/edit", numbers=numbers[1:], after_hold="reserved")
    made = await life.do("packages", name="Two", count=2, selection={"tag": "gold"}, hold_days=1)
    package = f"packages/{made['package_id']}"
    await life.do(f"{package}/clients", account="master/acme/shop")
    picked = await life.do(f"{package}/picks", by=SHOP, numbers=numbers)
    life.dids += [result["did_id"] for result in picked["results"]]
    await life.do(f"{package}/deactivate")
    await life.services.opened["inventory"].run_jobs()
    await life.services.deliver()
    for number, at in zip(numbers, (ASSIGNED, removed("reserved")), strict=True):
        await add_hold(life, number, at, "reactivate_package")


async def add_hold(life: Life, number: str, at: Seen, action: str) -> None:
    """Add the row of a DID on hold. My Numbers says what ends the hold, and until when it lasts."""
    did = await life.services.shown(number)
    assert (did["next_step"]["action"], did["next_step"]["by"]) == (action, did["hold"]["until"])
    until = datetime.fromisoformat(did["hold"]["until"])
    life.rows.append(Row(number=number, did=did["did_id"], instant=until, before=ON_HOLD, at=at))


async def a_reservation(life: Life) -> None:
    """A number that a reservation holds is in stock again."""
    await life.services.advance(MINUTE)
    number = life.stocked.pop()
    made = await life.do("reservations", numbers=[number], minutes=1_440)
    until = datetime.fromisoformat(made["expires_at"])
    life.rows.append(
        Row(number=number, did=None, instant=until, before=in_stock("held"), at=in_stock("in_stock"))
    )


async def terms(life: Life) -> None:
    """A term that was not renewed ends 34 days after its expiry, whatever the stock axis is. The number is in stock."""
    for state in ("assigned", "blocked", "on_hold"):
        did = await life.purchased(blocked=state == "blocked")
        await life.do("terms/batch/set-cycles", at="billing", dids=[did["did_id"]], billing_cycles=0)
        if state == "on_hold":
            await life.act("hold", did["number"], days=365, after_hold="archived")
        end = datetime.fromisoformat(did["term"]["expires_at"]) + timedelta(days=34)
        before: Seen = (state, "terminated", None)
        life.rows.append(
            Row(number=did["number"], did=did["did_id"], instant=end, before=before, at=removed("in_stock"))
        )


async def what_people_do(life: Life) -> None:
    """What has no instant of its own is seen at once."""
    numbers = [life.stocked.pop() for _ in range(8)]
    await life.do("stock/batch/hand-out", numbers=numbers, account="master/acme/shop")
    dids = {number: (await life.services.shown(number))["did_id"] for number in numbers}
    life.dids += dids.values()
    await life.act("block", *numbers[2:5])
    await life.act("hold", *numbers[4:8])
    assert [await life.seen(n, dids[n]) for n in numbers] == [ASSIGNED] * 2 + [BLOCKED] * 2 + [ON_HOLD] * 4
    await life.act("unhold", *numbers[4:6])
    await life.act("unblock", numbers[4])
    assert [await life.seen(n, dids[n]) for n in numbers[4:6]] == [ASSIGNED] * 2
    await life.act("port-out", *numbers[:6:2], numbers[6])
    await life.act("return", *numbers[1:6:2], numbers[7])
    for number in numbers:
        expected = None if number in (*numbers[:6:2], numbers[6]) else "in_stock"
        assert await life.seen(number, dids[number]) == removed(expected), number

    ported, canceled = life.outside.pop(), life.outside.pop()
    for number in (ported, canceled):
        body = order(number, price=None, billing_period=None)
        did = (await life.do("portings", **body))["did_id"]
        life.dids.append(did)
        assert await life.seen(number, did) == ("porting_in", "porting_in_progress", None)
        if number == ported:
            await life.do("purchases", **order(number, acquired="ported_in", did_id=did))
        else:
            await life.do(f"portings/{did}/cancel")
        assert await life.seen(number, did) == (ASSIGNED if number == ported else removed(None))

    number = life.stocked.pop()
    for action, state in (("reserve", "reserved"), ("release", "in_stock"), ("archive", "archived")):
        await life.do(f"stock/batch/{action}", numbers=[number])
        assert await life.seen(number, None) == in_stock(state)
    await life.do("stock/batch/release", numbers=[number])
    assert await life.seen(number, None) == in_stock("in_stock")


async def carriers_follow(life: Life) -> None:
    """A hold suspends; its end resumes, or releases a number that the carrier keeps for us if it is from the stock."""
    for row in life.rows:
        told = [command for command in life.services.commands if command.number == row.number]
        if row.did is None:
            assert told == []
        elif row.at == ASSIGNED:
            assert [command.action for command in told] == ["activate", "suspend", "resume"]
        elif row.at == BLOCKED:
            assert [command.action for command in told] == ["activate", "suspend"]
        else:
            assert [command.action for command in told] == ["activate", "suspend", "release"]
            assert told[-1].parameters.keep is (row.number in STOCKED)
            shown = await life.services.shown(row.did)
            assert (shown["term"]["state"], shown["routing"]["carrier_state"]) == ("closed", "released")


async def every_transition_was_taken(life: Life) -> None:
    """The histories have each line of both closed tables, and no other line."""
    listed = {
        (before, step, after)
        for step, line in TABLE.items()
        for before, after in product(line.before, line.after)
    }
    found = set()
    for did in life.dids:
        for changes in await life.history(f"dids/{did}"):
            if "stock" in changes:
                stock = changes["stock"]
                found.add((stock["before"], changes["last_step"]["after"], stock["after"]))
    assert listed - found == {("porting_in", "removal", "removed")}, "billing removes no DID without a term"
    assert found - listed == set()

    moves = set()
    for number in STOCKED:
        for changes in await life.history(f"stock/{number}"):
            moves.add(tuple(changes.get("stock", {"before": None, "after": None}).values()))
    between = {move for move in moves if None not in move}
    assert between == {(before, after) for before, afters in TRANSITIONS.items() for after in afters}


async def histories_fold(life: Life) -> None:
    """The history of each DID gives what My Numbers shows, that of each number what `GET /v1/stock` shows."""
    now = await life.services.opened["inventory"].now()
    caller = Caller(subject="ann", account="master/acme", role="reseller")
    for did in life.dids:
        folded = fold_all(await life.history(f"dids/{did}"))
        assert shown(folded, now, caller) == await life.services.shown(did)
    answer = await life.services.call("inventory", "GET", "/v1/stock?limit=1000")
    rows = {row.pop("number"): row for row in answer.json()["items"]}
    for number in STOCKED:
        folded = fold_all(await life.history(f"stock/{number}"))
        assert ("stock" in folded) == (number in rows)
        if number in rows:
            given = {name: value for name, value in folded.items() if name in rows[number]}
            assert given == filled_fields(rows[number])
