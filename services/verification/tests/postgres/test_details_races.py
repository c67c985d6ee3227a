"""Changes, deletions and uploads at the same time as their use: every order has a consistent result."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from didflow_verification.api.details import routes
from didflow_verification.service import service
from didflow_verification.settings import VerificationSettings

SERVICE = service(VerificationSettings.placeholder())

ROUNDS = 8
BUSINESS = {"type": "business", "company_name": "Secretive Bakery Ltd"}
PLACE = {"street": "7 Hidden Lane", "city": "Dublin 2", "postal_code": "D02 X000", "country": "IE"}


class Entered:
    """An identity with an address, fresh."""

    identity_id: str
    address_id: str


async def entered(ann: Any) -> Entered:
    """Enter both."""
    made = Entered()
    made.identity_id = (await ann.post("/v1/identities", json=BUSINESS)).json()["identity_id"]
    place = await ann.post("/v1/addresses", json=PLACE | {"identity_id": made.identity_id})
    made.address_id = place.json()["address_id"]
    return made


def number(build: Any, place: int) -> Any:
    """Return the messages of another DID."""
    one = type(build)()
    one.did, one.number = uuid4(), f"+3531961{place:04d}"
    return one


async def status_of(running: Any, did: Any) -> str:
    """Return the status of the latest verification of a DID."""
    rows = await running.fetch(
        "SELECT status FROM verifications WHERE did_id = $1 ORDER BY attempt DESC", did
    )
    found: str = rows[0]["status"]
    return found


async def test_an_identity_is_either_deleted_or_in_use(running: Any, ann: Any, build: Any) -> None:
    """It is deleted while it is assigned. Either the deletion is refused or the assignment is rejected."""
    seen = set()
    for place in range(ROUNDS):
        bakery, one = await entered(ann), number(build, place)
        await running.receive(one.purchased())
        deleting = ann.delete(f"/v1/identities/{bakery.identity_id}")
        taking = running.receive(one.assigned(bakery, bakery))
        pair = (deleting, taking) if place % 2 else (taking, deleting)
        answers = await asyncio.gather(*pair)
        deleted = answers[0 if place % 2 else 1].status_code
        seen.add((deleted, await status_of(running, one.did)))
    assert seen <= {(204, "rejected"), (409, "pending")}


async def test_a_did_is_judged_by_the_latest_revision_of_its_details(
    running: Any, ann: Any, build: Any
) -> None:
    """The identity is changed while it is assigned. The last verification has the last revision."""
    for place in range(ROUNDS):
        bakery, one = await entered(ann), number(build, place)
        await running.receive(one.purchased())
        path = f"/v1/identities/{bakery.identity_id}"
        await asyncio.gather(
            running.receive(one.assigned(bakery, bakery)),
            ann.patch(path, json={"company_name": "Changed Ltd"}),
            running.run_jobs(),
        )
        await running.run_jobs()
        rows = await running.fetch(
            "SELECT identity_revision FROM verifications WHERE did_id = $1 ORDER BY attempt DESC", one.did
        )
        assert rows[0]["identity_revision"] == 2


async def test_ten_uploads_with_one_key_create_one_document(
    running: Any, ann: Any, upload: Any, files: Any
) -> None:
    """The other requests get the same answer, or that the first is still running. No content is left over."""
    bakery, content = await entered(ann), files.image(size=(300, 200))
    answers = await asyncio.gather(*(upload(bakery.identity_id, content, key="k") for _ in range(10)))
    made = {answer.json()["document_id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json().get("code") for answer in answers} <= {None, "idempotency_in_progress"}
    assert (await running.count("documents"), await running.count("document_contents")) == (1, 1)
    assert await running.count("document_contents", "unused_since IS NULL") == 1


async def test_a_document_that_is_uploaded_while_its_identity_is_deleted_leaves_no_content(
    running: Any, ann: Any, upload: Any, files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is uploaded after the contents were read and before the decision, which erases it too."""
    bakery, content, release = await entered(ann), files.image(size=(300, 200)), routes.release_contents
    await upload(bakery.identity_id, content)

    async def then_upload(*about: Any) -> Any:
        released = await release(*about)
        assert (await upload(bakery.identity_id, content)).status_code == 201
        return released

    monkeypatch.setattr(routes, "release_contents", then_upload)
    assert (await ann.delete(f"/v1/identities/{bakery.identity_id}")).status_code == 204
    assert await running.count("documents", "content_id IS NULL AND erased_at IS NOT NULL") == 2
    assert (await running.count("document_contents"), await running.count("document_chunks")) == (0, 0)


@pytest.mark.parametrize("what", ["identities", "addresses"])
async def test_a_retried_change_gets_the_first_answer(running: Any, ann: Any, what: str) -> None:
    """The revision rises once. A retried deletion deletes once."""
    bakery = await entered(ann)
    path = f"/v1/{what}/{bakery.identity_id if what == 'identities' else bakery.address_id}"
    body = {"company_name": "Changed Ltd"} if what == "identities" else {"street": "8 Hidden Lane"}
    for method, more in (("PATCH", {"json": body}), ("DELETE", {})):
        first = await ann.request(method, path, headers={"Idempotency-Key": "k"}, **more)
        again = await ann.request(method, path, headers={"Idempotency-Key": "k"}, **more)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"
    assert await running.count("detail_changes") == 1
    assert await running.count(what, "revision = 2 AND erased_at IS NOT NULL") == 1
