"""The generic HTTP adapter against the carrier with an HTTP API, on real sockets."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml
from harness.processes import until
from harness.rest_carrier import FILE, SECRET, TOKEN, serving

from didflow_adapters.kit import Failed, Later, Succeeded
from didflow_adapters.rest_carrier import Behavior
from didflow_webhooks import Signer, new_secret

REST = {"carrier": "rest"}
NUMBER = "+35319609036"


async def test_each_action_reaches_the_carrier_in_its_own_way(world: Any, new_command: Any) -> None:
    """The carrier's own log has them in order. After the release it does not know the number."""
    found = await world()
    actions = ("activate", "set_voice", "set_capacity", "set_sms", "suspend", "resume", "release")
    for action in actions:
        assert isinstance(await found.execute(new_command(action, **REST)), Succeeded), action
        if action == "set_capacity":
            assert found.rest.numbers.numbers[NUMBER]["capacity"] == 2
    assert found.executions() == [(NUMBER, action) for action in actions]
    assert found.rest.numbers.numbers == {}


async def test_a_command_that_is_sent_again_is_not_executed_again(world: Any, new_command: Any) -> None:
    """A new process of the adapter has no memory. The carrier knows the command by its id."""
    found = await world()
    command = new_command(**REST)
    first = await found.execute(command)
    again = await found.execute(new_command(**REST, command_id=command.data.command_id, attempt=2))
    assert first == again == Succeeded(carrier_reference="op-1")
    assert found.executions() == [(NUMBER, "activate")]


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("9990", Failed(code="rejected", message="The request was refused: rejected.")),
        ("9992", Failed(code="carrier_unavailable", retryable=True)),
        ("9993", Failed(code="rate_limited", retryable=True, retry_after_s=1)),
    ],
)
async def test_a_scripted_failure_has_its_outcome(
    world: Any, new_command: Any, digits: str, expected: Failed
) -> None:
    """The last digits mean the same as in the simulator. A failure has no effect."""
    found = await world()
    assert await found.execute(new_command(number=f"+3531960{digits}", **REST)) == expected
    assert found.executions() == []


async def test_the_release_of_a_number_that_the_carrier_does_not_have_succeeds(
    world: Any, new_command: Any
) -> None:
    """A rule of one action comes before the rules of all."""
    found = await world()
    assert await found.execute(new_command("release", **REST)) == Succeeded()
    failed = await found.execute(new_command("suspend", **REST))
    assert (failed.code, failed.retryable) == ("number_unknown", False)


async def test_a_reply_that_never_comes_is_a_retryable_failure_and_its_effect_is_not_repeated(
    world: Any, new_command: Any
) -> None:
    """The second attempt gets the answer of the first effect."""
    found = await world(Behavior(silent=1.0), timeout_s=0.3)
    command = new_command(**REST)
    failed = await found.execute(command)
    assert (failed.code, failed.retryable) == ("carrier_timeout", True)
    again = await found.execute(new_command(**REST, command_id=command.data.command_id, attempt=2))
    assert isinstance(again, Succeeded)
    assert found.executions() == [(NUMBER, "activate")]


async def test_no_command_is_executed_twice_while_a_third_of_the_requests_fails(
    world: Any, new_command: Any
) -> None:
    """100 commands are sent until they succeed. The carrier refuses what is above its rate, and logs each one once."""
    behavior = Behavior(failing=0.3, silent=0.05, twice=0.02, rate_per_s=300, seed=7)
    found = await world(behavior, timeout_s=1)
    failures: list[str] = []
    at_once = asyncio.Semaphore(20)

    async def until_it_succeeds(number: str) -> None:
        command_id = uuid4()
        for attempt in range(1, 50):
            command = new_command(number=number, **REST, command_id=command_id, attempt=attempt)
            async with at_once:
                outcome = await found.execute(command)
            if isinstance(outcome, Succeeded):
                return
            failures.append(outcome.code)
            await asyncio.sleep(outcome.retry_after_s or 0.05)

    numbers = [f"+3531960{n:04d}" for n in range(100)]
    await asyncio.gather(*(until_it_succeeds(number) for number in numbers))
    assert sorted(found.executions()) == [(number, "activate") for number in numbers]
    assert {"carrier_unavailable", "carrier_timeout"} <= set(failures)


