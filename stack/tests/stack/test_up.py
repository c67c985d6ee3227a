"""`didflow up` as a process, and the other commands on it. All tests share one stack, which was killed once before.

The tests run in the order of the file. The last one stops the stack.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest
from aiokafka import AIOKafkaProducer
from harness.processes import RunningProcess, until

from didflow import dead_letters, state
from didflow.issuer import ROLE_ACCOUNTS, SIDE_BY_SIDE
from didflow.processes import script
from didflow.services import SERVICES

START_S = 120
DIDFLOW = script("didflow")


@dataclass
class Up:
    """A running `didflow up --json`: its process, its one line, its folder and its children."""

    process: RunningProcess
    said: dict[str, Any]
    folder: Path
    children: list[psutil.Process]


async def started(folder: Path) -> Up:
    log = folder / "up.log"
    command = [DIDFLOW, "up", "--json", "--port", "0", "--data", str(folder)]
    process = RunningProcess.start(command, log=log)

    def line() -> str | None:
        assert process.exit_code is None, process.log_tail()
        lines = [text for text in log.read_text().splitlines() if text.startswith("{")]
        return lines[-1] if lines else None

    said = await until(line, within=START_S, what="the line of `didflow up --json`")
    children = psutil.Process(process.pid).children(recursive=True)
    return Up(process=process, said=json.loads(said or ""), folder=folder, children=children)


def alive(children: list[psutil.Process]) -> list[str]:
    return [str(c) for c in children if c.is_running() and c.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Start a stack in a folder in which an earlier one was killed with SIGKILL."""
    folder = tmp_path_factory.mktemp("up")
    killed = asyncio.run(started(folder))
    os.kill(killed.process.pid, signal.SIGKILL)
    (folder / "up.log").rename(folder / "killed.log")
    running = asyncio.run(started(folder))
    running_pids = {child.pid for child in running.children}
    killed.children = [child for child in killed.children if child.pid not in running_pids]
    running.said["left"] = alive(killed.children)
    yield running
    running.process.send(signal.SIGKILL)


