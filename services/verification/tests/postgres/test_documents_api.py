"""Documents over HTTP: taken as they stream in, known by their content, given to those who may see them."""

from typing import Any
from uuid import uuid4

import pytest

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("PDF", "application/pdf")],
)
async def test_a_paper_is_uploaded_and_given_back(
    upload: Any, ann: Any, bakery: Any, files: Any, *, form: str, media_type: str
) -> None:
    """Byte for byte, under the type that its content has whatever its name says; the answer states nothing."""
    content = files.pdf() if form == "PDF" else files.image(form)
    made = await upload(
        bakery.identity_id,
        content,
        name="holiday.docx",
        issued_on="2026-10-01",
        expires_on="",
        states='{"company_name": "Secretive Bakery Ltd"}',
    )
    assert made.status_code == 201
    entered = made.json()
    assert (entered["media_type"], entered["size"]) == (media_type, len(content))
    assert "Secretive" not in made.text
    shown = (await ann.get(f"/v1/documents/{entered['document_id']}")).json()
    stated = {
        "issued_on": "2026-10-01",
        "expires_on": None,
        "states": {"company_name": "Secretive Bakery Ltd"},
    }
    assert shown == entered | stated
    given = await ann.get(f"/v1/documents/{entered['document_id']}/content")
    assert (given.content, given.headers["content-type"]) == (content, media_type)
    assert given.headers["cache-control"] == "no-store"
    assert given.headers["x-content-type-options"] == "nosniff"


async def test_a_program_that_is_called_a_pdf_is_refused(
    running: Any, upload: Any, bakery: Any, files: Any
) -> None:
    """A renamed .exe: `document_unreadable` at upload, and nothing of it is kept."""
    refused = await upload(bakery.identity_id, files.exe(), name="passport.pdf")
    assert (refused.status_code, refused.json()["code"]) == (422, "document_unreadable")
    assert refused.json()["errors"][0] | {"message": ""} == {
        "field": "file",
        "code": "document_unreadable",
        "message": "",
    }
    for table in ("documents", "document_contents", "document_chunks"):
        assert await running.count(table) == 0


async def test_what_nobody_could_open_is_refused(running: Any, upload: Any, bakery: Any, files: Any) -> None:
    """Encrypted, cut off, empty, of another format, or a mark with nothing behind it."""
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


async def test_ten_mebibytes_are_taken_and_a_byte_more_is_not(
    running: Any, upload: Any, ann: Any, bakery: Any, files: Any
) -> None:
    """At the limit it is read in chunks and given back whole; past it 413 and nothing is kept."""
    picture = files.image()
    whole = picture + bytes(10 * MIB - len(picture))
    made = await upload(bakery.identity_id, whole)
    assert (made.status_code, made.json()["size"]) == (201, 10 * MIB)
    assert await running.count("document_chunks") == 10
    assert (await ann.get(f"/v1/documents/{made.json()['document_id']}/content")).content == whole
    over = await upload(bakery.identity_id, whole + b"\0")
    assert (over.status_code, over.json()["code"]) == (413, "body_too_large")
    assert (await running.count("documents"), await running.count("document_contents")) == (1, 1)


async def test_a_body_without_a_length_is_counted_as_it_comes(ann: Any, contents: Any, bakery: Any) -> None:
    """Chunked transfer: stopped where the limit is passed, however much was to follow."""
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


async def test_a_retry_under_its_key_uploads_nothing_more(
    running: Any, upload: Any, bakery: Any, files: Any
) -> None:
    """The first answer again; another file or field under the key is refused; its bytes lie nowhere else."""
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


async def test_another_accounts_papers_are_not_there(running: Any, upload: Any, bakery: Any) -> None:
    """Siblings and those below neither see nor add any, and cannot tell them from nothing; those above do."""
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


async def test_users_see_nothing_and_reviewers_upload_nothing(running: Any, upload: Any, bakery: Any) -> None:
    """Roles as for identities."""
    document = (await upload(bakery.identity_id)).json()["document_id"]
    for role, entering, seeing in (("user", 403, 403), ("reviewer", 403, 200), ("service", 201, 200)):
        async with running.as_caller("bob", "master/acme", role) as bob:
            assert (await upload(bakery.identity_id, client=bob)).status_code == entering
            assert (await bob.get(f"/v1/documents/{document}/content")).status_code == seeing


async def test_the_form_is_strict(upload: Any, ann: Any, contents: Any, bakery: Any, files: Any) -> None:
    """Fields that nobody knows, wrong ones and a file before them are refused by name, without what was typed."""
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


async def test_lists_name_papers_by_identity_and_ids(upload: Any, ann: Any, bakery: Any) -> None:
    """In the order of entry, page by page."""
    made = [(await upload(bakery.identity_id)).json()["document_id"] for _ in range(3)]
    listed = (await ann.get("/v1/documents", params={"identity_id": bakery.identity_id})).json()
    assert [item["document_id"] for item in listed["items"]] == made
    some = (await ann.get("/v1/documents", params={"ids": f"{made[2]},{uuid4()}"})).json()["items"]
    assert [item["document_id"] for item in some] == made[2:]
    first = (await ann.get("/v1/documents", params={"limit": "2"})).json()
    rest = (await ann.get("/v1/documents", params={"limit": "2", "cursor": first["next"]})).json()
    assert ([i["document_id"] for i in rest["items"]], rest["next"]) == (made[2:], None)


