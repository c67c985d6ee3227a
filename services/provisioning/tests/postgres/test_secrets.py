"""The secrets of SMS trunks: where they are, who reads them, and how their key is changed."""

import asyncio
import base64
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from harness.fixtures import OnPostgres
from harness.postgres import owner_dsn_of
from harness.secret_keys import settings_with_keys
from harness.stored_values import tables_with, told
from harness.written_logs import written_logs
from typer.testing import CliRunner, Result

from didflow_chassis.commandline import Program, application
from didflow_chassis.decision import Caller, NewJob
from didflow_chassis.http.idempotency import canonical
from didflow_chassis.jobs.job import StartJob
from didflow_chassis.key_rotation import RotateKeys
from didflow_chassis.retention import prune
from didflow_chassis.testing import ServiceOnPostgres
from didflow_provisioning.jobs import JOBS, ROTATE_SECRETS
from didflow_provisioning.service import TOOLS, service
from didflow_provisioning.settings import ProvisioningSettings

OLD, NEW = (f"{name}:{base64.b64encode(bytes([n]) * 32).decode()}" for n, name in enumerate(("old", "new")))
SECRET = "whsec_hiddenSecretOfATrunkThatNobodyReads0"
OTHER = "whsec_otherHiddenSecretOfATrunkThatNobodyHas"
HTTP = {"http": {"url": "https://sms.example.com/in", "secret": SECRET}}
SMPP = {"smpp": {"host": "smpp.example.com", "system_id": "acme", "password": "hidden-password"}}
EMAIL = {"email": {"address": "sms@example.com"}}
HIDDEN = (SECRET, SECRET.removeprefix("whsec_"), OTHER, "hidden-password", "hiddenTypo")
OPERATOR = Caller(subject="olga", account="", role="operator")
RESELLER = Caller(subject="ann", account="master/acme", role="reseller")
SMS = {"features": ["voice_in", "sms_in"], "sms_carrier": "texter"}


