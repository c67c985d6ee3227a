"""F10: the connection breaks during COMMIT, so the client does not know whether the transaction was committed.

The client repeats the transaction. In both cases its effect is there once.
"""

from contextlib import AsyncExitStack

from faults.commit_cutter import CUTS, commit_cutter
from faults.installation import Install, ready
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient


async def test_a_transaction_whose_commit_was_not_confirmed_has_one_effect(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants, exits: AsyncExitStack
) -> None:
    """F10: a COMMIT of a worker and one of an API are cut, applied or not. I1 and I3 hold; there is no dead letter."""
    installation = await install("inventory", "billing")
    client = await open_client(installation)
    worker_cutter, worker_dsn = await exits.enter_async_context(
        commit_cutter(installation.parts.postgres["inventory"])
    )
    api_cutter, api_dsn = await exits.enter_async_context(
        commit_cutter(installation.parts.postgres["billing"])
    )
    api, *_ = await ready(
        installation.api("billing", POSTGRES=api_dsn),
        installation.worker("billing"),
        installation.worker("inventory", POSTGRES=worker_dsn),
    )
    client.apis["billing"] = await exits.enter_async_context(installation.http_client(api))
    for cut in CUTS * 2:
        worker_cutter.arm(cut)
        purchases = await client.purchase(5)
        await worker_cutter.happened.wait()
        assert await installation.unfinished_work() == []
        api_cutter.arm(cut)
        assert await client.command("renew", purchases[0], billing_period=1) == "done"
        assert api_cutter.happened.is_set()
    await check_invariants(installation, client)
