"""The rotation of keys: every document stays readable at every instant, and after the old key is removed."""

import asyncio
import base64
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from didflow_chassis.commandline import Program, application
from didflow_chassis.decision import Caller
from didflow_chassis.encryption import read_keys
from didflow_chassis.key_rotation import RotateKeys
from didflow_verification.api.documents.upload import Uploads
from didflow_verification.documents.contents import Contents
from didflow_verification.documents.former_rotation import ROTATION as FORMER_ROTATION
from didflow_verification.documents.rotation import ROTATION, RotateDocuments, count_by_key
from didflow_verification.domain.commands import MoveContent
from didflow_verification.domain.details.document import Document
from didflow_verification.jobs import ROTATE_DOCUMENTS, ROTATE_FORMER_DETAILS
from didflow_verification.service import TOOLS, service
from didflow_verification.settings import VerificationSettings

OLD, NEW = (base64.b64encode(bytes(values)).decode() for values in (range(32), range(32, 64)))
KEYS = f"k2:{NEW} k1:{OLD}"
OPERATOR = Caller(subject="olga", account="", role="operator")


async def tool(running: Any, *arguments: str, keys: str) -> Result:
    """Run a command of the service as an operator would."""
    app = application(Program("verification", service, VerificationSettings), TOOLS)
    found = {
        "DIDFLOW_POSTGRES": running.database.dsn,
        "DIDFLOW_KAFKA": "127.0.0.1:1",
        "DIDFLOW_DOCUMENT_KEYS": keys,
    }
    return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=found)


TO_NEW_KEY = RotateDocuments(key_id="k2", store="database")


@pytest.fixture
def jobs(jobs: Any) -> Any:
    """Jobs of a process that has both keys."""
    jobs.settings = jobs.settings.model_copy(update={"document_keys": SecretStr(KEYS)})
    return jobs


@pytest.fixture
async def uploaded(upload: Any, bakery: Any, files: Any) -> dict[str, bytes]:
    """Three documents under the old key. One of them has several chunks."""
    found = {}
    for size in ((64, 48), (700, 900), (80, 60)):
        content = files.image(size=size)
        found[(await upload(bakery.identity_id, content)).json()["document_id"]] = content
    assert max(map(len, found.values())) > 1024 * 1024
    return found


async def read(contents: Contents, document_id: str) -> bytes:
    """Read the content of a document."""
    rows = await contents.database.fetch(
        "SELECT content_id, size FROM documents WHERE document_id = $1", UUID(document_id)
    )
    return b"".join([piece async for piece in contents.read(rows[0]["content_id"], rows[0]["size"])])


def under(contents: Contents, keys: str) -> Contents:
    """Return the same contents with other keys."""
    return replace(contents, keyring=read_keys(keys))


async def test_after_a_rotation_the_old_key_can_be_removed(
    running: Any, ann: Any, contents: Contents, uploaded: dict[str, bytes]
) -> None:
    """The command prints the number of documents under each key. Every document can be read with the new key alone."""
    done = await tool(running, "documents", "rotate", keys=KEYS)
    assert (done.exit_code, done.stdout) == (
        0,
        "documents encrypted again: 3\ndocuments under key k2 (current): 3\nformer details encrypted again: 0\n",
    )
    assert "documents" in done.stderr
    assert await running.count("document_contents") == 3
    assert await running.count("document_contents", "key_id = 'k2' AND unused_since IS NULL") == 3
    only_new = under(contents, f"k2:{NEW}")
    for document_id, content in uploaded.items():
        assert await read(only_new, document_id) == content
    running.application.state.uploads = Uploads(contents=only_new)
    for document_id, content in uploaded.items():
        assert (await ann.get(f"/v1/documents/{document_id}/content")).content == content
    again = await tool(running, "documents", "rotate", keys=f"k2:{NEW}")
    assert (again.exit_code, again.stdout) == (
        0,
        "documents encrypted again: 0\ndocuments under key k2 (current): 3\nformer details encrypted again: 0\n",
    )


async def test_a_stopped_rotation_continues_where_it_stopped(
    running: Any, contents: Contents, uploaded: dict[str, bytes], jobs: Any
) -> None:
    """It was stopped after one document. All documents are readable, and another runner completes the rest."""
    both = under(contents, KEYS)
    job_id = await jobs.start(ROTATE_DOCUMENTS, TO_NEW_KEY)
    await jobs.runner(chunk=1).run_chunk()
    assert await count_by_key(running.database) == {"k1": 2, "k2": 1}
    for document_id, content in uploaded.items():
        assert await read(both, document_id) == content
    job = await jobs.finish(job_id)
    assert (job.total, job.done, job.refused) == (3, 3, 0)
    assert await count_by_key(running.database) == {"k2": 3}


