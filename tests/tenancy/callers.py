"""Who calls in the tenant matrix, with which things, and what was answered."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from tenancy.estate import CHILD, FIRM, OWNER, SIMILAR, UNRELATED, Estate, Things
from tenancy.matrix import MATRIX
from tenancy.requests import Operation, Request, absent
from tenancy.rows import CARRIERS, KEYED, PATH, ROLES_OF_ROUTES, SERVES_BELOW
from tenancy.statement_counts import all_logged, statements

from didflow_chassis.http.jsonl_export import MEDIA_TYPE as JSON_LINES

OPERATOR: Final = "operator"
NOBODY: Final = "master/nobody"
"""An account that a token names and that does not exist."""
FOREIGN: Final = (*UNRELATED, *SIMILAR, CHILD, NOBODY)
USERS: Final = ((OWNER, "user"), (FIRM, "user"), (f"{UNRELATED[0]}/firm", "user"))
RENEWED: Final = "POST /v1/verifications/{verification_id}/resubmit"
"""A route that makes a new verification in place of that which it names."""
Caller = tuple[str, str]
"""Account and role."""
AT_ONCE: Final = 8
ONE_LOOP: Final = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """An answer, the things that the request named, and how many statements it took."""

    answer: httpx.Response
    named: Things
    statements: int


def things_of(estate: Estate, account: str) -> Things:
    """Return the things of an account. An enterprise has those of the account above it, and nobody has none."""
    found = estate.things.get(account.removesuffix("/firm"))
    return absent(estate.things[OWNER]) | {"account": account} if found is None else found


def serves(operation: Operation, place: str) -> bool:
    """True if what the place names also serves the accounts below."""
    return place in CARRIERS or (operation.route, place) in SERVES_BELOW


def strangers(operation: Operation, place: str = PATH) -> Iterator[Caller]:
    """Yield those who may call a route and whom the owner's things are foreign to.

    All roles in one account, and one role, each time another one, in all others; for the fields of a body, in some.
    """
    roles = [role for role in operation.roles if role not in (OPERATOR, "user")]
    is_body = place != PATH and not place.startswith("?")
    for n, account in enumerate(FOREIGN):
        if is_body and account not in (FOREIGN[0], SIMILAR[0], CHILD):
            continue
        if roles and not (account == CHILD and serves(operation, place)):
            for role in roles if n == 0 else [roles[n % len(roles)]]:
                yield account, role
    if "user" in operation.roles:
        yield from USERS if place.strip("?") != "account" else USERS[-1:]


def owner_role(operation: Operation) -> str:
    """Return a role of the owner that may call a route."""
    wanted = (ROLES_OF_ROUTES.get(operation.route), "reseller", "reviewer", "service", OPERATOR)
    return next(role for role in wanted if role in operation.roles)


async def send(
    estate: Estate, caller: Caller, request: Request, other: Things, headers: dict[str, str] | None = None
) -> Sent:
    """Send a request as a caller. `other` are the things that it names, the rest are the caller's own."""
    route = request.operation.route
    own = await fresh(estate, caller[0]) if route in RENEWED else things_of(estate, caller[0])
    new = estate.new_things()
    key = {"Idempotency-Key": str(uuid4())} if route in KEYED else {}
    client = estate.client(request.operation.service, *caller)
    filled = request.filled(own | new, other | new)
    with statements() as sent:
        answer = await client.request(**filled, headers=key | (headers or {}))
        await all_logged()
    MATRIX.requests += 1
    return Sent(answer=answer, named=other | new, statements=len(sent))


async def fresh(estate: Estate, account: str) -> Things:
    """Return the things of an account, with its last rejected verification."""
    things = things_of(estate, account)
    path = f"/v1/verifications?status=rejected&did_id={things['rejected_did']}"
    found = await estate.do("verification", account, "reviewer", path, method="GET")
    if not found["items"]:
        return things
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


def turn(estate: Estate, account: str) -> Any:
    """Return a lock: one request at a time about the things of an account."""
    return estate.locks.get(account) or nullcontext()


def meaning(answer: httpx.Response) -> str:
    """Return in a few words what an answer says: `404`, `none`, `not_found` for each item, or status and codes."""
    kind = answer.headers.get("content-type", "")
    if "json" not in kind or kind == JSON_LINES:
        lines_of_nothing = 0 if kind == JSON_LINES else 1
        is_nothing = answer.is_success and len(answer.text.splitlines()) == lines_of_nothing
        return "none" if is_nothing else str(answer.status_code)
    body = answer.json()
    codes = sorted(set(_codes(body)))
    if answer.is_success and body == {}:
        return "none"
    if answer.status_code == 404 and set(codes) == {"not_found"}:
        return "404"
    if answer.is_success and (body.get("items", 0) == [] or codes == ["not_found"]):
        return "none" if not codes else "not_found"
    return " ".join([str(answer.status_code), *codes])


def _codes(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("code"), str):
            yield value["code"]
        for item in value.values():
            yield from _codes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _codes(item)
