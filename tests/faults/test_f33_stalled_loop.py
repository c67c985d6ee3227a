"""F33: a worker's event loop stands still for longer than its group waits for it."""

import time

from faults.installation import Install, Member, ready
from faults.invariants import Judge
from faults.oracle import Ask
from harness.processes import until

STALL_S = 12
"""Longer than the session of a member, which is 10 s by default."""


async def test_a_worker_whose_loop_stood_still_is_found_out_and_recovers(
    install: Install, ask: Ask, judge: Judge
) -> None:
    """F33: 12 s without a heartbeat: no probe is answered, another worker goes on, then both work; I1 to I8 hold."""
    at = await install("inventory", "billing")
    oracle = await ask(at)
    stalls = at.worker("billing", 0, FAILPOINTS=f"consumer.take=block:{STALL_S}@1")
    stalled, *_ = await ready(stalls, at.worker("billing", 1), at.worker("inventory"))
    await oracle.purchase(20)
    await until(lambda: silent(stalled), within=STALL_S, what="a probe without an answer")
    began = time.monotonic()
    await oracle.purchase(20)
    await until(lambda: alive(stalled), within=STALL_S + 30, what="liveness and readiness again")
    print(f"well again {time.monotonic() - began:.1f} s after it was found out")  # noqa: T201 - shown with a failure
    await oracle.purchase(20)
    await judge(at)
    assert stalled.process.exit_code is None
    assert await alive(stalled)


async def silent(member: Member) -> bool:
    """Whether its liveness gives no answer in time."""
    return await member.health_answer("/healthz/live") is None


async def alive(member: Member) -> bool:
    """Whether it says that it lives and that it is ready."""
    return None not in [await member.health_answer(f"/healthz/{probe}") for probe in ("live", "ready")]
