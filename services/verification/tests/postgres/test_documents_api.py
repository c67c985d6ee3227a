"""Documents over HTTP: uploaded as a stream, recognized by their content, and shown only to allowed callers."""

import asyncio
import hashlib
from typing import Any
from uuid import uuid4

import pytest

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("PDF", "application/pdf")],
)
async def test_a_document_is_uploaded_and_downloaded(
    upload: Any, ann: Any, bakery: Any, files: Any, *, form: str, media_type: str
) -> None:
    """The media type comes from the content, not from the name. The answer has no data of the document."""
    content = files.pdf() if form == "PDF" else files.image(form)
    made = await upload(
        bakery.identity_id,
        content,
        name="holiday.docx",
        issued_on="2026-10-01",
        expires_on="",
        type="commercial_register_extract",
        states='{"company_name": "Secretive Bakery Ltd"}',
    )
    assert made.status_code == 201
    entered = made.json()
    assert (entered["media_type"], entered["size"]) == (media_type, len(content))
    assert "Secretive" not in made.text
    shown = (await ann.get(f"/v1/documents/{entered['document_id']}")).json()
    stated = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "issued_on": "2026-10-01",
        "expires_on": None,
        "states": {"company_name": "Secretive Bakery Ltd"},
    }
    assert shown == entered | stated
    given = await ann.get(f"/v1/documents/{entered['document_id']}/content")
    assert (given.content, given.headers["content-type"]) == (content, media_type)
    assert given.headers["cache-control"] == "no-store"
    assert given.headers["x-content-type-options"] == "nosniff"


async def test_a_program_with_the_name_of_a_pdf_is_refused(
    running: Any, upload: Any, bakery: Any, files: Any
) -> None:
    """The refusal is `document_unreadable`, and nothing is kept."""
    refused = await upload(bakery.identity_id, files.exe(), name="passport.pdf")
    assert (refused.status_code, refused.json()["code"]) == (422, "document_unreadable")
    assert refused.json()["errors"][0] | {"message": ""} == {
        "field": "file",
        "code": "document_unreadable",
        "message": "",
    }
    for table in ("documents", "document_contents", "document_chunks"):
        assert await running.count(table) == 0


