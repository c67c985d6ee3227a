"""The small adapter judged by the conformance run: each way in which it can be broken, and the line that shows it."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from didflow.conformance.checks import CHECKS
from didflow.conformance.commands import Commands
from didflow.conformance.convention import SLOW_S
from didflow.conformance.exchange import Exchange, exchange
from didflow.conformance.run import Run, Verdict, verdicts
from didflow.conformance.servers import broker
from harness.memory_kafka import MemoryKafka
from harness.small_adapter import SmallAdapter, clients_of

DEFECTS: Final = (
    (
        "silent",
        "answers",
        "Came: no result. Is the adapter running, and does it execute commands whose carrier is small?",
    ),
    ("no_memory", "duplicate", "Expected: it is done once. Came: it was done again: its results have the"),
    (
        "ignores_repeats",
        "duplicate",
        "Sent: the same record again (activate +442079020000, attempt 1, command_id ",
    ),
    (
        "retryable_as_final",
        "retryable",
        "Came: failed, code carrier_unavailable, retryable false. So the failure",
    ),
    (
        "remembers_failures",
        "retryable",
        "Expected: succeeded. Came: failed, code carrier_unavailable, retryable",
    ),
    (
        "no_retry_after",
        "rate-limited",
        "Came: failed, code rate_limited, retryable true, without retry_after_s.",
    ),
    (
        "final_as_retryable",
        "final",
        "Expected: failed, retryable false. Came: failed, code rejected, retryable true.",
    ),
    ("dies_of_garbage", "garbage", "Sent: 8 records that are no commands, and then a command (set_capacity"),
    ("answers_others", "garbage", "Sent: a command for the carrier not-small (suspend"),
    ("strict", "new-fields", "Sent: a command with fields that are not known (activate"),
    ("one_at_a_time", "slow", "the others are answered before it. Came: 6 of 6 were answered after it."),
    ("unordered", "order", "Expected: results in this order. Came: the order 5, 4, 3, 2, 1."),
    ("remembers_one", "reorder", "Sent: an older command again, after a newer one (set_capacity"),
    ("two_at_once", "late", "Expected: it is done once. Came: it was done again"),
    ("drops_late", "late", " s. Came: 1 result."),
    ("forgets_at_restart", "restart", "Sent: after the kill, the next attempt at a command answered before"),
    ("commits_first", "restart", "Sent: a command that was executed during the kill (activate"),
    ("wrong_key", "results", "Expected: a result whose key is the number. Came: the key b'key'."),
    ("wrong_cause", "results", "Came: the causationid another."),
    (
        "wrong_account",
        "results",
        "a result with the account master/conformance. Came: account master/another.",
    ),
    ("wrong_attempt", "results", "Came: the attempt 7."),
    ("wrong_source", "answers", "unexpected_source"),
    ("same_id", "results", "Expected: each result has an event id of its own. Came: "),
    ("one_reference", "results", "Came: done for "),
    ("no_code", "results", "Expected: a failure with a code. Came: no code."),
)
"""Defect, check that fails, and a part of its line."""

OTHERS: Final = {"same_id": ("actions",), "one_reference": ("actions",), "no_code": ("final",)}
"""Checks that must run before, so that the results have the defect."""


class Executed:
    """The log of executions of the small adapter."""

    def __init__(self, adapter: SmallAdapter) -> None:
        self._adapter = adapter

    def commands(self) -> Sequence[Any]:
        """Return what was executed."""
        return self._adapter.executed


async def judged_in_memory(defect: str, *only: str, log: bool = False) -> dict[str, Verdict]:
    """Run the checks on the small adapter with this defect. Call it in virtual time: it waits as a real run does."""
    memory = MemoryKafka()
    opened = Exchange(
        producer=memory.producer(),
        consumer=memory.consumer("provisioning.results"),
        prefix="",
        partitions=memory.partitions,
    )
    return await _judged(SmallAdapter(clients_of(memory), defect), opened, only, log=log)


async def judged_on_kafka(defect: str, *only: str, log: bool = False) -> dict[str, Verdict]:
    """Run the checks on the embedded Kafka. A slow command takes 0.6 s."""
    async with AsyncExitStack() as exits:
        settings = await exits.enter_async_context(broker(None, ""))
        opened = await exits.enter_async_context(exchange(settings))
        adapter = SmallAdapter(clients_of(settings.kafka), defect, slow_s=0.6)
        short = {"silent": 2.0, "wrong_source": 2.0, "commits_first": 5.0}
        limits = {"patience_s": 1.5, "start_s": short.get(defect, 15.0), "slow_s": 0.6}
        return await _judged(adapter, opened, only, log=log, **limits)


async def _judged(
    adapter: SmallAdapter, opened: Exchange, only: Sequence[str], *, log: bool, **limits: float
) -> dict[str, Verdict]:
    run = Run(
        commands=Commands("small"),
        exchange=opened,
        adapter=adapter,
        log=Executed(adapter) if log else None,  # type: ignore[arg-type]
        **({"slow_s": SLOW_S} | limits),
    )
    await adapter.start()
    try:
        return {verdict.check.name: verdict async for verdict in verdicts(run, CHECKS, only)}
    finally:
        await adapter.stop()
