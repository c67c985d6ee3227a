"""The checks of commands that come again: repeated, out of order, late, and after a restart of the adapter."""

import asyncio
from datetime import timedelta
from typing import Final

from didflow.conformance.convention import SLOW, number
from didflow.conformance.run import CheckFailed, Run, must_succeed, said, shown

_MIDDLE: Final = 1 / 3
"""After which part of a slow command the adapter is killed."""


async def duplicate(run: Run) -> None:
    """The same record again, and then the next attempt. Each is answered."""
    command = run.commands.new(number(2))
    for attempt, what in (
        (command, "a command"),
        (command, "the same record again"),
        (run.commands.again(command), "the next attempt at a command that succeeded"),
    ):
        await run.succeeds(attempt, what=what)
        run.must_be_done_once(attempt, what)


async def reorder(run: Run) -> None:
    """An older command of the number again after a newer one, and the attempts of one command in reverse."""
    called = number(10)
    older = run.commands.new(called, "set_capacity", capacity=1)
    newer = run.commands.new(called, "set_capacity", capacity=2)
    await run.succeeds(older, what="an older command")
    await run.succeeds(newer, what="a newer command")
    what = "an older command again, after a newer one"
    await run.succeeds(older, what=what)
    run.must_be_done_once(older, what)
    first = run.commands.new(number(11))
    second = run.commands.again(first)
    await run.succeeds(second, what="the second attempt before the first one")
    what = "the first attempt after the second one"
    await run.succeeds(first, what=what)
    run.must_be_done_once(first, what)


async def late(run: Run) -> None:
    """The next attempt comes while the first one is executed beyond its deadline."""
    command = run.commands.new(number(12, SLOW), answer_within=timedelta(seconds=run.slow_s * _MIDDLE))
    what = "a slow command, and after its deadline the next attempt while the first one is executed"
    await run.send(command)
    await asyncio.sleep(run.slow_s * _MIDDLE * 1.5)
    await run.send(run.commands.again(command))
    # A carrier that was asked a second time by mistake takes its time again.
    found = await run.results(command, 2, within=2 * run.slow_s + run.patience_s, what=what)
    for result in found:
        must_succeed(result, command, what)
    run.must_be_done_once(command, what)


async def restart(run: Run) -> None:
    """The adapter is killed while it executes a command. Another command has come that it has not read."""
    done, slow = run.commands.new(number(13)), run.commands.new(number(14, SLOW))
    unread = run.commands.new(number(15))
    await run.succeeds(done, what="a command before the kill")
    await run.send(slow)
    await asyncio.sleep(run.slow_s * _MIDDLE)
    if found := run.exchange.results_of(slow):
        raise CheckFailed(
            f"{said(found[0].data)} at once. Does the carrier follow the convention of docs/conformance.md?",
            sent=shown(slow, "a slow command"),
            expected=f"a result after {run.slow_s:g} s",
        )
    restarting = asyncio.create_task(run.adapter.restart())
    await asyncio.sleep(0)
    await run.send(unread)
    await restarting
    within = run.start_s + run.slow_s
    for command, what in (
        (slow, "a command that was executed during the kill"),
        (unread, "a command during the kill"),
    ):
        must_succeed((await run.results(command, within=within, what=what))[0], command, what)
    again, what = run.commands.again(done), "after the kill, the next attempt at a command answered before"
    await run.succeeds(again, within=within, what=what)
    run.must_be_done_once(again, what)
    run.must_be_done_once(slow, "a command that was executed during the kill")