@pytest.fixture
async def provisioning(on_postgres: OnPostgres) -> ServiceOnPostgres:
    """Provisioning with the old key. The default caller is the reseller `master/acme`."""
    return await on_postgres(service(settings_with_keys(OLD)), caller=RESELLER)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All log lines of this process at the lowest level, as a deployment would write them."""
    with written_logs("provisioning") as written:
        yield written


async def create(client: Any, destination: dict[str, Any], **changes: Any) -> str:
    """Create an SMS trunk and return its id."""
    answer = await client.post("/v1/sms-trunks", json={"name": "Texts"} | destination | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sms_trunk_id"])


async def read(running: Any, trunk_id: str, keys: str | None) -> Any:
    """Return the secret that an adapter reads from a process with these keys, or the status."""
    object.__setattr__(running.service, "settings", settings_with_keys(keys))
    answer = await running.client("master", "service", "adapter").get(
        f"/v1/sms-trunks/{trunk_id}/credentials"
    )
    return answer.json()["secret"] if answer.status_code == 200 else answer.status_code


async def rotate(running: Any, keys: str) -> Result:
    """Run `didflow-provisioning secrets rotate` as an operator would."""
    return await tool(running, keys, "secrets", "rotate")


async def tool(running: Any, keys: str, *arguments: str) -> Result:
    """Run a command of the service."""
    app = application(Program("provisioning", service, ProvisioningSettings), TOOLS)
    found = {
        "DIDFLOW_POSTGRES": running.database.dsn,
        "DIDFLOW_KAFKA": "127.0.0.1:1",
        "DIDFLOW_SECRET_KEYS": keys,
    }
    return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=found)


async def test_a_secret_is_in_no_table_event_log_line_error_or_stored_answer(
    provisioning: Any, messages: Any, log: io.StringIO
) -> None:
    """Trunks are created, changed, moved and deleted, with right and wrong requests. Only credentials return it."""
    client, adapter, answers = provisioning.client(), provisioning.client("master", "service"), []

    async def ask(method: str, path: str, by: Any = client, **more: Any) -> Any:
        answers.append(await by.request(method, path, **more))
        return answers[-1]

    async def create(body: Any, key: str | None = None) -> Any:
        headers = {"Idempotency-Key": key or str(uuid4())}
        return (await ask("POST", "/v1/sms-trunks", json={"name": "x"} | body, headers=headers)).json()

    first, again = await create(HTTP, "k"), await create(HTTP, "k")
    assert first == again
    await create({"smpp": SMPP["smpp"] | {"system_id": "b"}}, "k")  # the key is used with another body
    second = await create(SMPP)
    for wrong in (
        {"http": {"url": f"https://{OTHER}@example.com", "secret": SECRET}},
        {"http": {"url": "https://example.com", "secret": "hidden-password"}},
        {"http": {"url": "https://example.com", "secret": [SECRET]}},
        {"http": {"url": "https://example.com", "secret": SECRET * 9}},
        {"http": {"url": "https://example.com", "secrets": SECRET}},
        {"smpp": SMPP["smpp"] | {"host": "kafka", "password": "hidden-password\u00e9"}},
        {"smpp": "hidden-password"},
    ):
        await create(wrong)
    broken = {"Content-Type": "application/json"}
    await ask("POST", "/v1/sms-trunks", content=f'{{"http": {{"secret": "{SECRET}"', headers=broken)
    await ask("POST", "/v1/sms-trunks", content=SECRET, headers={"Content-Type": "text/plain"})
    await provisioning.receive(
        messages.purchased(**SMS), messages.did_changed(**SMS), messages.registration()
    )
    path = f"/v1/sms-trunks/{first['sms_trunk_id']}"
    await ask(
        "POST",
        "/v1/routing/batch/set-sms",
        json={"dids": [messages.number], "sms_trunk_id": first["sms_trunk_id"]},
    )
    changed = await ask("PATCH", path, json={"http": HTTP["http"] | {"secret": OTHER}})
    await provisioning.run_jobs()
    await ask("POST", f"{path}/replace", json={"by": second["sms_trunk_id"]})
    await provisioning.run_jobs()
    shown = [
        await adapter.get(f"/v1/sms-trunks/{each['sms_trunk_id']}/credentials") for each in (first, second)
    ]
    assert [each.json()["secret"] for each in shown] == [OTHER, "hidden-password"]
    for get in (path, "/v1/sms-trunks", "/v1/commands", f"/v1/routing/{messages.did_id}"):
        await ask("GET", get)
    for get in ("", f"/{changed.json()['job_id']}", f"/{changed.json()['job_id']}/results"):
        await ask("GET", f"/v1/provisioning/jobs{get}")
    await ask("GET", f"{path}/credentials")
    await ask("DELETE", path)
    found = await tables_with(provisioning.database.dsn, HIDDEN)
    events = [event.data.model_dump_json() for event in await provisioning.published()]
    owner = await asyncpg.connect(owner_dsn_of(provisioning.database.dsn))
    await owner.execute("DROP TABLE credential_reads")
    unrecorded = await ask("GET", f"/v1/sms-trunks/{second['sms_trunk_id']}/credentials", by=adapter)
    await owner.execute("DROP TABLE sms_trunks CASCADE")
    await owner.close()
    await create(HTTP)

    assert found == {}
    assert {type(event.data).__name__ for event in await provisioning.published()} >= {"CarrierCommandIssued"}
    assert {event: told(event, HIDDEN) for event in events if told(event, HIDDEN)} == {}
    assert {str(a.request.url): told(a.text, HIDDEN) for a in answers if told(a.text, HIDDEN)} == {}
    assert {answer.status_code for answer in answers} >= {200, 201, 202, 204, 400, 403, 415, 422, 503}
    assert unrecorded.status_code == 503
    assert (len(log.getvalue()) > 0, told(log.getvalue(), HIDDEN)) == (True, set())


@pytest.mark.parametrize(
    ("destination", "secret"), [(HTTP, SECRET), (SMPP, "hidden-password"), (EMAIL, None)]
)
async def test_an_adapter_reads_the_secret_and_each_read_is_recorded(
    provisioning: Any, destination: dict[str, Any], secret: str | None
) -> None:
    """Only the role service, only within its accounts. A refused read is not recorded."""
    trunk_id = await create(provisioning.client(), destination)
    path = f"/v1/sms-trunks/{trunk_id}/credentials"
    adapter = provisioning.client("master", "service", "adapter")
    answer = await adapter.get(path)
    assert (answer.status_code, answer.json()["secret"]) == (200, secret)
    assert answer.headers["Cache-Control"] == "no-store"
    for account, role, status in (
        ("master", "operator", 403),
        ("master/acme", "reseller", 403),
        ("master/acme/shop", "service", 404),
        ("master/other", "service", 404),
    ):
        assert (await provisioning.client(account, role).get(path)).status_code == status
    for unknown in (uuid4(), "no-id"):
        refused = await provisioning.client("master", "operator").get(f"/v1/sms-trunks/{unknown}/credentials")
        assert refused.status_code == 403
    rows = await provisioning.fetch("SELECT subject, account, role, trunk_id FROM credential_reads")
    assert [tuple(row) for row in rows] == [("adapter", "master", "service", UUID(trunk_id))]
    listed = await tool(provisioning, OLD, "secrets", "reads", trunk_id)
    assert listed.stdout.split()[1:] == ["adapter", "service", "master"]


async def test_a_secret_is_read_under_its_own_key_and_not_under_another_trunk(provisioning: Any) -> None:
    """A former key still decrypts. Without the key, or with the ciphertext of another trunk, the answer is 503."""
    client = provisioning.client()
    first, second = [await create(client, HTTP | {"name": str(n)}) for n in range(2)]
    assert await read(provisioning, first, f"{NEW} {OLD}") == SECRET
    assert await read(provisioning, first, NEW) == 503
    assert await read(provisioning, first, None) == 503
    assert (await client.post("/v1/sms-trunks", json=HTTP | {"name": "x"})).status_code == 503
    await create(client, EMAIL)
    copied = "UPDATE sms_trunks SET secret = (SELECT secret FROM sms_trunks WHERE trunk_id = $1) WHERE trunk_id = $2"
    await provisioning.fetch(copied, UUID(second), UUID(first))
    assert await read(provisioning, first, OLD) == 503


async def test_after_a_rotation_the_old_key_can_be_removed(provisioning: Any, messages: Any) -> None:
    """Adapters read every secret before, meanwhile and after it. Carriers get no command, because nothing changed."""
    client = provisioning.client()
    trunks = {
        await create(client, body): secret for body, secret in ((HTTP, SECRET), (SMPP, "hidden-password"))
    }
    await create(client, EMAIL)
    await provisioning.receive(
        messages.purchased(**SMS), messages.did_changed(**SMS), messages.registration()
    )
    body = {"dids": [messages.number], "sms_trunk_id": next(iter(trunks))}
    await client.post("/v1/routing/batch/set-sms", json=body)
    before = len(await provisioning.published())

    lost = await rotate(provisioning, NEW)
    assert (lost.exit_code, lost.stderr.count("key_missing")) == (1, 2)
    assert {trunk: await read(provisioning, trunk, OLD) for trunk in trunks} == trunks
    done = await rotate(provisioning, f"{NEW} {OLD}")
    text = "secrets encrypted again: 2\nsecrets under key new (current): 2\n"
    assert (done.exit_code, done.stdout) == (0, text)
    assert {trunk: await read(provisioning, trunk, f"{OLD} {NEW}") for trunk in trunks} == trunks
    assert {trunk: await read(provisioning, trunk, NEW) for trunk in trunks} == trunks
    again = await rotate(provisioning, NEW)
    assert (again.exit_code, again.stdout) == (0, text.replace(": 2", ": 0", 1))
    versions = await provisioning.fetch("SELECT DISTINCT secret_version FROM sms_trunks")
    assert ([tuple(row) for row in versions], len(await provisioning.published())) == ([(1,)], before)


async def test_a_secret_that_is_changed_or_erased_while_it_is_rotated_is_not_overwritten(
    provisioning: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the ciphertext and its commit, one trunk got another secret under the same key and one was deleted."""
    client = provisioning.client()
    changed, erased, third = [await create(client, HTTP | {"name": str(n)}) for n in range(3)]
    kind = JOBS[ROTATE_SECRETS]

    async def work(tools: Any, items: Any) -> Any:
        works = await kind.work(tools, items)
        object.__setattr__(provisioning.service, "settings", settings_with_keys(f"{OLD} {NEW}"))
        body = {"http": HTTP["http"] | {"secret": OTHER}}
        assert (await client.patch(f"/v1/sms-trunks/{changed}", json=body)).status_code == 200
        assert (await client.delete(f"/v1/sms-trunks/{erased}")).status_code == 204
        return works

    monkeypatch.setitem(JOBS, ROTATE_SECRETS, replace(kind, work=work))
    object.__setattr__(provisioning.service, "settings", settings_with_keys(f"{NEW} {OLD}"))
    job = NewJob.of(
        OPERATOR,
        job_id=uuid4(),
        kind=ROTATE_SECRETS,
        now=await provisioning.now(),
        parameters=RotateKeys(key_id="new"),
    )
    await provisioning.run(StartJob(entity_id=job.job_id, subject="", caller=OPERATOR, job=job))
    await provisioning.run_jobs()
    results = dict(await provisioning.fetch("SELECT item, outcome FROM job_results"))
    assert results == {changed: "unchanged", erased: "unchanged", third: "done"}
    assert await read(provisioning, changed, f"{NEW} {OLD}") == OTHER
    assert await read(provisioning, third, NEW) == SECRET


