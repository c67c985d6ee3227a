"""The comparisons of the tenant matrix. Each returns what it found, in sentences; nothing if all is well."""

from collections.abc import Sequence
from typing import Any, Final

import httpx
from tenancy.callers import (
    NOBODY,
    OPERATOR,
    Caller,
    meaning,
    owner_role,
    send,
    things_of,
    turn,
)
from tenancy.estate import CHILD, FIRM, OWNER, Estate
from tenancy.matrix import MATRIX
from tenancy.requests import Operation, Request, absent, comparable
from tenancy.rows import ANSWERS, AUDIT_LOG, CARRIER_UNKNOWN, CARRIERS, LOADED_FIRST, TAKEN

NOT_FOUND: Final = ("404", "none", "not_found")
NARROWED: Final = frozenset({("user", "403 role_not_allowed")})
"""Role and answer: a `user` may change nothing but a description, and is told so before anything is looked up."""
SENT_BY_ALL: Final = frozenset({"account", "carrier_name", "operator_name"})
"""Names that the callers of the matrix have sent themselves, so that they are in their own things."""
SEEN_BELOW: Final = frozenset(
    {
        *("capacity_group", "spare_capacity_group", "profile", "spare_profile"),
        *("trunk", "spare_trunk", "trunk_group", "spare_trunk_group", "sms_trunk", "spare_sms_trunk"),
        *("carrier", "carrier_name", "operator", "operator_name"),
        *("stock_number", "spare_stock_number"),
    }
)
"""The things of an account that the accounts below it may use."""


async def difference(estate: Estate, request: Request, caller: Caller) -> list[str]:
    """Send a request about absent things and about the owner's. Return how the answers differ.

    The number of statements is compared too: whoever measures the time must not learn more.
    """
    real = things_of(estate, OWNER)
    place = (request.operation.route, request.place)
    async with turn(estate, caller[0]):
        if place in TAKEN:
            foreign = await send(estate, caller, request, real)
            _note(request.operation, caller, "taken")
            return taken(request, caller, foreign.answer, TAKEN[place], markers(estate, caller))
        nothing = await send(estate, caller, request, absent(real))
        foreign = await send(estate, caller, request, real)
    _note(request.operation, caller, meaning(foreign.answer))
    absent_one: Any = comparable(nothing.answer, nothing.named, real)
    foreign_one: Any = comparable(foreign.answer, foreign.named, real)
    if place not in LOADED_FIRST:
        absent_one = (*absent_one, nothing.statements)
        foreign_one = (*foreign_one, foreign.statements)
    return [
        *told(caller, request, foreign_one, absent_one),
        *void(request, caller, meaning(nothing.answer)),
    ]


def told(caller: Caller, request: Request, foreign: Any, nothing: Any) -> list[str]:
    """Return what the answer about a foreign thing tells a caller."""
    return [] if nothing == foreign else [f"{where(request, caller)}: {foreign} instead of {nothing}"]


def void(request: Request, caller: Caller, said: str) -> list[str]:
    """Return that a comparison is void: the request was refused for a reason that has nothing to do with the thing."""
    if caller[0] == NOBODY or said in NOT_FOUND or (caller[1], said) in NARROWED:
        return []
    known = ANSWERS.get((request.operation.route, request.place), ())
    carriers = CARRIER_UNKNOWN if request.place in CARRIERS else ()
    return (
        []
        if said in (*known, *carriers)
        else [f"{where(request, caller)}: an absent thing is answered {said}"]
    )


def taken(
    request: Request, caller: Caller, answer: httpx.Response, code: str, secrets: Sequence[str]
) -> list[str]:
    """Return what an answer tells more than that a name is taken."""
    shown = [text for text in secrets if text in answer.text and text not in answer.request.read().decode()]
    if code not in meaning(answer).split() or shown:
        return [f"{where(request, caller)}: {answer.text} instead of {code}, or shows {shown}"]
    return []


def where(request: Request, caller: Caller) -> str:
    """Return which request is meant."""
    return f"{caller} {request.operation.route} {request.place}"


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
        params = {**operation.needed, **query, **before}
        answer = await estate.client(operation.service, *caller).get(operation.path, params=params)
        MATRIX.requests += 1
        found += [
            f"{caller} {operation.route} {query}: {text}"
            for text in markers(estate, caller)
            if text in answer.text
        ]
        assert answer.is_success, answer.text
    _note(operation, caller, "none")
    return found


def markers(estate: Estate, caller: Caller) -> list[str]:
    """Return all texts by which the owner's things can be recognized, except those that serve the caller."""
    things = {name: value for name, value in estate.things[OWNER].items() if name not in SENT_BY_ALL}
    if caller[0] == CHILD:
        return [value for name, value in things.items() if name not in SEEN_BELOW]
    if caller[0] in (OWNER, FIRM):
        its_own = ("users_did", "users_number")
        dids = {name: value for name, value in things.items() if name.endswith(("did", "number"))}
        return [value for name, value in dids.items() if name not in its_own]
    return [*things.values(), f'"{OWNER}"']


def _note(operation: Operation, caller: Caller, said: str) -> None:
    if caller[0] != NOBODY and caller[1] != OPERATOR:
        MATRIX.foreign_answer(operation, caller[1], said)
