"""F01 and F02: a worker dies beside its relay, before Kafka has its records or after.

What was committed leaves, whatever dies; what leaves twice is applied once.
"""

import signal

from faults.installation import Install, ready
from faults.invariants import Judge
from faults.oracle import Ask
from faults.sessions import OUTBOX, asked, until_so

SERVICES = ("inventory", "billing")


async def test_what_was_committed_leaves_after_a_kill_before_the_publish(
    install: Install, ask: Ask, judge: Judge
) -> None:
    """F01: kill -9 between commit and publish; the events are out within 5 s of the restart, and I1 I2 I5 hold."""
    at = await install(*SERVICES)
    oracle = await ask(at)
    doomed, _ = await ready(at.worker("billing", FAILPOINTS="relay.read=kill@1"), at.worker("inventory"))
    await oracle.purchase(20)
    assert await doomed.process.ended(within=20) == -signal.SIGKILL
    billing = at.parts.postgres["billing"]
    assert await asked(billing, OUTBOX)
    await at.worker("billing").ready()
    await until_so(billing, f"SELECT ({OUTBOX}) = 0", within=5, what="everything out")
    await judge(at)


async def test_what_was_published_twice_is_applied_once(install: Install, ask: Ask, judge: Judge) -> None:
    """F02: kill -9 between the broker's acknowledgement and the delete; duplicates lie on the topic, I3 holds."""
    at = await install(*SERVICES)
    oracle = await ask(at)
    doomed, _ = await ready(at.worker("billing", FAILPOINTS="relay.acked=kill@1"), at.worker("inventory"))
    await oracle.purchase(20)
    assert await doomed.process.ended(within=20) == -signal.SIGKILL
    await at.worker("billing").ready()
    assert (await judge(at)).repeats > 0