async def test_the_deletion_of_a_trunk_erases_its_secret(provisioning: Any) -> None:
    """The row stays as long as something may name it. The ciphertext does not."""
    client = provisioning.client()
    trunk_id = await create(client, HTTP)
    assert (await client.delete(f"/v1/sms-trunks/{trunk_id}")).status_code == 204
    assert await provisioning.count("sms_trunks", "deleted AND secret IS NULL AND key_id IS NULL") == 1
    assert await read(provisioning, trunk_id, OLD) == 404


async def test_reads_of_secrets_are_kept_for_400_days_and_nobody_changes_them(provisioning: Any) -> None:
    """Older ones are deleted with the other old rows. The role of the service may not change them."""
    values = "(subject, account, role, trunk_id, written_at) VALUES ('a', 'b', 'service', $1, now() - $2::interval)"
    for days in (401, 399):
        await provisioning.fetch(f"INSERT INTO credential_reads {values}", uuid4(), timedelta(days=days))
    with pytest.raises(Exception, match="InsufficientPrivilege"):
        await provisioning.fetch("UPDATE credential_reads SET subject = 'x'")
    await prune(provisioning.database, provisioning.service, days=30)
    assert await provisioning.count("credential_reads") == 1
    assert await provisioning.count("credential_reads", "written_at > now() - interval '400 days'") == 1


