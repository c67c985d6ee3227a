"""The checks of a conformance run, in their order.

Source: spec events, provisioning.commands and provisioning.results.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import orjson

from didflow.conformance import repeats, results
from didflow.conformance.convention import FAILS_FOR_GOOD, LIMITED_ONCE, SLOW, UNAVAILABLE_ONCE, number
from didflow.conformance.run import Check, CheckFailed, Run, must_succeed, said, shown
from didflow_contracts.envelope import encode
from didflow_contracts.events import ResultReported
from didflow_contracts.vocabulary import CarrierAction

_LIFE: Final[Sequence[CarrierAction]] = (
    "activate",
    "set_voice",
    "set_capacity",
    "set_sms",
    "suspend",
    "resume",
    "release",
)
_OTHERS: Final = 6
_BEGUN: Final = 1 / 6
"""After which part of the time of a slow command the adapter has surely begun it."""


async def _answers(run: Run) -> None:
    await run.succeeds(run.commands.new(number(0)), within=run.start_s, what="the first command")


async def _actions(run: Run) -> None:
    for action in _LIFE:
        await run.succeeds(run.commands.new(number(1), action), what=f"the action {action}")


async def _retryable(run: Run) -> None:
    await _fails_once(run, number(3, UNAVAILABLE_ONCE), "unavailable")


async def _rate_limited(run: Run) -> None:
    first = await _fails_once(run, number(4, LIMITED_ONCE), "rate limited")
    if first is not None and first.retry_after_s is None:
        raise CheckFailed(
            f"{said(first)}, without retry_after_s.",
            sent=f"a command whose carrier asks to wait for one second ({first.number})",
            expected="a retryable failure with retry_after_s 1",
        )


async def _fails_once(run: Run, called: str, how: str) -> ResultReported | None:
    """Send two attempts. Return the first result, or None if the adapter tried again itself."""
    command = run.commands.new(called)
    what = f"a command whose carrier is {how} at the first call"
    first = await run.ask(command, what=what)
    if first.outcome == "succeeded":
        run.must_be_done_once(command, what)
        run.notes.append(
            "The first result is a success. The adapter tried again by itself, or its carrier does not follow the "
            "convention."
        )
        return None
    if not first.retryable:
        came = f"{said(first)}. So the failure is final."
        raise CheckFailed(came, sent=shown(command, what), expected="failed, retryable true")
    again, second = run.commands.again(command), "the second attempt, which the carrier would accept"
    must_succeed(await run.ask(again, what=second), again, second)
    run.must_be_done_once(command, what)
    return first


async def _final(run: Run) -> None:
    command = run.commands.new(number(5, FAILS_FOR_GOOD))
    for attempt, what in (
        (command, "a command that the carrier refuses for good"),
        (run.commands.again(command), "the next attempt at a command that the carrier refuses for good"),
    ):
        result = await run.ask(attempt, what=what)
        if result.outcome == "succeeded" or result.retryable:
            came = f"{said(result)}."
            raise CheckFailed(came, sent=shown(attempt, what), expected="failed, retryable false")


async def _garbage(run: Run) -> None:
    called = number(6)
    await run.succeeds(run.commands.new(called), what="the command before the garbage")
    foreign = run.commands.new(called, "suspend", carrier=f"not-{run.commands.carrier}"[:255])
    run.exchange.expect(foreign)
    without_data = orjson.loads(encode(foreign)) | {"data": {}}
    other_type = without_data | {"type": "didflow.did.changed.v1"}
    values = (
        b"{",
        b"null",
        b"[]",
        b"",
        None,
        b"\xff\xfe\x00",
        orjson.dumps(without_data),
        orjson.dumps(other_type),
    )
    for value in values:
        await run.exchange.publish_value(value, called)
    await run.exchange.publish_value(encode(foreign), called)
    after = run.commands.new(called, "set_capacity")
    await run.succeeds(after, what=f"{len(values)} records that are no commands, and then a command")
    if found := run.exchange.results_of(foreign):
        sent = shown(foreign, f"a command for the carrier {foreign.data.carrier}")
        raise CheckFailed(f"{said(found[0].data)}.", sent=sent, expected="no result, because it is skipped")


async def _new_fields(run: Run) -> None:
    command, what = run.commands.new(number(7)), "a command with fields that are not known"
    run.exchange.expect(command)
    value = orjson.loads(encode(command))
    value["neverseen"] = "1"
    value["data"]["never_seen"] = {"a": [1, None]}
    value["data"]["parameters"]["never_seen"] = True
    await run.exchange.publish_value(orjson.dumps(value), command.subject)
    must_succeed((await run.results(command, what=what))[0], command, what)


async def _slow(run: Run) -> None:
    slow = run.commands.new(number(8, SLOW))
    home = run.exchange.partition_of(slow.subject)
    numbers = [number(8, f"{digits:04d}") for digits in range(1, 400)]
    beside = [one for one in numbers if run.exchange.partition_of(one) != home][:_OTHERS]
    behind = [one for one in numbers if run.exchange.partition_of(one) == home][:_OTHERS]
    others = [run.commands.new(one) for one in beside]
    neighbors = [run.commands.new(one) for one in behind]
    everything = [slow, *neighbors, *others]
    await run.exchange.publish(*everything, pause_s=run.slow_s * _BEGUN)
    within = run.slow_s * (1 + len(neighbors)) + run.patience_s
    await run.until(lambda: all(map(run.exchange.results_of, everything)), within)
    for command in everything:
        what = "a slow command" if command is slow else "a command after a slow one"
        must_succeed((await run.results(command, within=0, what=what))[0], command, what)
    # The times are those of the records, so it does not matter when this run reads them.
    answered = {command.subject: run.exchange.results_of(command)[0].published_ms for command in everything}
    late = sum(answered[one] >= answered[slow.subject] for one in beside)
    if late:
        raise CheckFailed(
            f"{late} of {len(beside)} were answered after it.",
            sent=f"{shown(slow, 'a slow command')}, and then commands for {len(beside)} other numbers",
            expected="the others are answered before it",
        )
    if any(answered[one] >= answered[slow.subject] for one in behind):
        run.notes.append("A slow command holds back the other numbers of its partition.")


async def _order(run: Run) -> None:
    called = [number(9, f"{digits:04d}") for digits in range(3)]
    sent = [run.commands.new(one, "set_capacity", capacity=n) for n in range(1, 6) for one in called]
    await run.send(*sent)
    for command in sent:
        must_succeed((await run.results(command))[0], command)
    ids = [command.data.command_id for command in sent]
    executed = [one for one in run.log.commands() if one in ids] if run.log else []
    for one in called:
        expected = [command.data.command_id for command in sent if command.subject == one]
        answers = [r.data.command_id for r in run.exchange.received if r.data.command_id in expected]
        what = f"five commands for {one}, set_capacity 1 to 5"
        if (found := list(dict.fromkeys(answers))) != expected:
            came = f"{_positions(found, expected)}."
            raise CheckFailed(came, sent=what, expected="results in this order")
        if executed and (done := [each for each in executed if each in expected]) != expected:
            came = f"{_positions(done, expected)}, in the log of executions."
            raise CheckFailed(came, sent=what, expected="executions in this order")


def _positions(found: Sequence[UUID], expected: Sequence[UUID]) -> str:
    """Return in which order they came, for people."""
    return "the order " + ", ".join(str(expected.index(one) + 1) for one in found)


CHECKS: Final = (
    Check(name="answers", promise="A command is executed and answered.", judge=_answers, is_alone=True),
    # MUST be the first of those that run side by side: it publishes before them, when the adapter does nothing else.
    Check(name="slow", promise="A slow command does not hold back other numbers.", judge=_slow),
    Check(name="actions", promise="Each of the seven actions is answered.", judge=_actions),
    Check(
        name="duplicate",
        promise="A command that comes again is answered again and not done again.",
        judge=repeats.duplicate,
    ),
    Check(
        name="retryable",
        promise="A command that failed retryably is tried again when it comes again.",
        judge=_retryable,
    ),
    Check(
        name="rate-limited", promise="The time to wait is passed on in retry_after_s.", judge=_rate_limited
    ),
    Check(name="final", promise="A refusal for good is a final failure.", judge=_final),
    Check(name="order", promise="The commands of one number are executed in their order.", judge=_order),
    Check(
        name="reorder",
        promise="An old command that comes late again does not undo a newer one.",
        judge=repeats.reorder,
    ),
    Check(
        name="late",
        promise="A result after the deadline is published, and the next attempt is not a second execution.",
        judge=repeats.late,
    ),
    Check(
        name="restart",
        promise="After kill -9, every command is answered, and nothing is done twice.",
        judge=repeats.restart,
        is_alone=True,
    ),
    # An adapter may die of the following, so nothing runs beside them.
    Check(
        name="new-fields", promise="Fields that are not known are ignored.", judge=_new_fields, is_alone=True
    ),
    Check(
        name="garbage",
        promise="Records that are no commands, or for other carriers, are skipped.",
        judge=_garbage,
        is_alone=True,
    ),
    Check(
        name="results",
        promise="Every result names its command correctly.",
        judge=results.judge,
        is_alone=True,
    ),
)
"""All checks, in the order in which they are reported."""
