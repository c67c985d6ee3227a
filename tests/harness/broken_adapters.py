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
    ("silent", "answers", "The first command has 0 of 1 results after"),
    ("no_memory", "duplicate", "A command that came again was done again"),
    ("ignores_repeats", "duplicate", "The same record again has 1 of 2 results"),
    ("retryable_as_final", "retryable", "says that the failure is final"),
    ("remembers_failures", "retryable", "The second attempt was answered with carrier_unavailable."),
    ("no_retry_after", "rate-limited", "has no retry_after_s"),
    ("final_as_retryable", "final", "failed with retryable true"),
    ("dies_of_garbage", "garbage", "after records that are no commands has 0 of 1 results"),
    ("answers_others", "garbage", "A command for the carrier not-small was answered."),
    ("strict", "new-fields", "with fields that are not known has 0 of 1 results"),
    ("one_at_a_time", "slow", "6 of 6 commands were answered after it"),
    ("unordered", "order", "in another order than its commands"),
    ("remembers_one", "reorder", "An older command that came again after a newer one was done again"),
    ("two_at_once", "late", "whose next attempt came while it was executed was done again"),
    ("drops_late", "late", "A late command has 1 of 2 results"),
    ("forgets_at_restart", "restart", "answered before the kill and came again after it was done again"),
    ("commits_first", "restart", "The command that was executed during the kill has 0 of 1 results"),
    ("wrong_key", "results", "The key of a result is b'key'. It must be the number."),
    ("wrong_cause", "results", "The causationid of a result is not the event id of its command."),
    ("wrong_account", "results", "A result has another account than its command."),
    ("wrong_attempt", "results", "A result has the attempt 7, which was not sent."),
    ("wrong_source", "answers", "unexpected_source"),
    ("same_id", "results", "Several results have the same event id."),
    ("no_code", "results", "A failure has no code."),
)
"""Defect, check that fails, and a part of its line."""

OTHERS: Final = {"same_id": ("actions",), "no_code": ("final",)}
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