async def test_a_file_that_nobody_can_open_is_refused(
    running: Any, upload: Any, bakery: Any, files: Any
) -> None:
    """It is encrypted, cut off, altered, empty, too small, or of another format."""
    pdf, png, jpeg = files.pdf(), files.image("PNG", (300, 200)), files.image("JPEG", (300, 200))
    spoiled = {
        "encrypted": files.pdf(encrypted=True),
        "pdf cut": pdf[: len(pdf) // 2],
        "png cut": png[:-100],
        "png altered": png[:200] + b"\0\1\2\3" + png[204:],
        "jpeg cut": jpeg[:-500],
        "empty": b"",
        "gif": files.image("GIF"),
        "mark alone": b"%PDF-1.7\n" + bytes(900) + b"%%EOF",
        "one pixel": files.image("PNG", (1, 1)),
    }
    codes = {
        name: (await upload(bakery.identity_id, content)).json()["code"] for name, content in spoiled.items()
    }
    assert codes == dict.fromkeys(spoiled, "document_unreadable")
    assert await running.count("document_chunks") == 0


async def test_a_bomb_is_refused_and_delays_nobody_else(
    running: Any, upload: Any, ann: Any, bakery: Any, files: Any
) -> None:
    """While an image of a billion pixels and one of the most pixels are opened, the API answers other requests."""
    bombs = [upload(bakery.identity_id, files.bomb(side)) for side in (31_000, 8_900)]
    opening = asyncio.gather(*bombs)
    answered = 0
    while not opening.done():
        assert (await ann.get("/v1/documents")).status_code == 200
        answered += 1
        await asyncio.sleep(0.01)
    codes = [(answer.status_code, answer.json().get("code")) for answer in await opening]
    assert codes == [(422, "document_unreadable"), (201, None)]
    assert answered > 5


async def test_ten_mebibytes_are_accepted_and_one_byte_more_is_not(
    running: Any, upload: Any, ann: Any, bakery: Any, files: Any
) -> None:
    """The larger file is refused with 413, and nothing of it is kept."""
    picture = files.image()
    whole = picture + bytes(10 * MIB - len(picture))
    made = await upload(bakery.identity_id, whole)
    assert (made.status_code, made.json()["size"]) == (201, 10 * MIB)
    assert await running.count("document_chunks") == 10
    assert (await ann.get(f"/v1/documents/{made.json()['document_id']}/content")).content == whole
    over = await upload(bakery.identity_id, whole + b"\0")
    assert (over.status_code, over.json()["code"]) == (413, "body_too_large")
    assert (await running.count("documents"), await running.count("document_contents")) == (1, 1)


async def test_a_body_without_a_length_is_counted_while_it_arrives(
    ann: Any, contents: Any, bakery: Any
) -> None:
    """A chunked request is stopped at the limit."""
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        head = f'--x\r\nContent-Disposition: form-data; name="identity_id"\r\n\r\n{bakery.identity_id}\r\n'
        head += '--x\r\nContent-Disposition: form-data; name="type"\r\n\r\npassport\r\n'
        head += '--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        yield head.encode()
        for _ in range(100):
            sent += MIB
            yield bytes(MIB)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await ann.post("/v1/documents", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert sent < 13 * MIB


async def test_a_retried_upload_creates_nothing_more(
    running: Any, upload: Any, bakery: Any, files: Any
) -> None:
    """It gets the first answer. Another file or field with the same key is refused."""
    content = files.image(size=(200, 100))
    first = await upload(bakery.identity_id, content, key="k-1")
    again = await upload(bakery.identity_id, content, key="k-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    for changed in (
        await upload(bakery.identity_id, files.image(size=(200, 101)), key="k-1"),
        await upload(bakery.identity_id, content, key="k-1", type="passport"),
    ):
        assert (changed.status_code, changed.json()["code"]) == (422, "idempotency_key_reused")
    assert (await running.count("documents"), await running.count("document_contents")) == (1, 1)
    rows = await running.fetch("SELECT length(body) AS size FROM idempotency WHERE key = 'k-1'")
    assert [row["size"] < 1_000 for row in rows] == [True]
    assert await running.count("outbox") == 0


async def test_documents_of_another_account_are_not_found(running: Any, upload: Any, bakery: Any) -> None:
    """Siblings and accounts below get the same answer as for an unknown id. Accounts above see the documents."""
    document = (await upload(bakery.identity_id)).json()["document_id"]
    seen = {}
    for account in ("master", "master/acme", "master/globex", "master/acme/shop"):
        async with running.as_caller("bob", account) as bob:
            one = await bob.get(f"/v1/documents/{document}")
            content = await bob.get(f"/v1/documents/{document}/content")
            listed = (await bob.get("/v1/documents")).json()["items"]
            added = await upload(bakery.identity_id, client=bob)
            gone = await bob.delete(f"/v1/documents/{uuid4()}")
            seen[account] = (one.status_code, content.status_code, len(listed) > 0, added.status_code)
            assert gone.status_code == 404
            if one.status_code == 404:
                assert one.json() == (await bob.get(f"/v1/documents/{uuid4()}")).json()
                assert (await bob.delete(f"/v1/documents/{document}")).status_code == 404
    assert seen == {
        "master": (200, 200, True, 201),
        "master/acme": (200, 200, True, 201),
        "master/globex": (404, 404, False, 404),
        "master/acme/shop": (404, 404, False, 404),
    }


async def test_users_read_no_document_and_reviewers_upload_none(
    running: Any, upload: Any, bakery: Any
) -> None:
    """Roles are those of the actions read_details and write_details."""
    document = (await upload(bakery.identity_id)).json()["document_id"]
    for role, entering, seeing in (("user", 403, 403), ("reviewer", 403, 200), ("service", 201, 200)):
        async with running.as_caller("bob", "master/acme", role) as bob:
            assert (await upload(bakery.identity_id, client=bob)).status_code == entering
            assert (await bob.get(f"/v1/documents/{document}/content")).status_code == seeing


async def test_errors_of_the_form_name_the_field_and_never_repeat_a_value(
    upload: Any, ann: Any, contents: Any, bakery: Any, files: Any
) -> None:
    """Unknown fields, wrong fields and a file before the fields are refused."""
    wrong = await upload(bakery.identity_id, type="Not A Word", states="{", issued_on="yesterday")
    assert wrong.status_code == 422
    assert {e["field"] for e in wrong.json()["errors"]} == {"type", "states", "issued_on"}
    unknown = await upload(bakery.identity_id, type="Not A Word", issued_no="beige")
    assert [(e["field"], e["code"]) for e in unknown.json()["errors"]] == [("issued_no", "unknown_field")]
    assert "'issued_on'" in unknown.json()["errors"][0]["message"]
    assert "beige" not in unknown.text
    early = await ann.post(
        "/v1/documents",
        files=[
            ("file", ("f.png", files.image())),
            ("identity_id", (None, bakery.identity_id)),
            ("type", (None, "passport")),
        ],
    )
    assert {e["field"] for e in early.json()["errors"]} == {"identity_id", "type"}
    none = await ann.post("/v1/documents", data={"identity_id": bakery.identity_id, "type": "passport"})
    assert (none.status_code, none.json()["code"]) == (415, "media_type_unsupported")


async def test_documents_are_listed_by_identity_and_ids(upload: Any, ann: Any, bakery: Any) -> None:
    """They are listed in the order of creation, page by page."""
    made = [(await upload(bakery.identity_id)).json()["document_id"] for _ in range(3)]
    listed = (await ann.get("/v1/documents", params={"identity_id": bakery.identity_id})).json()
    assert [item["document_id"] for item in listed["items"]] == made
    some = (await ann.get("/v1/documents", params={"ids": f"{made[2]},{uuid4()}"})).json()["items"]
    assert [item["document_id"] for item in some] == made[2:]
    first = (await ann.get("/v1/documents", params={"limit": "2"})).json()
    rest = (await ann.get("/v1/documents", params={"limit": "2", "cursor": first["next"]})).json()
    assert ([i["document_id"] for i in rest["items"]], rest["next"]) == (made[2:], None)


async def test_reads_of_personal_data_are_recorded(
    running: Any, upload: Any, ann: Any, rita: Any, bakery: Any
) -> None:
    """Each read has its reader and its time. A refused read is not recorded."""
    document = (await upload(bakery.identity_id)).json()["document_id"]
    await rita.get(f"/v1/documents/{document}")
    await rita.get(f"/v1/documents/{document}/content")
    await ann.get("/v1/identities")
    async with running.as_caller("eve", "master/globex") as eve:
        await eve.get(f"/v1/documents/{document}/content")
    rows = await running.fetch(
        "SELECT subject, account, role, kind, entity_id::text AS entity FROM personal_reads ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [
        ("rita", "master", "reviewer", "document", document),
        ("rita", "master", "reviewer", "document", document),
        ("rita", "master", "reviewer", "content", document),
        ("ann", "master/acme", "reseller", "identity", bakery.identity_id),
    ]


async def test_an_unused_document_can_be_deleted(running: Any, upload: Any, ann: Any, bakery: Any) -> None:
    """Its content is deleted too. A second deletion has the same answer."""
    stated = {"type": "tax_certificate", "states": '{"company_name": "X Ltd"}'}
    document = (await upload(bakery.identity_id, **stated)).json()["document_id"]
    assert (await ann.delete(f"/v1/documents/{document}")).status_code == 204
    assert (await ann.delete(f"/v1/documents/{document}")).status_code == 204
    assert (await ann.get(f"/v1/documents/{document}")).status_code == 404
    assert (await ann.get(f"/v1/documents/{document}/content")).status_code == 404
    assert (await running.count("document_chunks"), await running.count("document_contents")) == (0, 0)
    assert await running.count("documents", "states = '[]'") == 1


async def test_a_document_in_use_is_not_deleted(
    running: Any, upload: Any, ann: Any, build: Any, bakery: Any
) -> None:
    """While a live DID uses it, the answer is `in_use`."""
    document = (await upload(bakery.identity_id)).json()["document_id"]
    await running.receive(build.purchased(), build.assigned(bakery, bakery, document_ids=[document]))
    refused = await ann.delete(f"/v1/documents/{document}")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert (await ann.get(f"/v1/documents/{document}/content")).status_code == 200
    await running.receive(build.removed())
    assert (await ann.delete(f"/v1/documents/{document}")).status_code == 204


async def test_a_reviewer_below_sees_only_the_documents_of_its_own_verifications(
    running: Any, upload: Any, build: Any, bakery: Any
) -> None:
    """The identity serves the shop. Its reviewer sees the document of the verification, and no other document."""
    named, other = [(await upload(bakery.identity_id)).json()["document_id"] for _ in range(2)]
    build.account = "master/acme/shop"
    await running.receive(build.purchased(), build.assigned(bakery, bakery, document_ids=[named]))
    async with running.as_caller("sam", "master/acme/shop", "reviewer") as sam:
        attempt = (await sam.get("/v1/verifications")).json()["items"][0]["verification_id"]
        whole = (await sam.get(f"/v1/verifications/{attempt}")).json()
        assert [each["document_id"] for each in whole["documents"]] == [named]
        assert (await sam.get(f"/v1/documents/{named}/content")).status_code == 200
        assert (await sam.get(f"/v1/documents/{other}/content")).status_code == 404
    async with running.as_caller("eve", "master/globex", "reviewer") as eve:
        assert (await eve.get(f"/v1/documents/{named}")).status_code == 404


async def test_a_verification_with_a_foreign_document_reveals_nothing_of_it(
    running: Any, upload: Any, ann: Any, build: Any, bakery: Any
) -> None:
    """A sibling names a foreign identity and document. The verification is rejected, and neither becomes readable."""
    document = (await upload(bakery.identity_id)).json()["document_id"]
    build.account = "master/globex"
    await running.receive(build.purchased(), build.assigned(bakery, bakery, document_ids=[document]))
    async with running.as_caller("eve", "master/globex", "reviewer") as eve:
        (attempt,) = (await eve.get("/v1/verifications", params={"status": "rejected"})).json()["items"]
        whole = (await eve.get(f"/v1/verifications/{attempt['verification_id']}")).json()
        unknown = {"type": None, "sha256": None, "details": None}
        assert [each | unknown for each in whole["documents"]] == whole["documents"]
        for path in (f"/v1/documents/{document}", f"/v1/documents/{document}/content"):
            assert (await eve.get(path)).status_code == 404


async def test_a_document_of_another_identity_is_not_yours(
    running: Any, upload: Any, ann: Any, build: Any, bakery: Any
) -> None:
    """A submission with it is rejected. A document of the own identity is checked."""
    other = (await ann.post("/v1/identities", json={"type": "business", "company_name": "O"})).json()
    foreign = (await upload(other["identity_id"])).json()["document_id"]
    await running.receive(build.purchased(), build.assigned(bakery, bakery, document_ids=[foreign]))
    assert [r["code"] for r in (await running.outbox())[-1]["data"]["reasons"]] == ["not_yours"]
    own = (await upload(bakery.identity_id)).json()["document_id"]
    asked = {"dids": [build.number], "identity_id": bakery.identity_id, "address_id": bakery.address_id}
    promised = (await ann.post("/v1/requirements/evaluate", json=asked | {"document_ids": [own]})).json()
    assert "not_yours" not in {result["code"] for result in promised["results"]}


@pytest.mark.parametrize("keys", [""])
async def test_without_a_key_no_document_is_accepted(ann: Any, bakery: Any, files: Any) -> None:
    """The answer is 503, and everything else works."""
    answer = await ann.post(
        "/v1/documents",
        data={"identity_id": bakery.identity_id, "type": "passport"},
        files={"file": files.image()},
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
