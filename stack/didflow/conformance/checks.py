"""The checks of a conformance run, in their order.

Source: spec events, provisioning.commands and provisioning.results.
"""

from collections.abc import Sequence
from typing import Final

import orjson

from didflow.conformance import repeats, results
from didflow.conformance.convention import FAILS_FOR_GOOD, LIMITED_ONCE, SLOW, UNAVAILABLE_ONCE, number
from didflow.conformance.run import Check, CheckFailed, Run, must_succeed
from didflow_contracts.envelope import encode
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
    await run.succeeds(run.commands.new(number(0)), within=run.start_s, what="The first command")


async def _actions(run: Run) -> None:
    for action in _LIFE:
        await run.succeeds(run.commands.new(number(1), action), what=f"The action {action}")


async def _retryable(run: Run) -> None:
    await _fails_once(run, number(3, UNAVAILABLE_ONCE), "unavailable")


async def _rate_limited(run: Run) -> None:
    seconds = await _fails_once(run, number(4, LIMITED_ONCE), "rate limited")
    if seconds == 0:
        raise CheckFailed("The carrier said how long to wait, and the result has no retry_after_s.")


async def _fails_once(run: Run, called: str, how: str) -> int | None:
    """Send two attempts. Return the `retry_after_s` of the first one, or None if the adapter tried again itself."""
    command = run.commands.new(called)
    first = await run.ask(command)
    if first.outcome == "succeeded":
        run.must_be_done_once(command, "The command")
        run.notes.append("The adapter tried again by itself.")
        return None
    if not first.retryable:
        raise CheckFailed(
            f"The carrier was {how}, and the result says that the failure is final (retryable is false)."
        )
    second = await run.ask(run.commands.again(command), what="The second attempt")
    if second.outcome != "succeeded":
        raise CheckFailed(
            f"The second attempt was answered with {second.code}. The carrier would have accepted it."
        )
    run.must_be_done_once(command, "The command")
    return first.retry_after_s or 0


async def _final(run: Run) -> None:
    command = run.commands.new(number(5, FAILS_FOR_GOOD))
    for attempt, what in ((command, "The command"), (run.commands.again(command), "Its next attempt")):
        result = await run.ask(attempt, what=what)
        if result.outcome == "succeeded":
            raise CheckFailed(f"{what} succeeded. The carrier refuses it for good.")
        if result.retryable:
            raise CheckFailed(f"{what} failed with retryable true. The carrier refuses it for good.")


async def _garbage(run: Run) -> None:
    called = number(6)
    await run.succeeds(run.commands.new(called), what="The command before the garbage")
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
    await run.succeeds(after, what="The command after records that are no commands")
    if run.exchange.results_of(foreign):
        raise CheckFailed(f"A command for the carrier {foreign.data.carrier} was answered.")


async def _new_fields(run: Run) -> None:
    command = run.commands.new(number(7))
    run.exchange.expect(command)
    value = orjson.loads(encode(command))
    value["neverseen"] = "1"
    value["data"]["never_seen"] = {"a": [1, None]}
    value["data"]["parameters"]["never_seen"] = True
    await run.exchange.publish_value(orjson.dumps(value), command.subject)
    result = (await run.results(command, what="A command with fields that are not known"))[0]
    must_succeed(result, "A command with fields that are not known")


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
        must_succeed((await run.results(command, within=0))[0])
    # The times are those of the records, so it does not matter when this run reads them.
    answered = {command.subject: run.exchange.results_of(command)[0].published_ms for command in everything}
    late = sum(answered[one] >= answered[slow.subject] for one in beside)
    if late:
        raise CheckFailed(
            f"A slow command holds back other numbers: {late} of {len(beside)} commands were answered after it."
        )
    if any(answered[one] >= answered[slow.subject] for one in behind):
        run.notes.append("A slow command holds back the other numbers of its partition.")


async def _order(run: Run) -> None:
    called = [number(9, f"{digits:04d}") for digits in range(3)]
    sent = [run.commands.new(one, "set_capacity", capacity=n) for n in range(1, 6) for one in called]
    await run.send(*sent)
    for command in sent:
        must_succeed((await run.results(command))[0])
    ids = [command.data.command_id for command in sent]
    executed = [one for one in run.log.commands() if one in ids] if run.log else []
    for one in called:
        expected = [command.data.command_id for command in sent if command.subject == one]
        answers = [r.data.command_id for r in run.exchange.received if r.data.command_id in expected]
        if list(dict.fromkeys(answers)) != expected:
            raise CheckFailed("The results of one number came in another order than its commands.")
        if executed and [each for each in executed if each in expected] != expected:
            raise CheckFailed(
                "The commands of one number were executed in another order than they were sent."
            )


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
