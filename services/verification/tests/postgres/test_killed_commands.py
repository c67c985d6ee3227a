"""The commands that start a job, as processes: if one is killed, the workers go on with the job."""

import base64
import signal
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from didflow_verification.documents.contents import Contents
from didflow_verification.documents.rotation import count_by_key

OLD, NEW = (base64.b64encode(bytes(values)).decode() for values in (range(32), range(32, 64)))
KEYS = f"k2:{NEW} k1:{OLD}"
MAIN = "from didflow_verification.service import main; main()"


async def killed(running: Any, processes: Any, failpoint: str, *arguments: str) -> UUID:
    """Run a command that is killed at a place in its job. Return the id of the job."""
    settings = {
        "DIDFLOW_POSTGRES": running.database.dsn,
        "DIDFLOW_KAFKA": "127.0.0.1:1",
        "DIDFLOW_DOCUMENT_KEYS": KEYS,
        "DIDFLOW_FAILPOINTS": failpoint,
        "DIDFLOW_PRODUCTION": "false",
    }
    process = processes.python("command", "-c", MAIN, *arguments, env=settings)
    assert await process.ended(within=30) == -signal.SIGKILL, process.log_tail()
    ((job_id, state),) = await running.fetch("SELECT job_id, state FROM jobs")
    assert state in {"queued", "running"}
    await running.fetch("UPDATE jobs SET leased_until = clock_timestamp()")  # a lease ends after ten seconds
    return job_id


@pytest.fixture
def jobs(jobs: Any) -> Any:
    """Jobs of a worker that has both keys."""
    jobs.settings = jobs.settings.model_copy(update={"document_keys": SecretStr(KEYS)})
    return jobs


async def test_the_workers_go_on_with_a_rotation_whose_command_was_killed(
    running: Any, processes: Any, jobs: Any, upload: Any, *, bakery: Any, contents: Contents
) -> None:
    """It is killed between the copies and their commit. Every document has the new key in the end."""
    for _ in range(3):
        await upload(bakery.identity_id)
    job_id = await killed(running, processes, "stage.commit=kill@2", "documents", "rotate")
    assert await count_by_key(running.database) == {"k1": 3}
    job = await jobs.finish(job_id)
    assert (job.state, job.done, job.refused) == ("done", 3, 0)
    assert await count_by_key(running.database) == {"k2": 3}


@pytest.mark.parametrize("failpoint", ["job.page=kill@3", "stage.commit=kill@9"])
async def test_the_workers_go_on_with_an_erasure_whose_command_was_killed(
    running: Any,
    processes: Any,
    jobs: Any,
    upload: Any,
    *,
    bakery: Any,
    build: Any,
    rita: Any,
    failpoint: str,
) -> None:
    """It is killed while copies are searched for, and late. Nothing is left in the end."""
    await upload(bakery.identity_id)
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    (pending,) = (await rita.get("/v1/verifications")).json()["items"]
    reasons = [{"code": "other", "message": "The Secretive Bakery Ltd does not exist."}]
    path = f"/v1/verifications/{pending['verification_id']}/reject"
    await rita.post(path, json={"reasons": reasons}, headers={"Idempotency-Key": "r"})
    await running.receive(build.removed())
    job_id = await killed(running, processes, failpoint, "identity", "erase", bakery.identity_id, "--yes")
    job = await jobs.finish(job_id)
    assert (job.state, job.refused) == ("done", 0)
    for table in ("identities", "verifications", "registrations"):
        assert await running.count(f"{table} t", "t::text LIKE '%Bakery%'") == 0
    for column in ("SELECT value FROM outbox", "SELECT body FROM idempotency"):
        assert not any(b"Bakery" in row[0] for row in await running.fetch(column))
    assert await running.count("document_contents") == 0
