"""F03: every record of every topic is delivered again, to the same worker and to another one at the same time.

Every event counts once all the same; the carrier is asked once, under one token.
"""

from collections import Counter

from faults.carrier import Carry
from faults.installation import Install, ready
from faults.invariants import Judge
from faults.ledger import Ledger
from faults.oracle import Ask
from faults.replay import replaying

from didflow_contracts.topics import SERVICES

BOUGHT = 20


async def test_everything_delivered_twice_and_twice_at_once_happens_once(
    install: Install, ask: Ask, judge: Judge, carrier: Carry, ledger: Ledger
) -> None:
    """F03: two workers of each service and a copy of each record for both: I3 and I7 hold, one carrier token each."""
    at = await install(*SERVICES)
    oracle = await ask(at)
    await ready(*(at.worker(name, index) for name in SERVICES for index in range(2)))
    await carrier(at)
    async with replaying(at):
        await oracle.purchase(BOUGHT)
        evidence = await judge(at, oracle)
    assert evidence.repeats >= len(evidence.records) / 2
    tokens = {(entry.did_id, entry.key) for entry in ledger.of("carrier")}
    assert Counter(did_id for did_id, _ in tokens) == Counter(one.did_id for one in oracle.bought)
