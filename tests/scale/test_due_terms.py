"""Waves of due terms as large as in production, on servers that keep their data on disk. Only with `make scale`.

A worker is killed with `kill -9` in the middle of each wave and started again. DIDFLOW_WAVE (100,000) and DIDFLOW_HOUR
(1,000,000) are the numbers of terms, DIDFLOW_HOUR_WORKERS (2) that of the workers of the hour.
`tests/faults/test_due_wave.py` has small waves, which run with every change.
"""

import os
from datetime import timedelta

import pytest

from bench.due_terms import Wave, wave
from bench.machine import machine

WAVE = int(os.environ.get("DIDFLOW_WAVE", "100000"))
HOUR = int(os.environ.get("DIDFLOW_HOUR", "1000000"))
HOUR_WORKERS = int(os.environ.get("DIDFLOW_HOUR_WORKERS", "2"))
IDLE_S = 60.0
SLOWER = 3
"""The latency of purchases may be this many times as high during a wave."""

pytestmark = pytest.mark.scale


async def measured(workers: int, terms: int, within: timedelta | None = None) -> Wave:
    """Run a wave on its own servers and print its figures."""
    async with machine() as servers:
        found = await wave(servers, workers, terms, idle_s=IDLE_S, within=within)
    print(found)  # noqa: T201 - the figures are a result
    return found


@pytest.mark.parametrize("workers", [2, 4])
async def test_workers_renew_each_term_of_a_large_wave_once_although_one_is_killed(workers: int) -> None:
    """Each term has one renewal in the ledger and one `term.changed`. Each purchase beside it is charged once."""
    found = await measured(workers, WAVE)
    assert (found.wrong, found.lost, found.doubled) == (0, 0, 0)


async def test_a_million_terms_due_in_one_hour_do_not_delay_purchases() -> None:
    """The 95th percentile of the time to answer a purchase is at most three times that without due terms.

    The clock is advanced to the end of the hour, so all are due at once. That is harder than an hour that passes: a
    million in an hour are 278 a second, and the workers renew more than that.
    """
    found = await measured(HOUR_WORKERS, HOUR, timedelta(hours=1))
    assert (found.wrong, found.lost, found.doubled) == (0, 0, 0)
    assert found.p95 <= SLOWER * found.idle_p95
