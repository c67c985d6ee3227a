"""The erasure of a person: a dump of every table has the data before the erasure and not after it."""

import asyncio
import base64
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from harness.postgres import owner_dsn_of
from typer.testing import CliRunner, Result

from didflow_chassis.commandline import Program, application
from didflow_verification.erasure.personal_values import PersonalValues
from didflow_verification.erasure.step import ErasePerson
from didflow_verification.jobs import ERASE_IDENTITY
from didflow_verification.service import TOOLS, service
from didflow_verification.settings import VerificationSettings


async def erase(running: Any, identity_id: str, *options: str, answer: str = "") -> Result:
    """Run the command as an operator would."""
    app = application(Program("verification", service, VerificationSettings), TOOLS)
    settings = {
        "DIDFLOW_POSTGRES": running.database.dsn,
        "DIDFLOW_KAFKA": "127.0.0.1:1",
        "DIDFLOW_DOCUMENT_KEYS": f"k1:{base64.b64encode(bytes(range(32))).decode()}",
    }
    arguments = ["identity", "erase", identity_id, *options]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=settings, input=answer)


async def test_no_byte_of_an_erased_person_is_in_a_dump(
    running: Any, build: Any, ann: Any, rita: Any, *, person: dict[str, str], traces: Any
) -> None:
    """Every value is found before the erasure and none after it, in any table. The verification stays."""
    await running.receive(build.removed())
    before = await traces.dump()
    assert set(await traces.found()) == set(traces.values)
    assert await traces.tables() >= {
        "identities",
        "addresses",
        "documents",
        "verifications",
        "parked",
        "dead_letters",
        "outbox",
        "idempotency",
    }
    ciphertext = (await running.fetch("SELECT ciphertext FROM document_chunks"))[0][0]
    assert ciphertext in before["document_chunks"]
    done = await erase(running, person["identity"], "--yes")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("1 identity of master/acme, 1 addresses, 1 documents, used by 0 live DIDs")
    assert await traces.found() == {}
    assert not any(ciphertext in content for content in (await traces.dump()).values())
    assert (await running.count("document_contents"), await running.count("document_chunks")) == (0, 0)
    kept = (await rita.get(f"/v1/verifications/{person['verification']}")).json()
    assert (kept["status"], kept["identity_id"], kept["identity"]) == ("rejected", person["identity"], None)
    assert (await ann.get(f"/v1/identities/{person['identity']}")).status_code == 404
    again = await erase(running, person["identity"], "--yes")
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (
        0,
        "Erased. Personal data was masked in 0 other places.",
    )


async def test_an_erasure_changes_nothing_else(
    running: Any, build: Any, ann: Any, *, person: Any, traces: Any
) -> None:
    """Other persons, the records of the DID and the parked messages stay, and these can still be decided."""
    other = await ann.post(
        "/v1/identities", json={"type": "individual", "last_name": "Quill", "first_name": "Ann"}
    )
    await running.receive(build.removed())
    counts = {
        name: await running.count(name) for name in ("parked", "dead_letters", "outbox", "verifications")
    }
    assert (await erase(running, person["identity"], "--yes")).exit_code == 0
    assert {name: await running.count(name) for name in counts} == counts
    shown = (await ann.get(f"/v1/identities/{other.json()['identity_id']}")).json()
    assert (shown["last_name"], shown["first_name"]) == ("Quill", "Ann")
    early = type(build)()
    parked = (await running.fetch("SELECT entity::uuid AS did FROM parked"))[0]["did"]
    early.did, early.number = parked, "+35319609099"
    await running.receive(early.purchased())
    assert [r["code"] for r in (await running.outbox())[-1]["data"]["reasons"]] == ["not_yours"]
    replayed = await ann.post(
        "/v1/identities", json=traces.body | {"first_name": "Sera"}, headers={"Idempotency-Key": "i"}
    )
    assert (replayed.headers["Idempotent-Replayed"], replayed.json()["identity_id"]) == (
        "true",
        person["identity"],
    )


async def test_a_person_in_use_is_not_erased(running: Any, person: dict[str, str], traces: Any) -> None:
    """The command fails with `in_use`, and nothing changes."""
    before = await traces.dump()
    refused = await erase(running, person["identity"], "--yes")
    assert (refused.exit_code, "in_use" in refused.stderr) == (1, True)
    assert await traces.dump() == before


