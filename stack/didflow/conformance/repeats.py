"""The checks of commands that come again: repeated, out of order, late, and after a restart of the adapter."""

import asyncio
from datetime import timedelta
from typing import Final

from didflow.conformance.convention import SLOW, number
from didflow.conformance.run import CheckFailed, Run, must_succeed

_MIDDLE: Final = 1 / 3
"""After which part of a slow command the adapter is killed."""


async def duplicate(run: Run) -> None:
    """The same record again, and then the next attempt. Each is answered."""
    command = run.commands.new(number(2))
    for attempt, what in (
        (command, "The command"),
        (command, "The same record again"),
        (run.commands.again(command), "The next attempt"),
    ):
        await run.succeeds(attempt, what=what)
        run.must_be_done_once(command, "A command that came again")


async def reorder(run: Run) -> None:
    """An older command of the number again after a newer one, and the attempts of one command in reverse."""
    called = number(10)
    older = run.commands.new(called, "set_capacity", capacity=1)
    newer = run.commands.new(called, "set_capacity", capacity=2)
    await run.succeeds(older, what="The older command")
    await run.succeeds(newer, what="The newer command")
    await run.succeeds(older, what="The older command, again after the newer one,")
    run.must_be_done_once(older, "An older command that came again after a newer one")
    first = run.commands.new(number(11))
    second = run.commands.again(first)
    await run.succeeds(second, what="The second attempt before the first one")
    await run.succeeds(first, what="The first attempt after the second one")
    run.must_be_done_once(first, "A command whose attempts came in reverse")


async def late(run: Run) -> None:
    """The next attempt comes while the first one is executed beyond its deadline."""
    command = run.commands.new(number(12, SLOW), answer_within=timedelta(seconds=run.slow_s * _MIDDLE))
    await run.send(command)
    await asyncio.sleep(run.slow_s * _MIDDLE * 1.5)
    await run.send(run.commands.again(command))
    # A carrier that was asked a second time by mistake takes its time again.
    found = await run.results(command, 2, within=2 * run.slow_s + run.patience_s, what="A late command")
    for result in found:
        must_succeed(result, "A late command")
    run.must_be_done_once(command, "A command whose next attempt came while it was executed")


async def restart(run: Run) -> None:
    """The adapter is killed while it executes a command. Another command has come that it has not read."""
    done, slow = run.commands.new(number(13)), run.commands.new(number(14, SLOW))
    unread = run.commands.new(number(15))
    await run.succeeds(done, what="The command before the restart")
    await run.send(slow)
    await asyncio.sleep(run.slow_s * _MIDDLE)
    if run.exchange.results_of(slow):
        raise CheckFailed("The slow number was answered at once. The carrier does not follow the convention.")
    restarting = asyncio.create_task(run.adapter.restart())
    await asyncio.sleep(0)
    await run.send(unread)
    await restarting
    within = run.start_s + run.slow_s
    must_succeed(
        (await run.results(slow, within=within, what="The command that was executed during the kill"))[0],
        "The command that was executed during the kill",
    )
    (result, *_) = await run.results(unread, within=within, what="The command that was sent during the kill")
    must_succeed(result, "The command that was sent during the kill")
    await run.succeeds(
        run.commands.again(done), within=within, what="A command that was done before the kill"
    )
    run.must_be_done_once(done, "A command that was answered before the kill and came again after it")
    run.must_be_done_once(slow, "The command that was executed during the kill")