async def test_an_asynchronous_activation_is_reported_by_webhook(world: Any, new_command: Any) -> None:
    """The call gives no result. The webhook gives one, with the fields of the attempt."""
    found = await world(Behavior(asynchronous=frozenset(("activate",)), delay_s=0.05))
    command = new_command(**REST, attempt=3)
    assert await found.execute(command) == Later()
    await found.until_reported()
    ((reference, outcome),) = found.reported
    assert outcome == Succeeded(carrier_reference="op-1")
    assert (reference.command_id, reference.attempt) == (command.data.command_id, 3)
    assert (reference.event_id, reference.correlationid) == (command.id, "purchase-1")
    assert (reference.did_id, reference.account) == (command.data.did_id, "master/acme")


async def test_a_final_failure_is_reported_by_webhook_with_its_code(world: Any, new_command: Any) -> None:
    """The number ends in 9990. The effect is not there."""
    found = await world(Behavior(asynchronous=frozenset(("activate",)), delay_s=0.05))
    assert await found.execute(new_command(number="+35319609990", **REST)) == Later()
    await found.until_reported()
    assert [outcome for _, outcome in found.reported] == [Failed(code="rejected")]
    assert found.executions() == []


async def test_a_webhook_may_come_before_the_call_returns(world: Any, new_command: Any) -> None:
    """The call's reply never comes, the webhook does."""
    behavior = Behavior(asynchronous=frozenset(("activate",)), delay_s=0, silent=1.0)
    found = await world(behavior, timeout_s=0.5)
    calling = asyncio.create_task(found.execute(new_command(**REST)))
    await found.until_reported()
    assert not calling.done()
    assert isinstance(await calling, Failed)
    assert [outcome for _, outcome in found.reported] == [Succeeded(carrier_reference="op-1")]


async def test_webhooks_that_are_sent_twice_at_once_have_the_same_result(
    world: Any, new_command: Any
) -> None:
    """Both are acknowledged, so the carrier stops."""
    found = await world(Behavior(asynchronous=frozenset(("activate",)), delay_s=0.05, twice=1.0))
    await found.execute(new_command(**REST))
    await until(lambda: len(found.rest._deliveries.sent) == 2, within=5, what="both webhooks")
    assert [status for _, status in found.rest._deliveries.sent] == [204, 204]
    assert {outcome for _, outcome in found.reported} == {Succeeded(carrier_reference="op-1")}


async def test_a_webhook_that_is_repeated_is_acknowledged_and_not_published_again(
    world: Any, new_command: Any
) -> None:
    """The carrier did not get the first acknowledgement. The id of the webhook is the same."""
    found = await world()
    token = found.adapter.tokens.make(found_reference(new_command(**REST)))
    body = b'{"type": "operation.done"}'
    async with httpx.AsyncClient() as client:
        for _ in range(3):
            headers = Signer([SECRET]).headers("msg-1", body)
            url = f"http://127.0.0.1:{found.receivers[0]}/webhooks/{token}"
            assert (await client.post(url, content=body, headers=headers)).status_code == 204
    assert len(found.reported) == 1


async def test_a_webhook_answers_each_attempt_that_waits(world: Any, new_command: Any) -> None:
    """The command was sent again while the carrier was still busy with it. A carrier sends one webhook for both."""
    found = await world(Behavior(asynchronous=frozenset(("activate",)), delay_s=0.3))
    command = new_command(**REST)
    again = new_command(**REST, command_id=command.data.command_id, attempt=2)
    assert [await found.execute(each) for each in (command, again)] == [Later(), Later()]
    await found.until_reported(2)
    assert {reference.event_id for reference, _ in found.reported} == {command.id, again.id}
    assert found.executions() == [(NUMBER, "activate")]


