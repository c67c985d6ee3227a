"""The check that a role which may not do something is refused before anything is looked up."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tenancy.callers import things_of
from tenancy.estate import OWNER, SUBJECT, Estate
from tenancy.matrix import MATRIX
from tenancy.requests import Operation, absent, plain_requests
from tenancy.statement_counts import all_logged, statements

JSON: Final = {"Content-Type": "application/json"}
UNKNOWN: Final = {"no_such_parameter": "1"}


def attempts(estate: Estate, operation: Operation) -> Iterator[dict[str, Any]]:
    """Yield requests about own and absent things, and requests that are wrong in each of their parts."""
    own = things_of(estate, OWNER)
    for things in (own, absent(own)):
        new = estate.new_things()
        yield next(plain_requests(operation)).filled(things | new, things | new)
    wrong = {"method": operation.method, "url": re.sub(r"{\w+}", "no id", operation.path)}
    yield wrong
    yield {**wrong, "params": UNKNOWN}
    yield {**wrong, "params": {"limit": "-1", "cursor": "?"}}
    if operation.method == "GET":
        return
    yield {**wrong, "content": b"{", "headers": JSON}
    yield {**wrong, "content": b'{"no_such_field": 1}', "headers": JSON}
    yield {**wrong, "content": b"\xff" * 9, "headers": {"Content-Type": "text/plain"}}
    yield {**wrong, "content": b"{}", "headers": JSON | {"Idempotency-Key": "k" * 300}}


async def not_refused(
    estate: Estate, operation: Operation, role: str, requests: Sequence[dict[str, Any]]
) -> list[str]:
    """Send requests with a role that may not. Return each that is not refused at once, and alike."""
    client = estate.client(operation.service, OWNER, role, SUBJECT)
    found, said = [], set()
    for request in requests:
        with statements() as sent:
            answer = await client.request(**request)
            await all_logged()
        MATRIX.refused(operation, role)
        said.add(answer.content)
        if answer.status_code != 403 or answer.json()["code"] != "role_not_allowed" or sent:
            found.append(f"{role} {operation.route}: {answer.text} after {len(sent)} statements")
    return found + ([f"{role} {operation.route}: {said}"] if len(said) > 1 else [])


async def not_admitted(estate: Estate, operation: Operation, role: str) -> list[str]:
    """Send a request with an unknown parameter with a role that may. Return if it is refused for its role."""
    client = estate.client(operation.service, OWNER, role)
    path = re.sub(r"{\w+}", "no id", operation.path)
    with statements() as sent:
        answer = await client.request(operation.method, path, params=UNKNOWN)
        await all_logged()
    MATRIX.admitted(operation, role)
    is_past = answer.status_code == 422 and answer.json()["code"] == "unknown_parameter"
    return [] if is_past and not sent else [f"{role} {operation.route}: {answer.text} after {sent}"]
