"""F13: the broker is restarted under load, once with a clean stop and once after kill -9.

No other process is restarted. Every process reconnects and continues where it stopped.
"""

from faults.installation import Install, ready
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient
from faults.steady_load import steady_purchases
from harness.broker import Broker


async def test_all_processes_continue_after_a_restart_of_the_broker(
    kafka_broker: Broker, install: Install, open_client: OpenClient, check_invariants: CheckInvariants
) -> None:
    """F13: the broker stops, then is killed, under load. All processes continue within 30 s, and I1 to I5 hold."""
    installation = await install("billing", "inventory")
    client = await open_client(installation)
    members = await ready(installation.worker("billing"), installation.worker("inventory"))
    for stop in (kafka_broker.stop, kafka_broker.kill):
        async with steady_purchases(client, every=0.02):
            await client.purchase(20)
            await stop()
            await kafka_broker.start()
            await client.purchase(20)
        assert await installation.unfinished_work(within=30) == []
    await check_invariants(installation, client)
    assert [member.process.exit_code for member in members] == [None, None]
