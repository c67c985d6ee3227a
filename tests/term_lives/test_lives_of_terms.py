"""The lives of terms from end to end: over HTTP and Kafka, on a real stack, months long, in less than a minute."""

from asyncio import Task, wait
from collections.abc import Iterable, Mapping
from decimal import Decimal
from statistics import median
from typing import Any, Final

import pytest
from harness.deadline import eventually
from holdings.life_on_the_stack import all_events

from didflow.consistency.check import check
from didflow_contracts.envelope import Event
from term_lives.installation import Installation, Streamed
from term_lives.lives import LIVES
from term_lives.one_did import ALL, OneDid

pytestmark = pytest.mark.asyncio(loop_scope="package")

WITHIN_S: Final = 1.0
"""Source: spec http, conventions."""


@pytest.mark.parametrize("life", LIVES)
async def test_a_term_lives_as_specified(begun: Mapping[str, Task[Any]], life: str) -> None:
    """My Numbers, the ledger and the carrier show each step. All lives go on side by side."""
    await begun[life]


async def test_the_stream_and_the_topics_follow_every_step_of_every_life(
    installation: Installation, begun: Mapping[str, Task[Any]]
) -> None:
    """Each status comes in its order, in the stream within a second. Entries and balances are those of the ledger."""
    await wait(begun.values())
    published = await all_events(installation.stack)
    await eventually(lambda: all_streamed(installation, published))
    page = await installation.ask("GET", "/v1/balances", by="did", limit=1000)
    sums = ("charged", "refunded", "balance")
    balances = {each["did_id"]: [Decimal(each[sum_]["amount"]) for sum_ in sums] for each in page["items"]}
    lags: list[float] = []
    for one in ALL:
        streamed = installation.streamed[one.did]
        lags += [
            each.second - seen for each, (_, seen) in zip(in_order(one, streamed), one.statuses, strict=True)
        ]
        statuses = iter([event.data.status for event in of(published, "did.status_changed", one)])
        assert all(status in statuses for status, _ in one.statuses)
        posted = of(published, "ledger.posted", one)
        ledger = [(entry.kind, entry.amount, entry.start, entry.end) for entry in await one.ledger()]
        assert ledger == [
            (e.data.kind, str(e.data.money.amount), e.data.period_start, e.data.period_end) for e in posted
        ]
        charged, refunded, balance = balances[one.did]
        assert charged - refunded == balance == sum(Decimal(amount) for _, amount, *_ in ledger)
    assert median(lags) < WITHIN_S


async def test_after_all_lives_no_service_disagrees_with_another(
    installation: Installation, begun: Mapping[str, Task[Any]]
) -> None:
    """Nor does a ledger differ from its term."""
    await wait(begun.values())
    assert (await check(installation.clock.databases)).disagreements == []


async def all_streamed(installation: Installation, published: Iterable[Event[Any]]) -> bool:
    """Return whether the stream has brought every status that was waited for, in order, and once every removal."""
    for one in ALL:
        streamed = installation.streamed.get(one.did, [])
        removals = [each for each in streamed if each.removed]
        if len(in_order(one, streamed)) < len(one.statuses):
            return False
        if len(removals) != len(of(published, "did.removed", one)):
            return False
    return True


def in_order(one: OneDid, streamed: Iterable[Streamed]) -> list[Streamed]:
    """Return the first change to each status that was waited for, behind that to the status before."""
    rest = iter(streamed)
    found = (next((each for each in rest if each.status == status), None) for status, _ in one.statuses)
    return [each for each in found if each is not None]


def of(published: Iterable[Event[Any]], topic: str, one: OneDid) -> list[Event[Any]]:
    """Return the events of a topic about a DID, as its source counts them."""
    found = [e for e in published if e.type == f"didflow.{topic}.v1" and str(e.data.did_id) == one.did]
    return sorted(found, key=lambda event: event.sequence or 0)