async def test_the_erasure_asks_for_confirmation(running: Any, build: Any, person: dict[str, str]) -> None:
    """Without `--yes` it prints what would be erased. The answer no changes nothing."""
    await running.receive(build.removed())
    declined = await erase(running, person["identity"], answer="n\n")
    assert (declined.exit_code, "Erase the data?" in declined.stdout) == (1, True)
    assert await running.count("identities", "erased_at IS NULL") == 1
    assert (await erase(running, person["identity"], answer="y\n")).exit_code == 0


async def test_an_erasure_that_was_stopped_is_completed_even_if_the_id_was_assigned_meanwhile(
    running: Any, build: Any, person: dict[str, str], *, jobs: Any, traces: Any
) -> None:
    """A hidden identity serves no account. A live DID that names it does not hinder the rest of the erasure."""
    await running.receive(build.removed())
    job_id = await jobs.start(ERASE_IDENTITY, ErasePerson(identity_id=UUID(person["identity"])))
    await jobs.runner().run_chunk(job_id)
    await running.fetch("UPDATE jobs SET state = 'canceled', finished_at = clock_timestamp()")
    another = type(build)()
    another.did, another.number = uuid4(), "+35319609037"
    details = type("Details", (), {"identity_id": person["identity"], "address_id": None})()
    await running.receive(another.purchased(), another.assigned(details, None))
    assert await running.count("detail_uses", f"detail_id = '{person['identity']}'") == 1
    done = await erase(running, person["identity"], "--yes")
    assert (done.exit_code, done.stderr.count("in_use")) == (0, 0)
    assert await traces.found() == {}


async def test_an_unknown_id_erases_nobody(running: Any) -> None:
    """The exit code is 1, and the reason is printed."""
    unknown = await erase(running, str(uuid4()), "--yes")
    assert (unknown.exit_code, "not_found" in unknown.stderr) == (1, True)


async def test_an_operator_lists_who_was_shown_a_person(
    running: Any, rita: Any, person: dict[str, str]
) -> None:
    """Reads of the identity, its addresses and its documents are listed, the latest first."""
    document = (await running.fetch("SELECT document_id FROM documents"))[0][0]
    await rita.get(f"/v1/documents/{document}/content")
    app = application(Program("verification", service, VerificationSettings), TOOLS)
    settings = {"DIDFLOW_POSTGRES": running.database.dsn, "DIDFLOW_KAFKA": "127.0.0.1:1"}
    arguments = ["identity", "reads", person["identity"]]
    listed = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=settings)
    lines = listed.stdout.splitlines()
    assert lines[0].endswith(f"content {document} rita reviewer master")
    assert lines[1].endswith(f"document {document} rita reviewer master")


async def test_the_subject_of_a_reader_cannot_control_the_terminal_of_the_operator(
    running: Any, rita: Any, person: dict[str, str]
) -> None:
    """A token's subject and account come from outside. Their control characters are printed as escapes."""
    document = (await running.fetch("SELECT document_id FROM documents"))[0][0]
    await rita.get(f"/v1/documents/{document}/content")
    owner = await asyncpg.connect(owner_dsn_of(running.database.dsn))
    await owner.execute(
        "UPDATE personal_reads SET subject = $1, account = $2, role = $1",
        "\x1b]0;x\x07\x9b2J\nrita",
        "\u202emaster",
    )
    await owner.close()
    app = application(Program("verification", service, VerificationSettings), TOOLS)
    settings = {"DIDFLOW_POSTGRES": running.database.dsn, "DIDFLOW_KAFKA": "127.0.0.1:1"}
    arguments = ["identity", "reads", person["identity"]]
    listed = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=settings)
    first, *_ = listed.stdout.split("\n")
    assert first.isprintable()
    assert first.endswith("\\u001b]0;x\\u0007\\u009b2J\\nrita \\u202emaster")


def test_only_values_that_identify_a_person_are_masked() -> None:
    """A city or a first name is masked only in a text that also has a strong value."""
    values = PersonalValues.of([("city", "Dublin"), ("passport_number", "XK-441 0992"), ("last_name", "Li")])
    assert values.masked(b'{"city": "Dublin", "name": "Li"}') is None
    assert (
        values.masked(b'{"city": "DUBLIN", "p": "xk-441 0992"}') == b'{"city": "******", "p": "***********"}'
    )
    assert values.masked(b"XK4410992") == b"*" * 9
    assert values.masked(None) is None
