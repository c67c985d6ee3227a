"""Lists on PostgreSQL: every row once and in order, also if rows are written between two pages."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from didflow.embedded.postgres import EmbeddedPostgres
from didflow_chassis.database import Database, compile_statement
from didflow_chassis.decision import Caller
from didflow_chassis.http.lists import write_cursor
from didflow_chassis.read_pool import ReadingDatabase
from didflow_chassis.tenancy import in_subtree, in_subtree_as_range, within

ACCOUNT = sa.column("account", sa.Text)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Listing:
    """The table of things, and a client of the API that lists it."""

    def __init__(self, world: Any, database: Database, reads: ReadingDatabase) -> None:
        self.database = database
        self.client = world.serve(database=reads)

    async def add(
        self, name: str, rank: int | None = None, account: str = "master/acme", **more: Any
    ) -> UUID:
        thing = uuid4()
        values = (thing, account, name, rank, more.get("seen_at"))
        await self.database.fetch("INSERT INTO things VALUES ($1, $2, $3, $4, $5)", *values)
        return thing

    async def walk(self, between: Any = None, **query: Any) -> list[dict[str, Any]]:
        """Read all pages. `between` is awaited after each page."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = (
                await self.client.get(
                    "/v1/things", params={**query, **({"cursor": cursor} if cursor else {})}
                )
            ).json()
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items
            if between is not None:
                await between()


@pytest.fixture
async def listing(world: Any, postgres: EmbeddedPostgres) -> AsyncIterator[Listing]:
    database = Database(postgres.dsn, application="test", size=2)
    await database.start()
    await database.fetch(
        "CREATE TABLE things (thing_id uuid PRIMARY KEY, account text NOT NULL, name text NOT NULL,"
        " rank integer, seen_at timestamptz)"
    )
    reads = ReadingDatabase(postgres.dsn, application="test", role=None, size=2)
    await reads.start()
    yield Listing(world, database, reads)
    await reads.stop()
    await database.fetch("DROP TABLE things")
    await database.stop()


@pytest.mark.parametrize("sort", ["name", "-name", "rank", "-rank", "seen_at", "-seen_at", "id", "-id"])
@pytest.mark.parametrize("limit", [1, 3, 7])
async def test_every_row_comes_once_in_order(listing: Listing, sort: str, limit: int) -> None:
    """Pages leave out and repeat no row, also with equal values and NULLs."""
    draw = random.Random(5)
    for i in range(20):
        seen = None if i % 4 == 0 else START + timedelta(microseconds=draw.randrange(5))
        await listing.add(f"n{i % 3}-{i}", draw.choice([None, 1, 2]), seen_at=seen)
    whole = await listing.walk(sort=sort, limit=1_000)
    assert len(whole) == 20
    assert await listing.walk(sort=sort, limit=limit) == whole


async def test_nulls_are_last_when_ascending_and_first_when_descending(listing: Listing) -> None:
    """This is the order of an ordinary index."""
    for rank in (2, None, 1):
        await listing.add("x", rank)
    assert [item["rank"] for item in await listing.walk(sort="rank", limit=1)] == [1, 2, None]
    assert [item["rank"] for item in await listing.walk(sort="-rank", limit=1)] == [None, 2, 1]


@pytest.mark.parametrize("sort", ["name", "-name"])
async def test_writes_between_pages_move_no_row_to_another_page(listing: Listing, sort: str) -> None:
    """If rows before the cursor are added or removed, every other row still appears once."""
    first = [await listing.add(f"m{i:02}") for i in range(10)]
    count = iter(range(100))

    async def write() -> None:
        turn = next(count)
        await listing.add(f"a{turn:02}" if sort == "name" else f"z{turn:02}")
        if turn == 2:
            gone = first[0] if sort == "name" else first[-1]
            await listing.database.fetch("DELETE FROM things WHERE thing_id = $1", gone)

    names = [item["name"] for item in await listing.walk(write, sort=sort, limit=2)]
    assert sorted(names) == [f"m{i:02}" for i in range(10)]