async def test_of_many_reads_of_a_secret_the_latest_thousand_are_listed(provisioning: Any) -> None:
    """An adapter can read a secret for each message, so the list has an end."""
    rows = "SELECT n::text, 'master', 'service', $1 FROM generate_series(1, 1200) n"
    trunk_id = uuid4()
    await provisioning.fetch(
        f"INSERT INTO credential_reads (subject, account, role, trunk_id) {rows}", trunk_id
    )
    lines = (await tool(provisioning, OLD, "secrets", "reads", str(trunk_id))).stdout.splitlines()
    assert [line.split()[1] for line in lines] == [str(n) for n in range(1200, 200, -1)]


async def test_the_stored_digest_of_a_call_does_not_confirm_a_guessed_password(provisioning: Any) -> None:
    """Who has the database but no key cannot try passwords. Repeats are recognized, also under another key."""
    client, key = provisioning.client(), {"Idempotency-Key": "k"}
    body: dict[str, Any] = {"name": "x", "smpp": SMPP["smpp"] | {"password": "1234"}}
    made = await client.post("/v1/sms-trunks", json=body, headers=key)
    (stored,) = await provisioning.fetch("SELECT digest FROM idempotency WHERE key = 'k'")
    guessed = [body | {"smpp": body["smpp"] | {"password": f"{n:04}"}} for n in (1233, 1234)]
    assert stored[0] not in [
        sha256(canonical(json.dumps(each).encode()) + b"\0").digest() for each in guessed
    ]
    for keys in (OLD, f"{NEW} {OLD}"):
        object.__setattr__(provisioning.service, "settings", settings_with_keys(keys))
        repeated = await client.post("/v1/sms-trunks", json=body, headers=key)
        assert (repeated.text, repeated.headers["Idempotent-Replayed"]) == (made.text, "true")
        other = await client.post("/v1/sms-trunks", json=guessed[0], headers=key)
        assert other.json()["code"] == "idempotency_key_reused"
