"""The tenant matrix: every route, every role and every relation of accounts, generated from the OpenAPI documents.

What belongs to somebody else is answered like what does not exist: same status, code, body and headers, after as many
statements.
"""

import httpx
import pytest
from tenancy.bodies import BODIES
from tenancy.callers import (
    FOREIGN,
    ONE_LOOP,
    OPERATOR,
    Caller,
    owner_role,
    strangers,
    things_of,
    together,
)
from tenancy.checks import difference, shown
from tenancy.estate import OWNER, PARENT, Estate, Things
from tenancy.gate import not_refused
from tenancy.matrix import MATRIX
from tenancy.requests import (
    Request,
    absent,
    all_operations,
    names_in,
    operations,
    plain_requests,
    requests_of,
)
from tenancy.rows import FIELDS, NOTHING_THERE, PATH, PLAIN_FIELDS, PLAIN_QUERIES, QUERIES

from didflow_contracts.names import NO_DID
from didflow_contracts.roles import ROLES
from didflow_contracts.topics import SERVICES


def test_every_route_parameter_and_field_has_a_row() -> None:
    """A new route that takes a body, a new query parameter, or a new field must be added to `tenancy.rows`."""
    missing = []
    for operation in all_operations():
        route = operation.route
        missing += [
            f"{route}: ?{name}" for name in operation.queries if name not in QUERIES.keys() | PLAIN_QUERIES
        ]
        missing += [f"{route}: {name}" for name in operation.fields - FIELDS - PLAIN_FIELDS]
        tested = set(names_in(BODIES.get(route, [])))
        missing += [f"{route}: {name} is in no body" for name in (operation.fields & FIELDS) - tested]
        missing += [f"{route}: no body"] if "requestBody" in operation.document and not tested else []
        assert operation.path_things.keys() == set(operation.path_things)
    unknown = BODIES.keys() - {operation.route for operation in all_operations()}
    assert missing + sorted(unknown) == []


def test_every_role_of_every_route_is_a_stranger_once() -> None:
    """No role that may call a route is left out of the comparisons. Operators have no foreign things."""
    missing = []
    for operation in all_operations():
        places = [request.place for request in requests_of(operation)]
        places += [""] if operation.method == "GET" and not operation.path_things else []
        asked = {role for place in places for _, role in strangers(operation, place)}
        left_out = set(operation.roles) - {OPERATOR} - asked
        missing += [f"{operation.route}: {sorted(left_out)}"] if left_out else []
    assert missing == []


@ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_foreign_and_absent_things_have_the_same_answer(estate: Estate, name: str) -> None:
    """In paths, queries and bodies; for each role, in unrelated, similarly named, lower and no accounts."""
    checks = [
        difference(estate, request, caller)
        for operation in operations(name)
        for request in requests_of(operation)
        for caller in strangers(operation, request.place)
    ]
    found = await together(checks)
    assert not found, "\n".join(found)


@ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_what_is_not_found_has_one_message(estate: Estate, name: str) -> None:
    """In a batch, a text that is no name is refused like the name of an absent thing; a DID like one read alone."""
    own, nothing = things_of(estate, OWNER), absent(things_of(estate, OWNER))
    found: dict[str, set[str]] = {}
    for operation in operations(name):
        client = estate.client(name, OWNER, owner_role(operation))
        item = operation.batch_item or "did"
        for request in requests_of(operation):
            if request.place == f"{item}s" and (
                "/batch/" in operation.path or operation.path.endswith("/quote")
            ):
                sent = request.filled(own, nothing)
                sent["json"][request.place].append("no name")
                results = (await client.request(**sent)).json()["results"]
                found.setdefault(item, set()).update(each["message"] for each in results)
            elif request.place == PATH and operation.method == "GET" and request.path.keys() == {"did"}:
                answer = await client.get(operation.path.format(did="no name"))
                found.setdefault("did", set()).add(answer.json()["detail"])
    assert found.pop("did", {NO_DID}) == {NO_DID}
    assert {item: messages for item, messages in found.items() if len(messages) != 1} == {}


@ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_no_list_and_no_count_contains_anything_foreign(estate: Estate, name: str) -> None:
    """Lists, CSV, summaries; from the first page and from a cursor of the owner."""
    checks = [
        shown(estate, operation, caller)
        for operation in operations(name)
        if operation.method == "GET" and not operation.path_things and not operation.is_stream
        for caller in strangers(operation, "")
    ]
    found = await together(checks)
    assert not found, "\n".join(found)


@ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_the_owner_is_answered_and_its_idempotency_keys_reveal_nothing(
    estate: Estate, name: str
) -> None:
    """Each request of the matrix succeeds for the owner.

    With the same key, another account is answered as with a new one, and a role that may not gets 403, not the stored
    answer.
    """
    problems = []
    last = sorted(operations(name), key=lambda one: ("GET", "POST", "PATCH", "DELETE").index(one.method))
    for operation in last:
        if operation.is_stream:
            continue
        for n, request in enumerate(plain_requests(operation)):
            key, new = f"{operation.route} {n}", estate.new_things()
            problems += await refused_to_owner(estate, request, key, new)
            roles = [role for role in operation.roles if role not in (OPERATOR, "user")]
            if roles and operation.method != "GET":
                problems += await replayed(estate, (FOREIGN[0], roles[0]), request, key, new)
            problems += await replayed_to_forbidden(estate, request, key, new)
    assert not problems, "\n".join(problems)


async def refused_to_owner(estate: Estate, request: Request, key: str, new: Things) -> list[str]:
    """Send a request of the owner; if it only reads, also of the account above and of an operator elsewhere."""
    operation = request.operation
    callers, headers = [(OWNER, owner_role(operation))], {"Idempotency-Key": key}
    if operation.method == "GET":
        callers, headers = [*callers, (PARENT, owner_role(operation))], {}
        callers += [("rival", OPERATOR)] if OPERATOR in operation.roles else []
    own = things_of(estate, OWNER) | new
    found = []
    for caller in callers:
        client = estate.client(operation.service, *caller)
        answer = await client.request(**request.filled(own, own), headers=headers)
        MATRIX.requests += 1
        if not is_accepted(answer) and not operation.path.startswith(NOTHING_THERE):
            found.append(f"{caller} {operation.route}: {answer.status_code} {answer.text}")
    return found


async def replayed(estate: Estate, caller: Caller, request: Request, key: str, new: Things) -> list[str]:
    """Send the owner's request, to the byte, under the owner's key. Return if the answer knows the key."""
    client = estate.client(request.operation.service, *caller)
    own = things_of(estate, OWNER) | new
    answer = await client.request(**request.filled(own, own), headers={"Idempotency-Key": key})
    MATRIX.requests += 1
    is_known = "idempotent-replayed" in answer.headers or '"idempotency_' in answer.text
    return [f"{caller} {request.operation.route}: {answer.text}"] if is_known else []


async def replayed_to_forbidden(estate: Estate, request: Request, key: str, new: Things) -> list[str]:
    """Send the owner's request under its key with each role that may not. Return what is not 403 at once."""
    own = things_of(estate, OWNER) | new
    found = []
    for role in ROLES:
        if role not in request.operation.roles:
            sent = {**request.filled(own, own), "headers": {"Idempotency-Key": key}}
            found += await not_refused(estate, request.operation, role, [sent])
    return found


def is_accepted(answer: httpx.Response) -> bool:
    """True if a request was understood and its things were found: it is done, or refused because of their state."""
    refused = answer.status_code in (400, 403, 404, 405, 413, 415, 422) or answer.status_code >= 500
    return not refused and '"not_found"' not in answer.text and '"not_yours"' not in answer.text
