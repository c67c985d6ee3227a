"""Fetch sessions with a real broker: a session is kept, and no record is lost with a session."""

import toy
from topics_under_test import TopicsUnderTest
from toy_records import named, record

from didflow.embedded.wait import until
from didflow_chassis.consumer import Consumer
from didflow_chassis.database import Database
from didflow_chassis.kafka_internals.fetch_sessions import Session

ACCOUNT = "master/acme"


def opened(number: int) -> toy.Opened:
    did_id, subject = named(number)
    return toy.Opened(did_id=did_id, number=subject, account=ACCOUNT)


async def taken(database: Database, count: int) -> None:
    """Wait until this number of counters is open."""

    async def done() -> bool:
        rows = await database.fetch("SELECT count(*) FROM counters")
        return rows[0][0] == count

    await until(done, within=20, what=f"{count} counters")


def session_of(consumer: Consumer) -> Session:
    (session,) = consumer.kafka._fetcher._client._sessions.values()
    return session


async def test_one_session_serves_many_fetches(
    topics: TopicsUnderTest, consumer: Consumer, database: Database
) -> None:
    """The first fetch creates a session, and all later fetches use it."""
    await topics.publish([record(opened(1), "o1")])
    await taken(database, 1)
    first = session_of(consumer).id
    for number in range(2, 20):
        await topics.publish([record(opened(number), f"o{number}")])
        await taken(database, number)
    session = session_of(consumer)
    assert first
    assert session.id == first
    assert session.epoch >= 19


async def test_no_record_is_lost_with_a_session_that_the_broker_does_not_know(
    topics: TopicsUnderTest, consumer: Consumer, database: Database
) -> None:
    """The broker refuses the fetch. Records that were published meanwhile are read in a new session."""
    await topics.publish([record(opened(1), "o1")])
    await taken(database, 1)
    known = session_of(consumer).id
    session_of(consumer).id = known + 1
    await topics.publish([record(opened(number), f"o{number}") for number in range(2, 30)])
    await taken(database, 29)
    assert session_of(consumer).id not in {0, known + 1}