def run(up: Up, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [DIDFLOW, *arguments, "--data", str(up.folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def get(up: Up, path: str, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(up.said["http"] + path, headers=headers, trust_env=False, timeout=10)


def post(up: Up, path: str, token: str, body: dict[str, Any]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(up.said["http"] + path, json=body, headers=headers, trust_env=False, timeout=10)


def test_a_killed_stack_leaves_nothing_behind(up: Up) -> None:
    """After a SIGKILL of `up` and the next start, no process of the first stack is left, and its data is used again."""
    assert up.said["left"] == []


def test_one_line_has_all_addresses(up: Up) -> None:
    """Kafka, HTTP, a database for each service, the admin's database, and tokens."""
    assert set(up.said["postgres"]) == {"admin", *SERVICES}
    assert set(up.said["tokens"]) == {*ROLE_ACCOUNTS, *SIDE_BY_SIDE}
    assert up.said["http"].startswith("http://127.0.0.1:")
    assert up.said["kafka"].startswith("127.0.0.1:")


async def test_each_service_has_its_own_database(up: Up) -> None:
    """The role of each DSN owns its database and cannot connect to another one."""
    for name in SERVICES:
        connection = await asyncpg.connect(up.said["postgres"][name])
        assert await connection.fetchval("SELECT current_database()") == f"didflow_{name}"
        assert not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        await connection.close()
    foreign = up.said["postgres"]["billing"].rpartition("/")[0] + "/didflow_inventory"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(foreign)


def test_the_accounts_of_the_tokens_exist_and_are_separate(up: Up) -> None:
    """Neither account sees the other. The token of every role is accepted."""
    tokens = up.said["tokens"]
    assert all(get(up, "/v1/dids", token).status_code == 200 for token in tokens.values())
    for account in SIDE_BY_SIDE:
        paths = {item["path"] for item in get(up, "/v1/accounts", tokens[account]).json()["items"]}
        assert account in paths
        assert all(path.startswith(account) for path in paths)


def test_every_api_answers_on_the_one_port(up: Up) -> None:
    """One token works for a path of each service. Without a token, none answers."""
    token = up.said["tokens"]["operator"]
    for path in ("/v1/dids", "/v1/verifications", "/v1/ledger", "/v1/commands"):
        assert get(up, path, token).status_code == 200, path
        assert httpx.get(up.said["http"] + path, trust_env=False).status_code == 401
    for name in SERVICES:
        assert httpx.get(f"{up.said['http']}/openapi/{name}.json", trust_env=False).status_code == 200


def test_a_token_can_be_created_for_any_role(up: Up) -> None:
    """The running stack accepts the tokens of `didflow token`. An invalid role is refused."""
    made = run(up, "token", "--role", "reseller", "--account", "master/acme/shop")
    assert get(up, "/v1/dids", made.stdout.strip()).status_code == 200
    refused = run(up, "token", "--role", "king", "--account", "master")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("didflow: bad_input: ")


def test_an_account_that_does_not_exist_gets_no_token(up: Up) -> None:
    """Inventory knows the accounts. The error names the nearest one and how to create one; then there is a token."""
    token = ("token", "--role", "reseller", "--account")
    refused = run(up, *token, "master/acme/shopp")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("didflow: no_account: There is no account 'master/acme/shopp'.")
    assert "Did you mean master/acme/shop?" in refused.stderr
    (address, body) = re.findall(r"POST (\S+) with (\{.*?\})", refused.stderr)[0]
    headers = {"Authorization": f"Bearer {up.said['tokens']['master/acme']}"}
    made = httpx.post(address, headers=headers, json=json.loads(body), trust_env=False)
    assert made.status_code == 201
    assert run(up, *token, "master/acme/shopp").returncode == 0


def test_a_busy_port_is_found_before_anything_starts(up: Up, tmp_path: Path) -> None:
    """The error names the option. The folder of the new stack has no database and no log."""
    port = up.said["http"].rpartition(":")[2]
    command = [DIDFLOW, "up", "--port", port, "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        f"didflow: bad_input: Port {port} is in use. Choose another one with --port"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_a_folder_can_have_one_stack(up: Up) -> None:
    """A second `up` in the same folder is refused, and the first one continues."""
    second = run(up, "up")
    assert second.returncode == 1
    assert "didflow: stack_runs: " in second.stderr
    assert get(up, "/v1/dids", up.said["tokens"]["operator"]).status_code == 200


def test_a_killed_worker_is_started_again(up: Up) -> None:
    """The supervisor starts another one, and the state file has its pid."""
    first = state.read(up.folder).children["billing"]
    os.kill(first, signal.SIGKILL)

    def another() -> bool:
        return state.read(up.folder).children["billing"] != first

    asyncio.run(until(another, within=30, what="another worker"))
    assert psutil.Process(state.read(up.folder).children["billing"]).is_running()


async def test_dead_letters_are_listed_retried_and_dropped(up: Up) -> None:
    """Bytes that are not an event become a dead letter in each service. A retry makes a new one; a drop removes it."""
    producer = AIOKafkaProducer(bootstrap_servers=up.said["kafka"], acks="all")
    await producer.start()
    await producer.send_and_wait("did.purchased", b"\xff{", key=b"+442079460018")
    await producer.stop()

    databases = {name: up.said["postgres"][name] for name in SERVICES}

    async def in_every_service() -> bool:
        return await dead_letters.counted(databases) == {name: {"not_json": 1} for name in SERVICES}

    await until(in_every_service, within=60, what="a letter in each service")
    (found,) = [json.loads(line) for line in run(up, "dlq", "list", "--json").stdout.splitlines()]
    assert found["services"] == sorted(SERVICES)
    assert {letter["reason"] for letter in found["letters"]} == {"not_json"}
    assert json.loads(run(up, "dlq", "show", found["id"][:30]).stdout)["value"] == r"\xff{"
    first = run(up, "dlq", "retry", found["id"][:30])
    assert (first.returncode, first.stdout.count("dead again (not_json)")) == (1, len(SERVICES))
    again = run(up, "dlq", "retry", found["id"])
    assert (again.returncode, "nothing to do" in again.stdout) == (0, True)
    assert await in_every_service()
    back = {str(one.letter.id) for one in await dead_letters.listed(databases, reason=None, limit=9)}
    assert back == set(re.findall(r"(\S+)$", first.stdout, re.MULTILINE))
    assert run(up, "dlq", "drop", "--all").stderr.startswith("didflow: no_terminal: ")
    dropped = run(up, "dlq", "drop", "--all", "--yes")
    assert dropped.stdout.count(" dropped") == len(SERVICES)
    assert run(up, "dlq", "list").stdout.strip() == "no dead letters"
    assert run(up, "dlq", "retry").returncode == 1


async def test_a_retried_record_that_is_early_now_is_parked_again(up: Up) -> None:
    """Its bytes are put right, as if a new release could read them. The command waits and says what is missing."""
    example = Path(__file__).parents[3] / "examples" / "events" / "verification.approved.json"
    right = example.read_bytes()
    producer = AIOKafkaProducer(bootstrap_servers=up.said["kafka"], acks="all")
    await producer.start()
    await producer.send_and_wait("verification.approved", right.replace(b'"approved"', b'"adored"'), key=b"k")
    await producer.stop()
    connection = await asyncpg.connect(up.said["postgres"]["billing"])

    async def there() -> bool:
        return bool(await connection.fetchval("UPDATE dead_letters SET value = $1 RETURNING true", right))

    await until(there, within=60, what="a dead letter in billing")
    await connection.close()
    done = run(up, "dlq", "retry", "--all", "--service", "billing", "--yes")
    assert (done.returncode, "parked again (early), did.purchased is missing" in done.stdout) == (0, True)
    assert run(up, "dlq", "drop", "--all", "--yes").returncode == 0


async def test_an_operator_drops_dead_letters_over_http(up: Up) -> None:
    """One port for four services: each service's dead letters are below its name."""
    producer = AIOKafkaProducer(bootstrap_servers=up.said["kafka"], acks="all")
    await producer.start()
    await producer.send_and_wait("did.purchased", b"\x1b[2J", key=b"+442079460018")
    await producer.stop()
    token = up.said["tokens"]["operator"]

    def letters(name: str) -> list[dict[str, Any]]:
        return get(up, f"/v1/{name}/dead-letters?topic=did.purchased", token).json()["items"]

    def each_has_one() -> bool:
        return all(len(letters(name)) == 1 for name in SERVICES)

    await until(each_has_one, within=60, what="a letter of each service")
    for name in SERVICES:
        (letter,) = letters(name)
        assert (letter["reason"], letter["number"]) == ("not_json", "+442079460018")
        path = f"/v1/{name}/dead-letters"
        assert get(up, f"{path}/{letter['id']}", token).json()["value"] == r"\x1b[2J"
        assert get(up, path, up.said["tokens"]["master/acme"]).status_code == 403
        dropped = post(up, f"{path}/batch/drop", token, {"dead_letters": [letter["id"]]})
        assert dropped.json()["done"] == 1
        assert letters(name) == []


def test_events_are_printed_from_the_start(up: Up) -> None:
    """One line for each record, of didflow or not, with its date. JSON for programs."""
    for option, expected in ((), "not an event"), (("--json",), '"value_base64"'):
        command = [DIDFLOW, "events", "--from-start", "--topic", "did.purchased", *option]
        with subprocess.Popen(
            [*command, "--data", str(up.folder)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert expected in line
            assert option or re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  did\.purchased ", line)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130


def test_events_end_when_nobody_reads_them_any_more(up: Up) -> None:
    """Also if no further record comes. There is no message, and the exit code is that of SIGPIPE."""
    command = [DIDFLOW, "events", "--from-start", "--topic", "did.purchased", "--data", str(up.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(10), process.stderr.read()) == (141, "")


def sell(up: Up, monkeypatch: pytest.MonkeyPatch, *changes: tuple[str, str]) -> None:
    """Run the Python code of the README with the time that `didflow now` prints."""
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    for old, new in changes:
        code = code.replace(old, new)
    monkeypatch.setenv("DIDFLOW_KAFKA", up.said["kafka"])
    monkeypatch.setenv("NOW", run(up, "now").stdout.strip())
    exec(code, {})  # noqa: S102 - the printed code is what is tested


async def test_the_readmes_order_system_sells_a_number(up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python code of the README runs twice. There is one number in My Numbers, and only its account sees it."""
    for _ in range(2):
        sell(up, monkeypatch)

    def there() -> bool:
        return get(up, "/v1/dids/%2B442079460123", up.said["tokens"]["master/acme"]).status_code == 200

    await until(there, within=60, what="the number in My Numbers")
    listed = get(up, "/v1/dids", up.said["tokens"]["operator"]).json()["items"]
    assert [did["number"] for did in listed] == ["+442079460123"]
    assert get(up, "/v1/dids/%2B442079460123", up.said["tokens"]["master/globex"]).status_code == 404


def test_the_clock_moves_for_all_services(up: Up) -> None:
    """A month passes for all services at once. No other program on the machine is affected."""
    moved = run(up, "clock", "advance", "P31D")
    assert moved.returncode == 0, moved.stderr
    shown = run(up, "clock", "show").stdout.splitlines()
    assert [line.split()[0] for line in shown] == list(SERVICES)
    assert all("machine + 31 days" in line for line in shown)
    refused = run(up, "clock", "advance", "yesterday")
    assert refused.stderr.startswith("didflow: bad_input: ")
    given = run(up, "clock", "advance", "P1D", "--postgres", up.said["postgres"]["admin"])
    assert given.stderr.startswith("didflow: clock_not_movable: ")


def test_the_stack_s_time_is_printed_for_events(up: Up) -> None:
    """ISO 8601 in UTC, a month ahead of this machine after the advance. `up` has said that the clock was moved."""
    printed = run(up, "now").stdout
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\n", printed)
    ahead = datetime.fromisoformat(printed.strip()) - datetime.now(UTC)
    assert timedelta(days=30, hours=23) < ahead < timedelta(days=31, hours=1)
    log = up.folder / "up.log"
    asyncio.run(
        until(lambda: "ahead of this machine by 31 days" in log.read_text(), within=20, what="a line of `up`")
    )


async def test_a_purchase_with_the_stack_s_time_is_not_renewed_on_arrival(
    up: Up, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an advance by a month, the README's code sells a number for the month that begins at the stack's time.

    With the machine's time, its month would have passed: it would be due for its renewal, or renewed already.
    """
    sell(up, monkeypatch, ("+442079460123", "+442079460125"), ("ORD-2026-000417", "ORD-2026-000425"))
    token = up.said["tokens"]["operator"]

    def charges() -> list[dict[str, Any]]:
        entries = get(up, "/v1/ledger", token).json()["items"]
        return [entry for entry in entries if entry["number"] == "+442079460125"]

    await until(charges, within=60, what="the charges of the number")
    assert sorted(entry["kind"] for entry in charges()) == ["recurring", "setup"]
    term = get(up, f"/v1/terms/{charges()[0]['did_id']}", token).json()
    now = datetime.fromisoformat(run(up, "now").stdout.strip())
    assert datetime.fromisoformat(term["expires_at"]) > now + timedelta(days=27)


def test_a_stream_of_changes_comes_through_the_one_port_as_it_is_written(up: Up) -> None:
    """The stream has begun, and brings a DID that is made afterwards within the time-out of the client."""
    token, number = up.said["tokens"]["master/acme"], "+35319609777"
    headers = {"Authorization": f"Bearer {token}"}
    address = up.said["http"] + "/v1/dids/changes"
    with httpx.stream("GET", address, headers=headers, trust_env=False, timeout=10) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines).startswith("id: ")
        assert post(up, "/v1/stock", token, {"numbers": [number]}).status_code == 200
        body = {"numbers": [number], "account": "master/acme/shop"}
        assert post(up, "/v1/stock/batch/hand-out", token, body).json()["results"][0]["outcome"] == "done"
        data = next(line for line in lines if line.startswith("data: "))
    assert json.loads(data.removeprefix("data: "))["number"] == number


def test_sigterm_ends_everything_within_ten_seconds(up: Up) -> None:
    """The exit code is 0, no process is left, and the other commands report that nothing runs."""
    children = psutil.Process(up.process.pid).children(recursive=True)
    up.process.send(signal.SIGTERM)
    assert asyncio.run(up.process.ended(within=10)) == 0
    assert alive(children) == []
    refused = run(up, "token", "--role", "operator", "--account", "master")
    assert refused.stderr.startswith("didflow: no_stack: ")
    assert run(up, "clock", "advance", "P1D").stderr.startswith("didflow: clock_not_movable: ")