async def test_a_rotation_that_is_killed_everywhere_loses_and_leaves_nothing(
    running: Any, contents: Contents, uploaded: dict[str, bytes], *, jobs: Any, kills: Any
) -> None:
    """Each chunk is killed before its work, before its commit and after its commit. The sweep finds what is left."""
    job_id = await jobs.start(ROTATE_DOCUMENTS, TO_NEW_KEY)
    job = await kills.run_through(jobs.runner(chunk=1), job_id)
    assert (job.state, job.done, job.refused) == ("done", 3, 0)
    only_new = under(contents, f"k2:{NEW}")
    for document_id, content in uploaded.items():
        assert await read(only_new, document_id) == content
    assert await running.count("document_contents") > 3
    unused = "content_id NOT IN (SELECT content_id FROM documents)"
    assert await running.count("document_contents", f"{unused} AND unused_since IS NULL") == 0
    await running.fetch("UPDATE document_contents SET unused_since = unused_since - interval '2 hours'")
    await contents.sweep()
    assert await running.count("document_contents") == 3
    assert await running.count("document_chunks", unused) == 0


@pytest.mark.parametrize("number", [1, 2])
async def test_two_runners_at_once_move_each_document_once(
    running: Any, contents: Contents, uploaded: dict[str, bytes], *, jobs: Any, number: int
) -> None:
    """Two runners have one job or two jobs. Each document has one new content, and nothing is left over."""
    started = [await jobs.start(ROTATE_DOCUMENTS, TO_NEW_KEY) for _ in range(number)]
    ended = await asyncio.gather(*(jobs.finish(started[n % number], chunk=1) for n in range(2)))
    assert [(job.state, job.refused) for job in ended] == [("done", 0)] * 2
    assert await running.count("job_results", "outcome = 'done'") == 3
    only_new = under(contents, f"k2:{NEW}")
    for document_id, content in uploaded.items():
        assert await read(only_new, document_id) == content
    assert await running.count("document_contents") == 3


async def test_a_document_that_is_replaced_or_erased_while_it_is_copied_is_not_overwritten(
    running: Any, ann: Any, contents: Contents, uploaded: dict[str, bytes], *, jobs: Any
) -> None:
    """Between the copy and its commit, one document got another content and one was erased. Both stay as they are."""
    replaced, erased, third = uploaded
    other = await contents.begin(UUID(replaced), "master/acme")
    await other.add(uploaded[replaced])
    await other.finish()

    work = ROTATION.work

    async def work_while_others_change(tools: Any, items: Any) -> Any:
        works = await work(tools, items)
        assert [type(each) for each in works] == [MoveContent] * 3
        former = (await running.state(Document, UUID(replaced))).content_id
        about = {"entity_id": UUID(replaced), "subject": "", "caller": OPERATOR}
        await running.run(MoveContent(**about, former=former, content_id=other.content_id))
        assert (await ann.delete(f"/v1/documents/{erased}")).status_code == 204
        return works

    job = await jobs.finish(await jobs.start(ROTATE_DOCUMENTS, TO_NEW_KEY), work=work_while_others_change)
    assert (job.state, job.done) == ("done", 3)
    results = await running.fetch("SELECT item, outcome FROM job_results ORDER BY n")
    assert dict(results) == {replaced: "unchanged", erased: "unchanged", third: "done"}
    assert (await running.state(Document, UUID(replaced))).content_id == other.content_id
    assert (await running.state(Document, UUID(erased))).content_id is None
    assert await read(under(contents, KEYS), replaced) == uploaded[replaced]
    assert await running.count("document_contents", f"document_id = '{erased}'") == 0
    assert await running.count("document_contents") == 2


async def test_a_document_that_is_erased_before_it_is_copied_has_nothing_to_do(
    running: Any, ann: Any, contents: Contents, uploaded: dict[str, bytes], *, jobs: Any
) -> None:
    """The content is gone when the copy begins: the document is unchanged, and no part of a copy is left."""
    erased = next(iter(uploaded))
    page = ROTATION.page

    async def page_before_an_erasure(tools: Any, after: str | None, limit: int) -> Any:
        items = await page(tools, after, limit)
        await ann.delete(f"/v1/documents/{erased}")
        return items

    await jobs.finish(await jobs.start(ROTATE_DOCUMENTS, TO_NEW_KEY), page=page_before_an_erasure)
    results = await running.fetch("SELECT item, outcome FROM job_results")
    assert dict(results)[erased] == "unchanged"
    assert await running.count("document_contents") == 2


async def test_a_reader_is_not_disturbed_by_a_rotation(
    running: Any, ann: Any, contents: Contents, uploaded: dict[str, bytes], *, jobs: Any
) -> None:
    """The content is replaced between two chunks. The reader continues with the new content at the same position."""
    both = under(contents, KEYS)
    running.application.state.uploads = Uploads(contents=both)
    document_id, content = max(uploaded.items(), key=lambda pair: len(pair[1]))
    get = both.stores["database"].get
    moved = False

    async def moving(content_id: UUID, place: int) -> bytes | None:
        nonlocal moved
        if place == 1 and not moved:
            moved = True
            await jobs.finish(await jobs.start(ROTATE_DOCUMENTS, TO_NEW_KEY))
        return await get(content_id, place)

    both.stores["database"].get = moving  # type: ignore[method-assign]
    assert (await ann.get(f"/v1/documents/{document_id}/content")).content == content
    assert moved