async def test_next_is_null_on_the_last_page_even_if_it_is_full(listing: Listing) -> None:
    """A full page has a `next` only if another row follows."""
    await listing.add("a"), await listing.add("b")
    page = (await listing.client.get("/v1/things", params={"limit": 2})).json()
    assert (len(page["items"]), page["next"]) == (2, None)


async def test_a_page_without_a_limit_has_fifty_rows(listing: Listing) -> None:
    """The default order is the first sort column."""
    for i in range(51):
        await listing.add(f"{i:02}")
    page = (await listing.client.get("/v1/things")).json()
    assert [item["name"] for item in page["items"]] == [f"{i:02}" for i in range(50)]
    assert page["next"]


async def test_callers_see_only_their_subtree(listing: Listing, world: Any) -> None:
    """Account paths are compared by whole segments. An operator sees all rows."""
    for account in ("master", "master/acme", "master/acme-2", "master/acme/shop", "master/acme0", "other"):
        await listing.add(account, account=account)
    assert [i["name"] for i in await listing.walk()] == ["master/acme", "master/acme/shop"]
    listing.client.headers.update(world.bearer(role="operator", account="master"))
    assert len(await listing.walk()) == 6


@pytest.mark.parametrize("column", ['text COLLATE "C"', "text"])
async def test_the_subtree_is_found_by_an_index(listing: Listing, column: str) -> None:
    """An index is used if the column, or its entry in the index, has the "C" collation."""
    entry = "account" if column.endswith('"') else 'account COLLATE "C"'
    for statement in (
        f"ALTER TABLE things ALTER account TYPE {column}",
        f"CREATE INDEX things_account ON things ({entry}, name)",
        "INSERT INTO things SELECT gen_random_uuid(), 'm/a' || i, 'n' FROM generate_series(1, 5000) i",
        "ANALYZE things",
    ):
        await listing.database.fetch(statement)
    mine = within(ACCOUNT, Caller(subject="ann", account="m/a7", role="reseller"))
    text, values = compile_statement(sa.select(sa.literal(1)).where(mine))
    plan = await listing.database.fetch(f"EXPLAIN {text.replace('WHERE', 'FROM things WHERE')}", *values)
    assert "things_account" in "".join(row[0] for row in plan)


async def test_a_subtree_as_one_range_of_an_index_is_the_same_subtree(listing: Listing) -> None:
    """Accounts beside it whose names begin like its own lie in the range, and are left out."""
    names = (
        "m",
        "m/a",
        "m/a-2",
        "m/a-2/b",
        "m/a/b",
        "m/a/b/c",
        "m/a/b-2",
        "m/a0",
        "m/aa",
        "m/b",
        "n",
        "m-1/a",
    )
    for account in names:
        await listing.add(account, account=account)
    for account in names:
        found = []
        for condition in (in_subtree(ACCOUNT, account), in_subtree_as_range(ACCOUNT, account)):
            text, values = compile_statement(sa.select(ACCOUNT).where(condition))
            rows = await listing.database.fetch(text.replace("WHERE", "FROM things WHERE"), *values)
            found.append(sorted(row[0] for row in rows))
        assert found[0] == found[1] == sorted(n for n in names if n == account or n.startswith(f"{account}/"))


ID = str(uuid4())


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "ä",
        "e30",
        "a" * 5_000,
        write_cursor("-rank", [1, ID]),
        write_cursor("rank", [1]),
        write_cursor("rank", [1, ID, 2]),
        write_cursor("rank", ["1", ID]),
        write_cursor("rank", [2**31, ID]),
        write_cursor("rank", [1, "no-id"]),
        write_cursor("rank", [True, ID]),
    ],
)
async def test_a_cursor_of_another_list_is_refused(listing: Listing, cursor: str) -> None:
    """A cut or forged cursor, or one of another sort, is 422."""
    answer = await listing.client.get("/v1/things", params={"cursor": cursor, "sort": "rank"})
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")


async def test_an_extreme_instant_in_a_cursor_is_refused(listing: Listing) -> None:
    """A forged instant cannot overflow in the database driver."""
    for instant in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00"):
        query = {"cursor": write_cursor("seen_at", [instant, ID]), "sort": "seen_at"}
        assert (await listing.client.get("/v1/things", params=query)).json()["code"] == "cursor_invalid"
