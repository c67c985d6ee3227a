"""One conformance run: the checks in their order, and what each of them needs to ask and to judge."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from didflow.conformance.commands import Command, Commands
from didflow.conformance.convention import SLOW_S
from didflow.conformance.exchange import Exchange
from didflow.conformance.executions import ExecutionLog
from didflow.conformance.restarts import AdapterProcess
from didflow_contracts.events import ResultReported

Outcome = Literal["ok", "failed", "not_run"]

_STEP_S: Final = 0.02


class CheckFailed(Exception):
    """The adapter does not do what the check asks for. The texts are for people: what was sent, expected, and came."""

    def __init__(self, came: str, *, sent: str, expected: str) -> None:
        super().__init__(f"Sent: {sent}. Expected: {expected}. Came: {came}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One check. `promise` is what a conforming adapter does, as a sentence.

    Checks run side by side, because each has numbers of its own. `is_alone`: it runs when those before it have ended.
    """

    name: str
    promise: str
    judge: "Callable[[Run], Awaitable[None]]"
    is_alone: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a check found. `problem` is empty unless it failed. `notes` are remarks about an adapter that passed.

    `output` has the last lines of an adapter that has ended.
    """

    check: Check
    outcome: Outcome
    seconds: float = 0.0
    problem: str = ""
    notes: tuple[str, ...] = ()
    output: str = ""


@dataclass(kw_only=True)
class Run:
    """What the checks share. All durations are in seconds.

    `patience_s` is how long a result may take beyond the time of the carrier, `start_s` the same for the first result
    after a start of the adapter. `slow_s` is the time of the slow number of the convention.
    """

    commands: Commands
    exchange: Exchange
    adapter: AdapterProcess
    log: ExecutionLog | None = None
    patience_s: float = 15.0
    start_s: float = 60.0
    slow_s: float = SLOW_S
    notes: list[str] = field(default_factory=list)

    async def send(self, *commands: Command) -> None:
        """Publish commands in this order."""
        await self.exchange.publish(*commands)

    async def until(self, condition: Callable[[], bool], within: float | None = None) -> bool:
        """Receive results until the condition is true. Return False if it is not after `within` seconds."""
        now = asyncio.get_running_loop().time
        deadline = now() + (self.patience_s if within is None else within)
        while not condition():
            if now() > deadline or self.adapter.failure():
                return False
            await self.exchange.receive()
            await asyncio.sleep(_STEP_S)
        return True

    async def results(
        self, command: Command, count: int = 1, *, within: float | None = None, what: str = "a command"
    ) -> list[ResultReported]:
        """Wait until a command has this many results in all, over all attempts. Raises CheckFailed."""
        limit = self.patience_s if within is None else within
        if not await self.until(lambda: len(self.exchange.results_of(command)) >= count, limit):
            found = len(self.exchange.results_of(command))
            wanted = "a result" if count == 1 else f"{count} results in all"
            raise CheckFailed(
                f"{found or 'no'} result{'s' if found > 1 else ''}.{self._why()}",
                sent=shown(command, what),
                expected=f"{wanted} within {limit:g} s",
            )
        return [one.data for one in self.exchange.results_of(command)]

    async def ask(
        self, command: Command, *, within: float | None = None, what: str = "a command"
    ) -> ResultReported:
        """Publish an attempt at a command, and return its result. Raises CheckFailed."""
        before = len(self.exchange.results_of(command))
        await self.send(command)
        return (await self.results(command, before + 1, within=within, what=what))[before]

    async def succeeds(
        self, command: Command, *, within: float | None = None, what: str = "a command"
    ) -> None:
        """Publish an attempt at a command that must succeed. Raises CheckFailed."""
        must_succeed(await self.ask(command, within=within, what=what), command, what)

    def must_be_done_once(self, command: Command, what: str) -> None:
        """Raise CheckFailed if the carrier carried the command out more than once, or if this cannot be seen."""
        sent, expected = shown(command, what), "it is done once"
        if self.log is not None:
            times = self.log.commands().count(command.data.command_id)
            if times != 1:
                came = f"it was done {times} times. This is in the log of executions."
                raise CheckFailed(came, sent=sent, expected=expected)
        done = [one.data for one in self.exchange.results_of(command) if one.data.outcome == "succeeded"]
        references = {data.carrier_reference for data in done}
        if len(references) > 1:
            listed = " and ".join(sorted(map(str, references)))
            came = f"it was done again: its results have the carrier_reference {listed}."
            raise CheckFailed(came, sent=sent, expected=expected)
        if self.log is None and references == {None}:
            came = (
                "it cannot be seen how often it was done: the results have no carrier_reference, and there is no log "
                "of executions (--executions)."
            )
            raise CheckFailed(came, sent=sent, expected=expected)

    def _why(self) -> str:
        if self.adapter.failure():
            return " The adapter has ended."
        if self.exchange.bad:
            return f" A record on the topic of the results is no result: {self.exchange.bad[-1]}"
        if not self.exchange.received:
            return f" Is the adapter running, and does it execute commands whose carrier is {self.commands.carrier}?"
        return ""


def shown(command: Command, what: str = "a command") -> str:
    """Return what a command is, for people: enough to find it in the log of the adapter."""
    data = command.data
    return f"{what} ({data.action} {data.number}, attempt {data.attempt}, command_id {data.command_id})"


def said(result: ResultReported) -> str:
    """Return what a result says, for people."""
    if result.outcome == "succeeded":
        return "succeeded"
    told = f"failed, code {result.code}, retryable {str(result.retryable).lower()}"
    wait = "" if result.retry_after_s is None else f", retry_after_s {result.retry_after_s}"
    return f"{told}{wait}" + (f", message {result.message!r}" if result.message else "")


def must_succeed(result: ResultReported, command: Command, what: str = "a command") -> None:
    """Raise CheckFailed if this result is no success."""
    if result.outcome != "succeeded":
        raise CheckFailed(f"{said(result)}.", sent=shown(command, what), expected="succeeded")


async def verdicts(run: Run, checks: Sequence[Check], only: Collection[str] = ()) -> AsyncIterator[Verdict]:
    """Run the checks, or those that are named, and yield a verdict for each. The first check always runs.

    If the first one fails, no adapter answers, and the others are not run. An adapter that has ended is started again
    for the checks that follow, if the run has started it.
    """
    first, *others = [check for check in checks if not only or check.name in only or check is checks[0]]
    verdict = await _judged(run, first)
    yield verdict
    if verdict.outcome == "failed":
        for check in others:
            yield Verdict(check=check, outcome="not_run")
        return
    for stage in _stages(others):
        if run.adapter.failure():
            await run.adapter.restart()
        judging = [asyncio.create_task(_judged(run, check)) for check in stage]
        try:
            for one in judging:
                yield await one
        finally:
            for one in judging:
                one.cancel()
            await asyncio.gather(*judging, return_exceptions=True)


def _stages(checks: Sequence[Check]) -> Iterator[list[Check]]:
    """Yield the checks that run side by side, in their order. One that is alone has a stage of its own."""
    stage: list[Check] = []
    for check in checks:
        if check.is_alone and stage:
            yield stage
            stage = []
        stage.append(check)
        if check.is_alone:
            yield stage
            stage = []
    if stage:
        yield stage


async def _judged(run: Run, check: Check) -> Verdict:
    now = asyncio.get_running_loop().time
    began, problem, output, own = now(), "", "", replace(run, notes=[])
    try:
        await check.judge(own)
    except CheckFailed as error:
        problem, output = str(error), run.adapter.failure() or ""
    return Verdict(
        check=check,
        outcome="failed" if problem else "ok",
        seconds=now() - began,
        problem=problem,
        notes=tuple(own.notes),
        output=output,
    )
