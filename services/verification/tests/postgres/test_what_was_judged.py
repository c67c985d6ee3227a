"""What a decision was taken on is kept, shown to those who may see it, and erased with the person."""

import asyncio
import hashlib
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa
from harness.statements import statements_of

from didflow_chassis.decision import Caller
from didflow_chassis.states import Stored
from didflow_verification.domain.details.former import former_of
from didflow_verification.store import DOCUMENTS, FORMER_DETAILS, VERIFICATIONS, by_keys

MISMATCH = {"reasons": [{"code": "mismatch", "field": "identity.company_name"}]}
CHANGED = {"company_name": "Renamed Bakery Ltd"}


async def whole(client: Any, verification_id: str) -> dict[str, Any]:
    """Return a verification as it is shown."""
    answer = await client.get(f"/v1/verifications/{verification_id}")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def next_pending(client: Any) -> str:
    """Return the id of the one verification that waits for a reviewer."""
    (item,) = (await client.get("/v1/verifications")).json()["items"]
    identifier: str = item["verification_id"]
    return identifier


async def change(client: Any, details: Any, **fields: Any) -> None:
    """Change the identity, or the address if the fields are those of an address."""
    is_place = {"street", "city"} & set(fields)
    path = f"addresses/{details.address_id}" if is_place else f"identities/{details.identity_id}"
    changed = await client.patch(f"/v1/{path}", json=fields)
    assert changed.status_code == 200, changed.text


async def test_what_an_approval_was_judged_on_is_lost_when_the_details_are_changed(
    running: Any, ann: Any, rita: Any, *, bakery: Any, pending_id: str
) -> None:
    """The approved verification shows the old name and street, also while newer ones are pending or rejected."""
    assert (await rita.post(f"/v1/verifications/{pending_id}/approve")).status_code == 200
    await change(ann, bakery, **CHANGED)
    await change(ann, bakery, street="8 Hidden Lane")
    await running.run_jobs()
    second = await next_pending(rita)
    for _ in range(2):
        old, new = await whole(rita, pending_id), await whole(rita, second)
        assert (old["status"], old["identity"]["company_name"]) == ("approved", "Secretive Bakery Ltd")
        assert (old["identity"]["revision"], old["address"]["street"]) == (1, "7 Hidden Lane")
        assert (new["identity"]["company_name"], new["identity"]["revision"]) == (CHANGED["company_name"], 2)
        assert (new["address"]["street"], new["address"]["revision"]) == ("8 Hidden Lane", 2)
        await rita.post(f"/v1/verifications/{second}/reject", json=MISMATCH)


async def test_former_details_are_readable_in_the_database_without_a_key(
    running: Any, ann: Any, bakery: Any, *, pending_id: str, caplog: Any
) -> None:
    """The former content is stored once, encrypted, with the id of its key. Damaged content has a code of its own."""
    await change(ann, bakery, **CHANGED)
    await change(ann, bakery, street="8 Hidden Lane")
    rows = await running.fetch("SELECT detail_id, revision, key_id, content FROM former_details")
    assert {(str(row["detail_id"]), row["revision"]) for row in rows} == {
        (bakery.identity_id, 1),
        (bakery.address_id, 1),
    }
    assert {row["key_id"] for row in rows} == {"k1"}
    for row in rows:
        assert b"Secretive" not in row["content"]
        assert b"Hidden" not in row["content"]
    moved = "UPDATE former_details SET content = (SELECT content FROM former_details WHERE detail_id <> $1)"
    await running.fetch(f"{moved} WHERE detail_id = $1", rows[0]["detail_id"])
    async with running.as_caller("rita", "master", "reviewer") as rita:
        answer = await rita.get(f"/v1/verifications/{pending_id}")
        assert (await rita.get("/v1/verifications")).status_code == 200
    assert (answer.status_code, answer.json()["code"]) == (500, "details_unopenable")
    assert answer.json()["reference"] in [getattr(line, "reference", None) for line in caplog.records]
    assert "Secretive" not in caplog.text


async def test_former_details_are_stored_as_plain_text(running: Any, acme: Any) -> None:
    """The table refuses a content without the id of a key."""
    plain = former_of(acme)
    with pytest.raises(asyncpg.CheckViolationError):
        await running.fetch(FORMER_DETAILS.save_sql, *FORMER_DETAILS.to_columns([Stored(plain, 1)]))
    assert await running.count("former_details") == 0