async def test_a_webhook_may_arrive_at_a_process_that_did_not_call_and_was_just_started(
    world: Any, new_command: Any
) -> None:
    """The token in the URL says what it answers. All processes have the same keys. A repeat elsewhere is the same."""
    found = await world(processes=2)
    command = new_command(**REST)
    token = found.adapter.tokens.make(found_reference(command))
    body = json.dumps({"type": "operation.done", "data": {"operation": "op-9"}}).encode()
    async with httpx.AsyncClient() as client:
        for port in found.receivers:
            headers = Signer([SECRET]).headers("msg-1", body)
            url = f"http://127.0.0.1:{port}/webhooks/{token}"
            assert (await client.post(url, content=body, headers=headers)).status_code == 204
    assert [outcome for _, outcome in found.reported] == [Succeeded(carrier_reference="op-9")] * 2
    assert {reference.event_id for reference, _ in found.reported} == {command.id}


def found_reference(command: Any) -> Any:
    """Return the reference of a command."""
    from didflow_adapters.kit import CommandReference

    return CommandReference.of(command)


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("unsigned", 401),
        ("another secret", 401),
        ("changed body", 401),
        ("no token", 404),
        ("foreign token", 404),
        ("another carrier", 404),
        ("unknown type", 422),
        ("no json", 422),
        ("too large", 413),
    ],
)
async def test_a_forged_or_senseless_webhook_publishes_nothing(
    world: Any, new_command: Any, case: str, status: int
) -> None:
    """The reply has a code and nothing else."""
    found = await world()
    command = new_command(carrier="other" if case == "another carrier" else "rest")
    token = found.adapter.tokens.make(found_reference(command))
    token = {"no token": "", "foreign token": token[:-4] + "AAA="}.get(case, token)
    body = json.dumps({"type": "operation.done" if case != "unknown type" else "ping"}).encode()
    if case in ("no json", "too large"):
        body = b"[" * (70_000 if case == "too large" else 60_000)
    headers = Signer([new_secret() if case == "another secret" else SECRET]).headers("msg-1", body)
    if case == "unsigned":
        headers = {}
    if case == "changed body":
        body += b" "
    async with httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{found.receivers[0]}/webhooks/{token}"
        answer = await client.post(url, content=body, headers=headers)
    assert answer.status_code == status
    assert set(answer.json()) == {"code"}
    assert found.reported == []


async def sent(found: Any, command: Any, secret: str = SECRET, **content: Any) -> int:
    """Send a webhook about an attempt, signed `seconds` ago. Return the status of the reply."""
    seconds, webhook_id = content.pop("seconds", 0), content.pop("webhook_id", "msg-1")
    body = json.dumps({"type": "operation.done"} | content).encode()
    token = found.adapter.tokens.make(found_reference(command))
    headers = Signer([secret]).headers(webhook_id, body, datetime.now(UTC) - timedelta(seconds=seconds))
    async with httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{found.receivers[0]}/webhooks/{token}"
        return (await client.post(url, content=body, headers=headers)).status_code


async def test_a_webhook_with_an_old_timestamp_publishes_nothing(world: Any, new_command: Any) -> None:
    """Whoever recorded it cannot send it again after five minutes. Its own sender signs it again with the same id."""
    found = await world()
    command = new_command(**REST)
    assert await sent(found, command, seconds=330) == 401
    assert found.reported == []
    assert await sent(found, command, seconds=270) == 204
    assert len(found.reported) == 1


