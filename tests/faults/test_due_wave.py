"""Many terms become due at the same time, as at the end of a month, and a worker is killed while it renews them.

`make scale` does it with 100,000 and with 1,000,000 terms (`tests/scale`).
"""

from collections import defaultdict
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaConsumer
from faults.installation import Install, Installation, Member, ready
from faults.services_in_process import event_of, raw_record
from harness.due_terms import Charges, DueTerms, due_terms
from harness.processes import until
from harness.steady_purchases import steady_purchases

from bench.purchases import new_purchases
from didflow_chassis.kafka_clients import connection
from didflow_contracts.events import TermChanged

TERMS = 3_000
FEW = TERMS // 6
HOUR = timedelta(hours=1)


@pytest.mark.disagreements(
    "entries_missing", "period_not_charged"
)  # these terms begin without ledger entries
async def test_workers_share_a_wave_and_renew_each_term_once_although_one_is_killed(
    install: Install, exits: AsyncExitStack
) -> None:
    """Each term has one renewal in the ledger and one `term.changed` on the topic. The killed worker comes back.

    The instants are spread over an hour. Purchases come meanwhile: each is answered and charged once.
    """
    installation = await install("billing")
    parts = installation.parts
    terms = await due_terms(parts.postgres["billing"], TERMS, apart=HOUR / TERMS)
    exits.push_async_callback(terms.connection.close)
    first, _ = await ready(installation.worker("billing", 0), installation.worker("billing", 1))
    purchases = await exits.enter_async_context(
        steady_purchases(parts.kafka, parts.topic_prefix, TermChanged.topic, new_purchases())
    )
    async with purchases.steady():
        await renew_all(terms, first)
    assert purchases.lost == set()
    bought = len(purchases.sent)
    assert await terms.first_periods() == Charges(entries=bought, terms=bought)
    assert await terms.renewals() == Charges(entries=TERMS, terms=TERMS)
    assert await changed_once(installation) == TERMS + bought


async def renew_all(terms: DueTerms, first: Member) -> None:
    """Make all terms due, and kill one of the workers after the first renewals."""
    await terms.make_due()

    async def some_are_renewed() -> bool:
        return (await terms.renewals()).terms >= FEW

    await until(some_are_renewed, within=30, what="the first renewals")
    assert not await terms.is_over()
    await first.process.kill()
    await first.again().ready()
    await until(terms.is_over, within=60, what="the end of the wave")


async def changed_once(installation: Installation) -> int:
    """Return the number of DIDs that have exactly one event about their term. Repeats of an event are one event."""
    settings = installation.settings
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + TermChanged.topic,
        **connection(settings),
        group_id=None,
        auto_offset_reset="earliest",
    )
    events = defaultdict[object, set[str]](set)
    async with consumer:
        while found := await consumer.getmany(timeout_ms=1_000):
            for records in found.values():
                for record in records:
                    event = event_of(raw_record(record.value, TermChanged.topic))
                    events[event.data.did_id].add(event.id)
    return sum(len(ids) == 1 for ids in events.values())