async def test_details_that_nobody_judged_are_kept_for_no_reason(
    running: Any, ann: Any, bakery: Any, build: Any
) -> None:
    """A change before the first assignment, and one between two judged revisions, store nothing."""
    await change(ann, bakery, **CHANGED)
    await change(ann, bakery, street="8 Hidden Lane")
    assert await running.count("former_details") == 0
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    await change(ann, bakery, company_name="Third Ltd")
    await change(ann, bakery, company_name="Fourth Ltd")
    rows = await running.fetch("SELECT revision FROM former_details")
    assert [row["revision"] for row in rows] == [2]


async def test_a_thousand_verifications_store_a_thousand_copies_of_what_was_judged(
    running: Any, ann: Any, bakery: Any, build: Any
) -> None:
    """A change stores one row, and takes as many statements after 1,000 verifications as after one."""
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    await change(ann, bakery, company_name="Warm Ltd")
    await running.run_jobs()
    async with statements_of(running.database) as once:
        await change(ann, bakery, company_name="Second Ltd")
    for_one = len(once)
    others = []
    for n in range(999):
        other = type(build)()
        other.did, other.number = uuid4(), f"+3531960{n:04d}"
        others += [other.purchased(), other.assigned(bakery, bakery)]
    for start in range(0, len(others), 500):
        await running.receive(*others[start : start + 500])
    judged = await running.count("verifications", "identity_revision = 3")
    assert judged >= 999
    before = await running.count("former_details")
    async with statements_of(running.database) as many:
        await change(ann, bakery, **CHANGED)
    assert len(many) == for_one
    assert await running.count("former_details") == before + 1


async def test_a_change_beside_an_assignment_loses_what_was_judged(
    running: Any, ann: Any, bakery: Any, build: Any
) -> None:
    """Whichever is first, each verification still has the content of the revision that it judged."""
    for n in range(12):
        other = type(build)()
        other.did, other.number = uuid4(), f"+353196091{n:02d}"
        await running.receive(other.purchased())
        await asyncio.gather(
            running.receive(other.assigned(bakery, bakery)),
            change(ann, bakery, company_name=f"Round {n} Ltd"),
        )
    judged = await running.fetch("SELECT DISTINCT identity_revision AS revision FROM verifications")
    kept = {row["revision"] for row in await running.fetch("SELECT revision FROM former_details")}
    now = (await running.fetch("SELECT revision FROM identities"))[0]["revision"]
    assert {row["revision"] for row in judged} == kept | ({now} & {row["revision"] for row in judged})
    assert kept