async def test_during_a_rotation_both_secrets_are_accepted_and_after_it_the_new_one_only(
    world: Any, new_command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator adds the new secret, the carrier changes over, the operator removes the old one."""
    old, new = new_secret(), new_secret()
    monkeypatch.setenv("OLD_SECRET", old)
    monkeypatch.setenv("NEW_SECRET", new)
    webhook = yaml.safe_load(FILE.read_text())["webhook"]
    statuses = []
    for names in (("NEW_SECRET", "OLD_SECRET"), ("NEW_SECRET",)):
        found = await world(webhook=webhook | {"secrets": [{"env": name} for name in names]})
        command = new_command(**REST)
        statuses += [await sent(found, command, secret, webhook_id=secret) for secret in (old, new)]
        assert len(found.reported) == len(names)
    assert statuses == [204, 204, 401, 204]


async def test_webhooks_that_arrive_in_another_order_have_the_results_of_their_own_attempts(
    world: Any, new_command: Any
) -> None:
    """That of the second attempt comes first and answers both. That of the first is late, and is published too."""
    found = await world(Behavior(asynchronous=frozenset(("activate",)), delay_s=60))
    first = new_command(**REST)
    second = new_command(**REST, command_id=first.data.command_id, attempt=2)
    assert [await found.execute(each) for each in (first, second)] == [Later(), Later()]
    failed = {"type": "operation.failed", "data": {"error": {"code": "rejected"}}}
    assert await sent(found, second, webhook_id="msg-2") == 204
    assert await sent(found, first, webhook_id="msg-1", **failed) == 204
    assert [(each.attempt, outcome) for each, outcome in found.reported] == [
        (2, Succeeded()),
        (1, Succeeded()),
        (1, Failed(code="rejected")),
    ]


async def test_each_request_of_a_command_waits_for_its_place_in_the_rate(
    world: Any, new_command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The polls too. The carrier counts all of them."""
    waits = 0

    async def wait() -> None:
        nonlocal waits
        waits += 1

    monkeypatch.setattr("didflow_adapters.http.exchange.before_request", wait)
    poll = {
        "path": "/operations/{{ reply.operation }}",
        "every_s": 0.05,
        "for_s": 5,
        "replies": [{"where": {"/status": "done"}, "outcome": "succeeded"}],
    }
    found = await world(Behavior(asynchronous=frozenset(("activate",)), delay_s=0.15, lost=1.0), poll=poll)
    assert isinstance(await found.execute(new_command(**REST)), Succeeded)
    assert waits == found.rest.window.served > 2


async def test_a_webhook_that_cannot_be_published_is_not_acknowledged(
    world: Any, new_command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The carrier sends it again."""
    from didflow_adapters.http import receiver

    monkeypatch.setattr(receiver, "WITHIN_S", 0.2)
    found = await world(processes=0)
    answers: list[int] = []

    async def never(reference: Any, outcome: Any) -> None:
        await asyncio.Event().wait()

    webhook = found.adapter._configuration.webhook
    stuck = receiver.Receiver("rest", webhook, found.adapter.tokens, found.adapter.attempts, never)
    body = b'{"type": "operation.done"}'
    token = found.adapter.tokens.make(found_reference(new_command(**REST)))
    async with serving(stuck.application()) as port, httpx.AsyncClient() as client:
        for _ in range(2):
            headers = Signer([SECRET]).headers("msg-1", body)
            answer = await client.post(
                f"http://127.0.0.1:{port}/webhooks/{token}", content=body, headers=headers
            )
            answers.append(answer.status_code)
    assert answers == [503, 503]


async def test_a_carrier_without_webhooks_is_polled(world: Any, new_command: Any) -> None:
    """The call's reply says what to ask for."""
    poll = {
        "path": "/operations/{{ reply.operation }}",
        "every_s": 0.05,
        "for_s": 5,
        "replies": [{"where": {"/status": "done"}, "outcome": "succeeded", "reference_at": "/operation"}],
    }
    behavior = Behavior(asynchronous=frozenset(("activate",)), delay_s=0.15, lost=1.0)
    found = await world(behavior, poll=poll)
    assert await found.execute(new_command(**REST)) == Succeeded(carrier_reference="op-1")
    assert found.reported == []


async def test_a_poll_without_an_answer_ends_without_a_result(world: Any, new_command: Any) -> None:
    """The command is sent again after its deadline."""
    poll = {"path": "/operations/{{ reply.operation }}", "every_s": 0.05, "for_s": 0.2, "replies": []}
    found = await world(Behavior(asynchronous=frozenset(("activate",)), delay_s=60, lost=1.0), poll=poll)
    began = time.monotonic()
    assert await found.execute(new_command(**REST)) == Later()
    assert time.monotonic() - began < 2


async def test_a_carrier_that_asks_to_wait_is_not_polled_meanwhile(world: Any, new_command: Any) -> None:
    """The kit then pauses all calls to it, and the command is sent again later."""
    poll = {"path": "/operations/{{ reply.operation }}", "every_s": 0.05, "for_s": 0.5, "replies": []}
    behavior = Behavior(asynchronous=frozenset(("activate",)), delay_s=60, lost=1.0, rate_per_s=1)
    found = await world(behavior, poll=poll)
    assert await found.execute(new_command(**REST)) == Failed(
        code="rate_limited", retryable=True, retry_after_s=1
    )
    assert found.rest.window.refused == 1


async def test_the_carrier_serves_no_more_than_its_rate(world: Any, new_command: Any) -> None:
    """What is above it is refused with Retry-After and has no effect."""
    found = await world(Behavior(rate_per_s=5))
    commands = [new_command(number=f"+3531960{n:04d}", **REST) for n in range(12)]
    outcomes = await asyncio.gather(*(found.execute(command) for command in commands))
    refused = [each for each in outcomes if isinstance(each, Failed)]
    assert {(each.code, each.retry_after_s) for each in refused} == {("rate_limited", 1)}
    assert (len(refused), len(found.executions()), found.rest.window.refused) == (7, 5, 7)


async def test_the_carrier_keeps_its_own_log(world: Any, new_command: Any) -> None:
    """A client with the token reads what was executed. Without it, nothing."""
    found = await world()
    await found.execute(new_command(**REST))
    async with serving(found.rest.application()) as port, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{port}/log"
        assert (await client.get(url)).status_code == 401
        log = (await client.get(url, headers={"Authorization": f"Bearer {TOKEN}"})).json()
    ((execution),) = log["executions"]
    assert (execution["number"], execution["action"], log["served"]) == (NUMBER, "activate", 1)


async def test_effects_are_appended_to_a_file_and_unknown_numbers_can_be_accepted(
    world: Any, new_command: Any, tmp_path: Path
) -> None:
    """As the conformance run needs it."""
    found = await world(Behavior(any_number=True))
    found.rest.numbers.log = tmp_path / "log.jsonl"
    command = new_command("suspend", **REST)
    assert isinstance(await found.execute(command), Succeeded)
    (line,) = found.rest.numbers.log.read_text().splitlines()
    assert json.loads(line) == {
        "command_id": str(command.data.command_id),
        "action": "suspend",
        "number": NUMBER,
    }


async def test_a_key_that_is_used_for_another_request_is_refused(world: Any) -> None:
    """A change without a key is refused too."""
    found = await world()
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "k-1"}
    async with serving(found.rest.application()) as port, httpx.AsyncClient(headers=headers) as client:
        url = f"http://127.0.0.1:{port}/numbers/{NUMBER}"
        statuses = [
            (await client.put(url, json={"capacity": 1})).status_code,
            (await client.put(url, json={"capacity": 1})).headers.get("idempotent-replayed"),
            (await client.put(url, json={"capacity": 2})).status_code,
            (await client.put(url, json={}, headers={"Idempotency-Key": ""})).status_code,
        ]
    assert statuses == [200, "true", 422, 400]
