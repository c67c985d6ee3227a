"""F10: the connection breaks during COMMIT, so that nobody knows whether it was done.

Done or not, the same is sent again and ends the same: once.
"""

from contextlib import AsyncExitStack

from faults.commits import CUTS, commit_cutter
from faults.installation import Install, ready
from faults.invariants import Judge
from faults.oracle import Ask


async def test_a_commit_that_nobody_confirmed_is_done_once(
    install: Install, ask: Ask, judge: Judge, exits: AsyncExitStack
) -> None:
    """F10: a worker's and an API's COMMIT are cut, applied or not; I1 and I3 hold and nothing is dead-lettered."""
    at = await install("inventory", "billing")
    oracle = await ask(at)
    events, to_events = await exits.enter_async_context(commit_cutter(at.parts.postgres["inventory"]))
    calls, to_calls = await exits.enter_async_context(commit_cutter(at.parts.postgres["billing"]))
    api, *_ = await ready(
        at.api("billing", POSTGRES=to_calls),
        at.worker("billing"),
        at.worker("inventory", POSTGRES=to_events),
    )
    oracle.apis["billing"] = await exits.enter_async_context(at.http_client(api))
    for cut in CUTS * 2:
        events.arm(cut)
        bought = await oracle.purchase(5)
        await events.struck.wait()
        assert await at.unrest() == []
        calls.arm(cut)
        assert await oracle.command("renew", bought[0], billing_period=1) == "done"
        assert calls.struck.is_set()
    await judge(at, oracle)