@pytest.mark.parametrize("keys", [""])
async def test_without_keys_a_change_loses_what_was_judged(
    running: Any, ann: Any, bakery: Any, build: Any
) -> None:
    """Nothing changes: the call is refused `unavailable`. Details that nobody judged can be changed."""
    await change(ann, bakery, **CHANGED)
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    for path, body in (
        (f"/v1/identities/{bakery.identity_id}", {"company_name": "Third Ltd"}),
        (f"/v1/addresses/{bakery.address_id}", {"street": "8 Hidden Lane"}),
    ):
        answer = await ann.patch(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert await running.count("identities", "revision = 2") == 1
    assert await running.count("addresses", "revision = 1") == 1


async def test_a_document_has_no_hash_and_a_decision_does_not_say_which_bytes_it_was_about(
    running: Any, ann: Any, rita: Any, *, build: Any, bakery: Any, upload: Any, files: Any
) -> None:
    """The SHA-256 of the upload is with the document and the verification, and stays with the latter."""
    content = files.image(size=(700, 900))
    expected = hashlib.sha256(content).hexdigest()
    named = (await upload(bakery.identity_id, content)).json()["document_id"]
    shown = (await ann.get(f"/v1/documents/{named}")).json()
    assert shown["sha256"] == expected
    await running.receive(build.purchased(), build.assigned(bakery, bakery, document_ids=[named]))
    (item,) = (await rita.get("/v1/verifications?status=all")).json()["items"]
    (document,) = (await whole(rita, item["verification_id"]))["documents"]
    assert (document["document_id"], document["type"], document["sha256"]) == (
        named,
        "utility_bill",
        expected,
    )
    assert document["details"]["media_type"] == "image/png"
    await running.receive(build.removed())
    assert (await ann.delete(f"/v1/documents/{named}")).status_code == 204
    (document,) = (await whole(rita, item["verification_id"]))["documents"]
    assert (document["sha256"], document["details"]) == (expected, None)
    rows = await running.database.fetch(by_keys(DOCUMENTS, [named]))
    assert rows[0]["sha256"] is None


async def test_the_hash_of_a_foreign_document_is_shown_to_whoever_names_it(
    running: Any, ann: Any, rita: Any, *, build: Any, bakery: Any, upload: Any
) -> None:
    """Only the id that was submitted is shown."""
    other = (await ann.post("/v1/identities", json={"type": "business", "company_name": "Other"})).json()
    foreign = (await upload(other["identity_id"])).json()["document_id"]
    await running.receive(build.purchased(), build.assigned(bakery, bakery, document_ids=[foreign]))
    (item,) = (await rita.get("/v1/verifications?status=all")).json()["items"]
    shown = await whole(rita, item["verification_id"])
    assert shown["documents"] == [{"document_id": foreign, "type": None, "sha256": None, "details": None}]


async def test_changed_since_is_empty_after_a_rejection_and_a_change_in_place(
    running: Any, ann: Any, rita: Any, *, bakery: Any, pending_id: str, upload: Any
) -> None:
    """The next attempt says what was changed in the identity, the address and the documents."""
    assert (await whole(rita, pending_id))["changed_since"] == []
    await rita.post(f"/v1/verifications/{pending_id}/reject", json=MISMATCH)
    await change(ann, bakery, **CHANGED, vat_number=None)
    await change(ann, bakery, street="8 Hidden Lane")
    named = (await upload(bakery.identity_id, type="commercial_register_extract")).json()["document_id"]
    body = {"document_ids": [named]}
    again = await ann.post(f"/v1/verifications/{pending_id}/resubmit", json=body)
    assert again.status_code == 201, again.text
    shown = await whole(rita, again.json()["verification_id"])
    (document,) = shown["documents"]
    added = {name: document[name] for name in ("document_id", "type", "sha256")}
    assert shown["changed_since"] == [
        {
            "field": "identity.company_name",
            "before": "Secretive Bakery Ltd",
            "after": CHANGED["company_name"],
        },
        {"field": "identity.vat_number", "before": "2813105O", "after": None},
        {"field": "address.street", "before": "7 Hidden Lane", "after": "8 Hidden Lane"},
        {"field": "documents", "before": None, "after": added},
    ]
    third = await ann.post(
        f"/v1/verifications/{again.json()['verification_id']}/resubmit", json={"document_ids": []}
    )
    if third.status_code == 201:
        differences = (await whole(rita, third.json()["verification_id"]))["changed_since"]
        assert differences == [{"field": "documents", "before": added, "after": None}]


async def test_changed_since_ignores_that_another_identity_was_submitted(
    running: Any, ann: Any, rita: Any, *, build: Any, bakery: Any, pending_id: str
) -> None:
    """It names both ids and what differs between them."""
    made = await ann.post("/v1/identities", json={"type": "business", "company_name": "Other Ltd"})
    other = made.json()["identity_id"]
    await running.receive(
        build.assigned(bakery, bakery, build.zero.replace(minute=59), identity_id=other, address_id=None)
    )
    rows = (await rita.get(f"/v1/verifications?did_id={build.did}")).json()["items"]
    second = next(row["verification_id"] for row in rows if row["attempt"] == 2)
    differences = (await whole(rita, second))["changed_since"]
    assert {"field": "identity", "before": bakery.identity_id, "after": other} in differences
    assert {
        "field": "identity.company_name",
        "before": "Secretive Bakery Ltd",
        "after": "Other Ltd",
    } in differences
    assert {"field": "address", "before": bakery.address_id, "after": None} in differences


async def test_an_earlier_attempt_shows_the_person_of_another_account(
    running: Any, ann: Any, *, build: Any, bakery: Any, pending_id: str
) -> None:
    """The DID is handed to another account. Its attempts say that the identity differs, without any value."""
    await running.receive(build.did_changed(account="master/globex", sequence=2))
    async with running.as_caller("bob", "master/globex") as bob:
        made = await bob.post("/v1/identities", json={"type": "business", "company_name": "Globex"})
        other = made.json()["identity_id"]
        build.account = "master/globex"
        await running.receive(
            build.assigned(bakery, bakery, build.zero.replace(minute=59), identity_id=other, address_id=None)
        )
        rows = (await bob.get("/v1/verifications?status=all")).json()["items"]
        second = next(row["verification_id"] for row in rows if row["attempt"] == 2)
        answer = await bob.get(f"/v1/verifications/{second}")
    assert answer.json()["changed_since"] == [
        {"field": "identity", "before": None, "after": None},
        {"field": "address", "before": None, "after": None},
    ]
    assert "Secretive" not in answer.text
    assert "Hidden Lane" not in answer.text


async def test_the_next_holder_is_shown_the_documents_of_the_last_one(
    running: Any, *, build: Any, bakery: Any, upload: Any
) -> None:
    """An attempt followed the DID to another account. It has the ids that were submitted, and nothing else."""
    named = (await upload(bakery.identity_id)).json()["document_id"]
    await running.receive(build.purchased(), build.assigned(bakery, bakery, document_ids=[named]))
    await running.fetch("UPDATE verifications SET account = 'master/globex'")
    async with running.as_caller("bob", "master/globex") as bob:
        (item,) = (await bob.get("/v1/verifications?status=all")).json()["items"]
        shown = await whole(bob, item["verification_id"])
    assert (shown["identity"], shown["address"]) == (None, None)
    assert shown["documents"] == [{"document_id": named, "type": None, "sha256": None, "details": None}]


async def test_accounts_below_read_former_details_that_no_verification_of_theirs_judged(
    running: Any, ann: Any, build: Any, bakery: Any
) -> None:
    """The policy of the table shows them the revision that they were judged by, and no other."""
    shop = type(build)()
    shop.did, shop.number, shop.account = uuid4(), "+35319609037", "master/acme/shop"
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    await change(ann, bakery, **CHANGED)
    await running.receive(shop.purchased(), shop.assigned(bakery, bakery))
    await running.run_jobs()
    await change(ann, bakery, company_name="Third Ltd")
    every = sa.select(FORMER_DETAILS.table.c.revision)
    for account, role, revisions in (
        ("master", "reviewer", {1, 2}),
        ("master/acme", "reseller", {1, 2}),
        ("master/acme/shop", "reseller", {2}),
        ("master/acme/bar", "reseller", set()),
        ("master/globex", "reviewer", set()),
    ):
        caller = Caller(subject="ann", account=account, role=role)
        assert {row["revision"] for row in await running.reads.read(every, caller)} == revisions, account


async def test_who_was_shown_former_details_is_not_recorded(
    running: Any, ann: Any, rita: Any, *, bakery: Any, pending_id: str
) -> None:
    """A verification that shows them is a read of the identity and the address."""
    await change(ann, bakery, **CHANGED)
    before = await running.count("personal_reads", "subject = 'rita'")
    await whole(rita, pending_id)
    assert await running.count("personal_reads", "subject = 'rita'") == before + 2


async def test_former_details_survive_the_deletion_of_the_person(
    running: Any, ann: Any, rita: Any, *, build: Any, bakery: Any, pending_id: str
) -> None:
    """The deletion of the address empties its former content, and that of the identity both."""
    await change(ann, bakery, **CHANGED)
    await change(ann, bakery, street="8 Hidden Lane")
    await running.receive(build.removed())
    kept = await running.fetch("SELECT content FROM former_details")
    assert (await ann.delete(f"/v1/addresses/{bakery.address_id}")).status_code == 204
    assert await running.count("former_details", "content IS NULL AND key_id IS NULL") == 1
    shown = await whole(rita, pending_id)
    assert (shown["identity"]["company_name"], shown["address"]) == ("Secretive Bakery Ltd", None)
    assert (await ann.delete(f"/v1/identities/{bakery.identity_id}")).status_code == 204
    assert await running.count("former_details", "content IS NULL AND key_id IS NULL") == 2
    assert (await whole(rita, pending_id))["identity"] is None
    assert len(kept) == 2


async def test_a_change_beside_a_deletion_leaves_former_details(running: Any, ann: Any, build: Any) -> None:
    """Whichever is first, nothing of the person is left."""
    for n in range(12):
        one = type(build)()
        one.did, one.number = uuid4(), f"+353196092{n:02d}"
        body = {"type": "business", "company_name": "Secretive Bakery Ltd", "vat_number": "2813105O"}
        identity = (await ann.post("/v1/identities", json=body)).json()["identity_id"]
        details = type("Details", (), {"identity_id": identity})()
        await running.receive(one.purchased(), one.assigned(details), one.removed())
        path = f"/v1/identities/{identity}"
        deleted, changed = await asyncio.gather(ann.delete(path), ann.patch(path, json=CHANGED))
        assert deleted.status_code == 204
        assert changed.status_code in (200, 404)
        assert (
            await running.count("former_details", f"identity_id = '{identity}' AND content IS NOT NULL") == 0
        )


async def test_a_stored_verification_has_the_documents_as_they_were_judged(
    running: Any, build: Any, bakery: Any, upload: Any
) -> None:
    """Their ids, types and hashes are in its row."""
    named = (await upload(bakery.identity_id)).json()["document_id"]
    await running.receive(build.purchased(), build.assigned(bakery, bakery, document_ids=[named]))
    (row,) = await running.fetch("SELECT verification_id FROM verifications")
    stored = await running.stored(VERIFICATIONS, row[0])
    assert [(str(d.document_id), d.kind, len(d.sha256)) for d in stored.documents] == [
        (named, "utility_bill", 64)
    ]