async def test_a_document_without_a_configured_key_is_named(
    running: Any, ann: Any, contents: Contents, uploaded: dict[str, bytes]
) -> None:
    """It does not change. The command fails with its id, and a download is answered with 503."""
    lost = await tool(running, "documents", "rotate", keys=f"k2:{NEW}")
    assert lost.exit_code == 1
    assert all(f"{document_id} key_missing" in lost.stderr for document_id in uploaded)
    assert lost.stdout.startswith("documents encrypted again: 0\ndocuments under key k1: 3\n")
    running.application.state.uploads = Uploads(contents=under(contents, f"k2:{NEW}"))
    answer = await ann.get(f"/v1/documents/{next(iter(uploaded))}/content")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


@pytest.fixture
def on_keys(running: Any, rita: Any) -> Any:
    """Returns the client of a reviewer, of a process that has these keys."""

    def client(keys: str) -> Any:
        state = running.application.state
        settings = running.service.settings.model_copy(update={"document_keys": SecretStr(keys)})
        state.runtime = replace(state.runtime, service=replace(running.service, settings=settings))
        return rita

    return client


@pytest.fixture
async def former(ann: Any, bakery: Any, pending_id: str) -> str:
    """A verification whose identity and address were changed since."""
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json={"company_name": "Renamed Ltd"})
    await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"street": "8 Hidden Lane"})
    return f"/v1/verifications/{pending_id}"


async def judged_name(client: Any, path: str) -> Any:
    """Return the company name and the street that were judged, or the code of the problem."""
    shown = (await client.get(path)).json()
    return shown.get("code") or (shown["identity"]["company_name"], shown["address"]["street"])


async def test_after_a_rotation_what_was_judged_is_lost_with_the_old_key(
    running: Any, on_keys: Any, former: str
) -> None:
    """Former details are moved too. They are read with both keys before, and with the new key alone after it."""
    judged = ("Secretive Bakery Ltd", "7 Hidden Lane")
    assert await judged_name(on_keys(f"k2:{NEW}"), former) == "unavailable"
    lost = await tool(running, "documents", "rotate", keys=f"k2:{NEW}")
    assert (lost.exit_code, lost.stderr.count("key_missing")) == (1, 2)
    assert await judged_name(on_keys(KEYS), former) == judged
    done = await tool(running, "documents", "rotate", keys=KEYS)
    assert (done.exit_code, done.stdout) == (
        0,
        "documents encrypted again: 0\nformer details encrypted again: 2\nformer details under key k2 (current): 2\n",
    )
    assert await judged_name(on_keys(f"k2:{NEW}"), former) == judged


async def test_former_details_that_are_erased_while_they_are_rotated_come_back(
    running: Any, ann: Any, build: Any, bakery: Any, former: str, *, jobs: Any
) -> None:
    """Between the work and its commit the address was erased. It stays erased, and the identity is moved."""
    assert former
    await running.receive(build.removed())
    work = FORMER_ROTATION.work

    async def work_before_an_erasure(tools: Any, items: Any) -> Any:
        works = await work(tools, items)
        assert (await ann.delete(f"/v1/addresses/{bakery.address_id}")).status_code == 204
        return works

    job_id = await jobs.start(ROTATE_FORMER_DETAILS, RotateKeys(key_id="k2"))
    job = await jobs.finish(job_id, work=work_before_an_erasure)
    assert (job.state, job.total, job.done) == ("done", 2, 2)
    rows = await running.fetch("SELECT key_id, content IS NULL AS empty FROM former_details")
    assert {tuple(row) for row in rows} == {("k2", False), (None, True)}


async def test_unused_contents_are_swept(running: Any, contents: Contents, uploaded: Any) -> None:
    """A killed upload left one. It is kept for a while and then deleted. Used contents stay."""
    writing = await contents.begin(uuid4(), "master/acme")
    await writing.add(b"x" * 10)
    await writing.finish()
    assert await contents.sweep() == 0
    assert await contents.hold(writing.content_id)
    await running.fetch(
        "UPDATE document_contents SET unused_since = unused_since - interval '2 hours' WHERE content_id = $1",
        writing.content_id,
    )
    assert await contents.sweep() == 1
    assert not await contents.hold(writing.content_id)
    await contents.mark_unused(*[row[0] for row in await running.fetch("SELECT content_id FROM documents")])
    await running.fetch("UPDATE document_contents SET unused_since = unused_since - interval '2 hours'")
    assert await contents.sweep() == 0
    assert await running.count("document_contents", "unused_since IS NULL") == len(uploaded)
