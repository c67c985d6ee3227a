"""The personal data of a user is in its row alone, and nowhere after the user is deleted."""

import io
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from harness.postgres import owner_dsn_of
from harness.stored_values import tables_with, told
from harness.written_logs import written_logs

FIRM = "master/acme/firm"
ADMIN = f"enterprise_admin:{FIRM}"
FIRST = {
    "name": "Seraphina Quillfeather",
    "email": "seraphina@quill.example",
    "subject": "sub-quill-7788",
    "extension": "+35377881",
}
SECOND = {"name": "Leocadia Wintermorgen", "email": "leo@winter.example", "subject": "sub-winter-9911"}
SECRETS = {*FIRST.values(), *SECOND.values()}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All log lines of this process at the lowest level, as a deployment would write them."""
    with written_logs("inventory") as written:
        yield written


async def test_a_deleted_user_is_in_no_table_and_a_live_one_in_its_row_alone(
    inventory: Any, make: Any, log: io.StringIO
) -> None:
    """Created, changed, refused and deleted, each with a key: a repeat has the same answer, before and after.

    At the end the database fails. No answer but that of GET and no log line has the data either.
    """
    firm = {"path": FIRM, "name": "Firm", "kind": "enterprise", "allow_external_numbers": True}
    assert (await inventory.call("POST", "/v1/accounts", json=firm)).status_code == 201
    dsn = owner_dsn_of(inventory.database.dsn)
    by, body = "operator:root", FIRST | {"account": FIRM, "kind": "sms", "default_did": make.number}

    created = await inventory.call("POST", "/v1/users", by, "create", json=body)
    assert created.status_code == 201, created.text
    path = f"/v1/users/{created.json()['user_id']}"
    changed = await inventory.call("PATCH", path, ADMIN, "change", json=SECOND)
    wrong = await inventory.call("PATCH", path, ADMIN, "wrong", json={"email": FIRST["name"]})
    foreign = await inventory.call("PATCH", path, "reseller:other", "foreign", json=SECOND)
    used = await inventory.call("DELETE", path, ADMIN, "used")
    assert [a.status_code for a in (changed, wrong, foreign, used)] == [200, 422, 404, 409]
    shown = await inventory.get(path, ADMIN)
    assert {name: shown[name] for name in FIRST} == SECOND | {"extension": FIRST["extension"]}
    assert set(await tables_with(dsn, SECRETS)) == {"users"}

    freed = {"dids": [make.number], "user_id": None}
    assert (await inventory.call("POST", "/v1/dids/batch/assign-user", ADMIN, json=freed)).json()["done"] == 1
    assert (await inventory.call("DELETE", path, ADMIN, "delete")).status_code == 204
    assert await tables_with(dsn, SECRETS) == {}
    repeats = (
        await inventory.call("POST", "/v1/users", by, "create", json=body),
        await inventory.call("PATCH", path, ADMIN, "change", json=SECOND),
    )
    assert [(r.text, r.headers["Idempotent-Replayed"]) for r in repeats] == [
        (created.text, "true"),
        (changed.text, "true"),
    ]
    assert (await inventory.call("GET", path, ADMIN)).status_code == 404
    owner = await asyncpg.connect(dsn)
    await owner.execute("DROP TABLE users CASCADE")
    await owner.close()
    failed = await inventory.call("POST", "/v1/users", by, "failed", json=body)
    assert failed.status_code >= 500
    answers = (created, changed, wrong, foreign, used, *repeats, failed)
    assert set().union(*(told(answer.text, SECRETS) for answer in answers)) == set()
    assert (len(log.getvalue()) > 0, told(log.getvalue(), SECRETS)) == (True, set())
