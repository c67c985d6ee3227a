"""The tenant matrix: every route, every role and every relation of accounts, generated from the OpenAPI documents.

What belongs to somebody else is answered like what does not exist: same status, code, body and headers.
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, Final

import httpx
import pytest
from tenancy.estate import (
    ACCOUNTS,
    CHILD,
    OWNER,
    PARENT,
    SIMILAR,
    UNRELATED,
    Estate,
    Things,
)
from tenancy.requests import (
    PATH,
    Operation,
    Request,
    absent,
    all_operations,
    comparable,
    operations,
    plain_requests,
    requests_of,
)
from tenancy.rows import (
    AUDIT_LOG,
    BODIES,
    FIELDS,
    NOTHING_THERE,
    PLAIN_FIELDS,
    PLAIN_QUERIES,
    QUERIES,
    ROLES_OF_ROUTES,
    SERVES_BELOW,
    TAKEN,
)

from didflow_contracts.topics import SERVICES

OPERATOR: Final = "operator"
FOREIGN: Final = (*UNRELATED, *SIMILAR, CHILD)
RENEWED: Final = "POST /v1/verifications/{verification_id}/resubmit"
"""A route that makes a new verification in place of that which it names."""
Caller = tuple[str, str]
"""Account and role."""
SEEN_BELOW: Final = frozenset(
    {"trunk", "spare_trunk", "carrier", "carrier_name", "operator", "stock_number", "spare_stock_number"}
)
"""The things of an account that the accounts below it may use."""
AT_ONCE: Final = 8
ONE_LOOP: Final = pytest.mark.asyncio(loop_scope="session")


def things_of(estate: Estate, account: str) -> Things:
    """Return the things of an account, and numbers that nobody has."""
    n = ACCOUNTS.index(account)
    new = {"new_number": f"+35321900{n:02}00", "new_porting": f"+35321901{n:02}00"}
    return estate.things[account] | new


def strangers(operation: Operation, place: str = PATH) -> Iterator[Caller]:
    """Yield those who may call a route and whom the owner's things are foreign to.

    For a path: all roles in all accounts. Otherwise: all roles in one account, and one role in all others.
    """
    roles = [role for role in operation.roles if role not in (OPERATOR, "user")]
    for account in FOREIGN:
        if account == CHILD and (operation.route, place) in SERVES_BELOW:
            continue
        for role in roles if place == PATH or account == FOREIGN[0] else roles[:1]:
            yield account, role
    if "user" in operation.roles:
        yield OWNER, "user"
        yield FOREIGN[0], "user"


def owner_role(operation: Operation) -> str:
    """Return a role of the owner that may call a route."""
    wanted = (ROLES_OF_ROUTES.get(operation.route), "reseller", "reviewer", "service", OPERATOR)
    return next(role for role in wanted if role in operation.roles)


async def send(
    estate: Estate, caller: Caller, request: Request, other: Things, **more: Any
) -> httpx.Response:
    """Send a request as a caller. `other` are the things that it names, the rest are the caller's own."""
    own = (
        await fresh(estate, caller[0]) if request.operation.route in RENEWED else things_of(estate, caller[0])
    )
    client = estate.client(request.operation.service, *caller)
    return await client.request(**request.filled(own, other), **more)


async def fresh(estate: Estate, account: str) -> Things:
    """Return the things of an account, with its last rejected verification."""
    things = things_of(estate, account)
    path = f"/v1/verifications?status=rejected&did_id={things['rejected_did']}"
    found = await estate.do("verification", account, "reviewer", path, method="GET")
    last = max(found["items"], key=lambda item: item["attempt"])
    return things | {"rejected_verification": last["verification_id"]}


async def together(checks: Iterable[Any]) -> list[str]:
    """Run checks, some at the same time. Return what they found."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(check: Any) -> list[str]:
        async with slots:
            found: list[str] = await check
            return found

    return [text for found in await asyncio.gather(*map(one, checks)) for text in found]


def test_every_route_parameter_and_field_has_a_row() -> None:
    """A new route that takes a body, a new query parameter, or a new field must be added to `tenancy.rows`."""
    missing = []
    for operation in all_operations():
        route = operation.route
        missing += [
            f"{route}: ?{name}" for name in operation.queries if name not in QUERIES.keys() | PLAIN_QUERIES
        ]
        missing += [f"{route}: {name}" for name in operation.fields - FIELDS - PLAIN_FIELDS]
        tested = {name for body in BODIES.get(route, []) for name in body}
        missing += [f"{route}: {name} is in no body" for name in (operation.fields & FIELDS) - tested]
        missing += [f"{route}: no body"] if "requestBody" in operation.document and not tested else []
        assert operation.path_things.keys() == set(operation.path_things)
    unknown = BODIES.keys() - {operation.route for operation in all_operations()}
    assert missing + sorted(unknown) == []


@ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_foreign_and_absent_things_have_the_same_answer(estate: Estate, name: str) -> None:
    """In paths, queries and bodies; for each role, in unrelated, similarly named and lower accounts."""
    checks = [
        difference(estate, request, caller)
        for operation in operations(name)
        for request in requests_of(operation)
        if (operation.route, request.place) not in TAKEN
        for caller in strangers(operation, request.place)
    ]
    assert await together(checks) == []


async def difference(estate: Estate, request: Request, caller: Caller) -> list[str]:
    """Send a request about absent things and about the owner's. Return how the answers differ."""
    real = things_of(estate, OWNER)
    other = absent(real)
    async with estate.locks[caller[0]]:
        nothing = comparable(await send(estate, caller, request, other), other, real)
        foreign = comparable(await send(estate, caller, request, real), real, real)
    return told(caller, request, foreign, nothing)


