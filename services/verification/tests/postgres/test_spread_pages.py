"""The pages of jobs that spread a change: the right DIDs, each once, and only their rows are read."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from didflow_chassis.database import Database, compile_statement
from didflow_chassis.states import Stored
from didflow_verification import store
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.service_request import ServiceData, ServiceRequest
from didflow_verification.domain.requirements import ANYWHERE
from didflow_verification.store import REGISTRATIONS, SERVICE_REQUESTS

ALL = 150
"""How many DIDs are in each group."""
UNRELATED = 6_000
"""How many other DIDs there are: so many that PostgreSQL always prefers the index that was made for a page."""
LIMIT = 10

OURS, THEIRS, HERE, THERE, REVIEW = (uuid4() for _ in range(5))


@dataclass
class Groups:
    """The ids of the DIDs in each group, in order. `requested` are those with an open service at our address."""

    ours: list[UUID]
    approved_ours: list[UUID]
    elsewhere: list[UUID]
    theirs: list[UUID]
    requested: list[UUID]


def details(build: Any, identity_id: UUID, address_id: UUID) -> Details:
    return Details(
        holder=build.account,
        assigned_at=build.zero,
        identity_id=identity_id,
        identity_account=build.account,
        identity_revision=1,
        address_id=address_id,
        address_revision=1,
        rests_on=REVIEW if identity_id == THEIRS else None,
    )


def registrations(build: Any, **changes: Any) -> list[Registration]:
    whole: dict[str, Any] = {
        "country": "IE",
        "number_type": "local",
        "end_user_type": "business",
        "account": build.account,
        "holders": (),
        "state": "approved",
        "requirement": "ie.local.business",
        "requirement_version": 1,
        "started_at": build.zero,
    }
    return [Registration(did_id=uuid4(), number=f"+353{n}", **whole | changes) for n in range(ALL)]


@pytest.fixture
async def groups(running: Any, build: Any) -> Groups:
    """Live DIDs of two identities, two addresses and two countries, and as many that have ended."""
    ours, elsewhere, theirs = (details(build, *ids) for ids in ((OURS, HERE), (OURS, THERE), (THEIRS, THERE)))
    made = {
        "ours": registrations(build, assigned=ours, approved=ours),
        "approved_ours": registrations(build, assigned=theirs, approved=ours, open=True),
        "elsewhere": registrations(build, assigned=elsewhere, approved=elsewhere, state="rejected"),
        "theirs": registrations(build, assigned=theirs, approved=theirs, country="DE"),
    }
    ended = registrations(build, assigned=ours, approved=ours, ended="removed")
    unrelated = details(build, uuid4(), uuid4())
    for _ in range(UNRELATED // ALL):
        others = registrations(build, assigned=unrelated, approved=unrelated, country="FR", state="rejected")
        await save(running, REGISTRATIONS, others)
    await save(running, REGISTRATIONS, [*ended, *(one for group in made.values() for one in group)])
    ids = {name: sorted(one.did_id for one in group) for name, group in made.items()}
    requested = ids["theirs"][::2]
    await save(running, SERVICE_REQUESTS, [request(build, key) for key in requested])
    await running.fetch("ANALYZE")
    return Groups(**ids, requested=requested)


def request(build: Any, did_id: UUID) -> ServiceRequest:
    return ServiceRequest(
        request_id=uuid4(),
        did_id=did_id,
        number=build.number,
        account=build.account,
        service="emergency",
        state="active",
        identity_id=THEIRS,
        identity_revision=1,
        identity_account=build.account,
        data=ServiceData(address_id=HERE),
        requested_at=build.zero,
        requested_by="user:ann",
    )


async def save(running: Any, kind: Any, states: list[Any]) -> None:
    await running.fetch(kind.save_sql, *kind.to_columns([Stored(state, 1, 0, "c") for state in states]))


@pytest.fixture
async def by_key(running: Any) -> AsyncIterator[Database]:
    """The database as a worker opens it."""
    database = Database(running.database.dsn, application="test", is_by_key=True)
    await database.start()
    yield database
    await database.stop()


async def paged(database: Database, found: list[Any]) -> list[UUID]:
    """Return the DIDs of all pages, in the order in which a job reads them."""
    ids: list[UUID] = []
    while rows := await database.fetch(store.next_dids(found, ids[-1] if ids else None, LIMIT)):
        ids += [row["did_id"] for row in rows]
    return ids


async def paged_by_country(database: Database, country: str) -> list[tuple[str, UUID]]:
    """Return the DIDs of all pages with their countries, in the order in which a job reads them."""
    places: list[tuple[str, UUID]] = []
    found = store.dids_to_recheck(country)
    while rows := await database.fetch(
        store.next_dids_by_country(found, places[-1] if places else None, LIMIT)
    ):
        places += [(row["country"], row["did_id"]) for row in rows]
    return places


async def test_every_live_did_that_a_change_affects_is_on_one_page(by_key: Database, groups: Groups) -> None:
    """Whether the details are assigned or approved, or an open service has the address. Ended DIDs are left out."""
    at_address = sorted([*groups.ours, *groups.approved_ours, *groups.requested])
    of_identity = sorted([*groups.ours, *groups.approved_ours, *groups.elsewhere])
    for found, expected in (
        (store.dids_using(OURS, None), of_identity),
        (store.dids_using(OURS, HERE), at_address),
        (store.dids_resting_on(REVIEW), groups.theirs),
        (store.dids_resting_on(uuid4()), []),
    ):
        assert await paged(by_key, found) == expected
        assert (await by_key.fetch(store.count_of(found)))[0][0] == len(expected)


async def test_every_live_did_with_a_plan_is_rechecked_once(by_key: Database, groups: Groups) -> None:
    """Those of one country in the order of their ids, or those of all countries. Rejected ones have no plan."""
    irish = sorted([*groups.ours, *groups.approved_ours])
    assert await paged_by_country(by_key, "IE") == [("IE", key) for key in irish]
    german = [("DE", key) for key in groups.theirs]
    assert await paged_by_country(by_key, ANYWHERE) == [*german, *(("IE", key) for key in irish)]
    counted = await by_key.fetch(store.count_of([store.dids_to_recheck(ANYWHERE)]))
    assert counted[0][0] == 3 * ALL


async def rows_read(database: Database, statement: Any) -> int:
    """Return how many rows of tables the statement reads, also those that it leaves out."""
    text, values = compile_statement(statement)
    ((plan,),) = await database.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", *values)
    scans = [node for node in nodes_of(orjson.loads(plan)[0]["Plan"]) if "Relation Name" in node]
    return sum(int(node["Actual Rows"]) + int(node.get("Rows Removed by Filter", 0)) for node in scans)


def nodes_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes_of(child)


async def test_a_page_reads_few_rows_wherever_the_job_is(by_key: Database, groups: Groups) -> None:
    """At most those of the page from each index, at the beginning as in the middle: nothing is sorted or searched."""
    middle = groups.ours[ALL // 2]
    pages = [
        store.next_dids(found, after, LIMIT)
        for found in (store.dids_using(OURS, None), store.dids_resting_on(REVIEW))
        for after in (None, middle)
    ]
    pages += [
        store.next_dids_by_country(store.dids_to_recheck(country), after, LIMIT)
        for country in ("IE", "DE", ANYWHERE)
        for after in (None, ("IE" if country == "IE" else "DE", middle))
    ]
    assert {
        n: read for n, page in enumerate(pages) if (read := await rows_read(by_key, page)) > 3 * LIMIT
    } == {}
    at_address = store.next_dids(store.dids_using(OURS, HERE), middle, LIMIT)
    assert await rows_read(by_key, at_address) <= 6 * LIMIT, "some DIDs of the identity have other addresses"
