"""F13: the broker is restarted under load, once in order and once by kill -9.

Nobody but the broker is restarted: every process finds its way back and goes on where it was.
"""

from faults.installation import Install, ready
from faults.invariants import Judge
from faults.load import loading
from faults.oracle import Ask
from harness.broker import Broker


async def test_everybody_goes_on_after_the_broker_was_restarted(
    kafka_broker: Broker, install: Install, ask: Ask, judge: Judge
) -> None:
    """F13: a broker that stops and one that is killed under load; all goes on within 30 s, and I1 to I5 hold."""
    at = await install("billing", "inventory")
    oracle = await ask(at)
    members = await ready(at.worker("billing"), at.worker("inventory"))
    for end in (kafka_broker.stop, kafka_broker.kill):
        async with loading(oracle, every=0.02):
            await oracle.purchase(20)
            await end()
            await kafka_broker.start()
            await oracle.purchase(20)
        assert await at.unrest(within=30) == []
    await judge(at, oracle)
    assert [member.process.exit_code for member in members] == [None, None]