async def test_who_is_shown_what_is_noted(
    running: Any, upload: Any, ann: Any, rita: Any, bakery: Any
) -> None:
    """Each reading with its reader, instant and thing; a refused one is none."""
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


async def test_a_paper_that_nothing_rests_on_can_be_deleted(
    running: Any, upload: Any, ann: Any, bakery: Any
) -> None:
    """Gone with its bytes; asked again it is still gone."""
    document = (await upload(bakery.identity_id, states='{"company_name": "X Ltd"}')).json()["document_id"]
    assert (await ann.delete(f"/v1/documents/{document}")).status_code == 204
    assert (await ann.delete(f"/v1/documents/{document}")).status_code == 204
    assert (await ann.get(f"/v1/documents/{document}")).status_code == 404
    assert (await ann.get(f"/v1/documents/{document}/content")).status_code == 404
    assert (await running.count("document_chunks"), await running.count("document_contents")) == (0, 0)
    assert await running.count("documents", "states = '[]'") == 1


async def test_a_paper_that_a_did_rests_on_stays(
    running: Any, upload: Any, ann: Any, build: Any, bakery: Any
) -> None:
    """Named in the details of a living DID: `in_use`; once that is gone it can go."""
    document = (await upload(bakery.identity_id)).json()["document_id"]
    await running.receive(build.purchased(), build.assigned(bakery, bakery, document_ids=[document]))
    refused = await ann.delete(f"/v1/documents/{document}")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert (await ann.get(f"/v1/documents/{document}/content")).status_code == 200
    await running.receive(build.removed())
    assert (await ann.delete(f"/v1/documents/{document}")).status_code == 204


async def test_who_reviews_a_did_below_sees_its_papers_and_no_other(
    running: Any, upload: Any, build: Any, bakery: Any
) -> None:
    """The identity serves the shop: its reviewer is shown the paper of the attempt, with the attempt and alone."""
    named, other = [(await upload(bakery.identity_id)).json()["document_id"] for _ in range(2)]
    build.account = "master/acme/shop"
    await running.receive(build.purchased(), build.assigned(bakery, bakery, document_ids=[named]))
    async with running.as_caller("sam", "master/acme/shop", "reviewer") as sam:
        attempt = (await sam.get("/v1/verifications")).json()["items"][0]["verification_id"]
        whole = (await sam.get(f"/v1/verifications/{attempt}")).json()
        assert [paper["document_id"] for paper in whole["documents"]] == [named]
        assert (await sam.get(f"/v1/documents/{named}/content")).status_code == 200
        assert (await sam.get(f"/v1/documents/{other}/content")).status_code == 404
    async with running.as_caller("eve", "master/globex", "reviewer") as eve:
        assert (await eve.get(f"/v1/documents/{named}")).status_code == 404


async def test_an_attempt_with_a_foreign_paper_shows_nothing_of_it(
    running: Any, upload: Any, ann: Any, build: Any, bakery: Any
) -> None:
    """A sibling names another's identity and paper: rejected, and neither becomes readable by that."""
    document = (await upload(bakery.identity_id)).json()["document_id"]
    build.account = "master/globex"
    await running.receive(build.purchased(), build.assigned(bakery, bakery, document_ids=[document]))
    async with running.as_caller("eve", "master/globex", "reviewer") as eve:
        (attempt,) = (await eve.get("/v1/verifications", params={"status": "rejected"})).json()["items"]
        whole = (await eve.get(f"/v1/verifications/{attempt['verification_id']}")).json()
        assert whole["documents"] == []
        for path in (f"/v1/documents/{document}", f"/v1/documents/{document}/content"):
            assert (await eve.get(path)).status_code == 404


async def test_another_identitys_paper_is_not_yours(
    running: Any, upload: Any, ann: Any, build: Any, bakery: Any
) -> None:
    """A document belongs to one identity: another's in a submission is rejected, the own one is looked at."""
    other = (await ann.post("/v1/identities", json={"type": "business", "company_name": "O"})).json()
    foreign = (await upload(other["identity_id"])).json()["document_id"]
    await running.receive(build.purchased(), build.assigned(bakery, bakery, document_ids=[foreign]))
    assert [r["code"] for r in (await running.outbox())[-1]["data"]["reasons"]] == ["not_yours"]
    own = (await upload(bakery.identity_id)).json()["document_id"]
    asked = {"dids": [build.number], "identity_id": bakery.identity_id, "address_id": bakery.address_id}
    promised = (await ann.post("/v1/requirements/evaluate", json=asked | {"document_ids": [own]})).json()
    assert "not_yours" not in {result["code"] for result in promised["results"]}


async def test_without_a_key_no_document_is_taken(
    running: Any, ann: Any, bakery: Any, files: Any, monkeypatch: Any
) -> None:
    """A deployment that configured none says so, and the rest works."""
    monkeypatch.delenv("DIDFLOW_DOCUMENT_KEYS", raising=False)
    answer = await ann.post(
        "/v1/documents",
        data={"identity_id": bakery.identity_id, "type": "passport"},
        files={"file": files.image()},
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