def told(caller: Caller, request: Request, foreign: Any, nothing: Any) -> list[str]:
    """Return what the answer about a foreign thing tells a caller."""
    where = f"{caller} {request.operation.route} {request.place}"
    return [] if nothing == foreign else [f"{where}: {foreign} instead of {nothing}"]


@ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_no_list_and_no_count_contains_anything_foreign(estate: Estate, name: str) -> None:
    """Lists, CSV, summaries; from the first page and from a cursor of the owner."""
    checks = [
        shown(estate, operation, caller)
        for operation in operations(name)
        if operation.method == "GET" and not operation.path_things
        for caller in strangers(operation, "")
    ]
    assert await together(checks) == []


async def shown(estate: Estate, operation: Operation, caller: Caller) -> list[str]:
    """Return what a list shows of the owner's things."""
    owner = estate.client(operation.service, OWNER, owner_role(operation))
    queries = [{"limit": "1000"}, {"limit": "1"}] if operation.is_list else [{}]
    if operation.is_list:
        first = (await owner.get(operation.path, params={"limit": "1"})).json()
        queries += [{"cursor": first["next"]}] if first["next"] else []
    found = []
    before = {"until": estate.made_at} if operation.route == AUDIT_LOG else {}
    for query in queries:
        answer = await estate.client(operation.service, *caller).get(operation.path, params=query | before)
        found += [
            f"{caller} {operation.route} {query}: {text}"
            for text in markers(estate, caller)
            if text in answer.text
        ]
        assert answer.is_success, answer.text
    return found


def markers(estate: Estate, caller: Caller) -> list[str]:
    """Return all texts by which the owner's things can be recognized, except those that serve the caller."""
    things = {name: value for name, value in estate.things[OWNER].items() if name != "account"}
    if caller[0] == CHILD:
        return [value for name, value in things.items() if name not in SEEN_BELOW]
    if caller[0] == OWNER:
        return [value for name, value in things.items() if name.endswith(("did", "number"))]
    return [*things.values(), f'"{OWNER}"']


@ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_the_owner_is_answered_and_its_idempotency_keys_reveal_nothing(
    estate: Estate, name: str
) -> None:
    """Each request of the matrix succeeds for the owner; with the same key, others are answered as if it were new."""
    problems = []
    last = sorted(operations(name), key=lambda one: ("GET", "POST", "PATCH", "DELETE").index(one.method))
    for operation in last:
        for n, request in enumerate(plain_requests(operation)):
            problems += await refused_to_owner(estate, request, key=f"{operation.route} {n}")
            for caller in ((FOREIGN[0], role) for role in operation.roles[:1] if role != OPERATOR):
                problems += await replayed(estate, caller, request, key=f"{operation.route} {n}")
    assert problems == []


async def refused_to_owner(estate: Estate, request: Request, key: str) -> list[str]:
    """Send a request of the owner; if it only reads, also of the account above and of an operator elsewhere."""
    operation = request.operation
    callers, headers = [(OWNER, owner_role(operation))], {"Idempotency-Key": key}
    if operation.method == "GET":
        callers, headers = [*callers, (PARENT, owner_role(operation)), ("rival", OPERATOR)], {}
    own = things_of(estate, OWNER)
    client = {caller: estate.client(operation.service, *caller) for caller in callers}
    found = {
        caller: await client[caller].request(**request.filled(own, own), headers=headers)
        for caller in callers
    }
    return [
        f"{caller} {operation.route}: {answer.status_code} {answer.text}"
        for caller, answer in found.items()
        if not is_accepted(answer) and not operation.path.startswith(NOTHING_THERE)
    ]


async def replayed(estate: Estate, caller: Caller, request: Request, key: str) -> list[str]:
    """Send the owner's request, to the byte, under the owner's key. Return how that differs from absent things."""
    client = estate.client(request.operation.service, *caller)
    real = things_of(estate, OWNER)
    answers = []
    for things, name in ((absent(real), f"{key} of nobody"), (real, key)):
        answer = await client.request(**request.filled(things, things), headers={"Idempotency-Key": name})
        answers.append(comparable(answer, things, real))
    return told(caller, request, *reversed(answers))


def is_accepted(answer: httpx.Response) -> bool:
    """True if a request was understood and its things were found: it is done, or refused because of their state."""
    refused = answer.status_code in (400, 403, 404, 405, 413, 415, 422) or answer.status_code >= 500
    return not refused and '"not_found"' not in answer.text and '"not_yours"' not in answer.text
