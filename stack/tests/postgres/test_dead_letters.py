"""The dead letters of several services, on real databases."""

from collections.abc import Mapping
from uuid import UUID, uuid4

import asyncpg
import pytest

from didflow import dead_letters, retries
from didflow.errors import Ambiguous
from didflow.id_prefix import parse_id
from didflow_contracts.ids import uuid7

WRITE = """
INSERT INTO dead_letters (id, at, reason, detail, topic, partition, "offset", key, value, headers, truncated)
VALUES ($1, clock_timestamp(), $2, 'why', 'did.purchased', 0, $3, 'k', $5, '[]', $4)
"""


async def given(
    dsn: str,
    reason: str = "not_json",
    *,
    truncated: bool = False,
    offset: int | None = None,
    value: bytes = b"v",
) -> UUID:
    letter_id = uuid7()
    connection = await asyncpg.connect(dsn)
    place = letter_id.int % 1000 if offset is None else offset
    await connection.execute(WRITE, letter_id, reason, place, truncated, value)
    await connection.close()
    return letter_id


async def parked(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    count = await connection.fetchval("SELECT count(*) FROM parked WHERE due_at IS NOT NULL")
    await connection.close()
    return count


async def test_dead_letters_of_all_services_are_listed_by_age(databases: Mapping[str, str]) -> None:
    """The oldest comes first, whatever its service. A reason narrows the list."""
    ids = [await given(databases[name]) for name in ("billing", "provisioning", "billing")]
    other = await given(databases["billing"], "invalid_data")
    listed = await dead_letters.listed(databases, reason=None, limit=10)
    assert [one.letter.id for one in listed] == [*ids, other]
    assert [one.service for one in listed] == ["billing", "provisioning", "billing", "billing"]
    narrowed = await dead_letters.listed(databases, reason="invalid_data", limit=10)
    assert [one.letter.id for one in narrowed] == [other]
    assert len(await dead_letters.listed(databases, reason=None, limit=2)) == 2
    assert (await dead_letters.counted(databases))["billing"] == {"not_json": 2, "invalid_data": 1}


async def test_a_dead_letter_is_found_by_its_id_alone(databases: Mapping[str, str]) -> None:
    """The caller does not need to know the service, and a beginning of the id is enough if no other id has it."""
    one, two = await given(databases["billing"]), await given(databases["provisioning"])
    for text in (str(two), str(two)[:-1]):
        record = await dead_letters.matching(databases, parse_id(text))
        assert record is not None
        assert [(found.service, found.letter.id) for found in record.letters] == [("provisioning", two)]
        assert (await dead_letters.content(databases, record)).value == b"v"
    assert await dead_letters.matching(databases, parse_id("ffff")) is None
    handled = await dead_letters.retry(databases, [one, two])
    assert [(h.service, h.outcome) for h in handled] == [("billing", "retried"), ("provisioning", "retried")]
    assert [await parked(dsn) for dsn in databases.values()] == [1, 1]


async def test_a_beginning_that_several_records_have_is_an_error_with_all_of_them(
    databases: Mapping[str, str],
) -> None:
    """Ids that were made in one moment begin alike."""
    ids = [await given(databases[name]) for name in ("billing", "provisioning")]
    with pytest.raises(Ambiguous) as error:
        await dead_letters.matching(databases, parse_id(str(ids[0])[:6]))
    assert str(error.value).splitlines()[1:] == [f"  {one}" for one in ids]


async def test_a_record_that_two_services_gave_up_is_one(databases: Mapping[str, str]) -> None:
    """Both dead letters belong to it, whichever id is given, and whichever of them the limit would cut off."""
    first = await given(databases["provisioning"], offset=7)
    await given(databases["billing"], offset=6)
    second = await given(databases["billing"], "defect", offset=7)
    alone, both = sorted(
        await dead_letters.records(databases, reason=None, limit=10), key=lambda r: len(r.letters)
    )
    assert [found.letter.offset for found in alone.letters] == [6]
    assert [(found.service, found.letter.id) for found in both.letters] == [
        ("provisioning", first),
        ("billing", second),
    ]
    assert (both.id, both.services, both.reasons) == (
        first,
        ["billing", "provisioning"],
        ["defect", "not_json"],
    )
    assert await dead_letters.records(databases, reason="defect", limit=1) == [both]
    assert await dead_letters.matching(databases, parse_id(str(second))) == both


async def test_other_records_at_the_same_position_are_others(databases: Mapping[str, str]) -> None:
    """An embedded Kafka counts from zero again at each start. The bytes tell the records apart."""
    await given(databases["billing"], offset=7, value=b"old")
    await given(databases["provisioning"], offset=7, value=b"new")
    found = await dead_letters.records(databases, reason=None, limit=10)
    assert [record.services for record in found] == [["billing"], ["provisioning"]]


async def test_a_second_retry_has_nothing_to_do(databases: Mapping[str, str]) -> None:
    """Two retries have one effect. An unknown id has none."""
    one = await given(databases["billing"])
    await dead_letters.retry(databases, [one])
    handled = await dead_letters.retry(databases, [one, uuid4()])
    assert [h.outcome for h in handled] == ["unchanged", "not_found"]
    assert [h.outcome for h in await dead_letters.drop(databases, [one])] == ["already_retried"]
    assert await parked(databases["billing"]) == 1


async def test_the_wait_for_outcomes_ends_with_the_time(databases: Mapping[str, str]) -> None:
    """Without a worker, a retried dead letter stays pending. One whose row is gone is decided."""
    await given(databases["billing"], offset=1)
    await given(databases["provisioning"], offset=2)
    found = await dead_letters.listed(databases, reason=None, limit=9)
    await dead_letters.retry(databases, [one.letter.id for one in found])
    connection = await asyncpg.connect(databases["billing"])
    await connection.execute("DELETE FROM parked")
    await connection.close()
    outcomes = await retries.outcomes(databases, found, within=0.5)
    assert {one.service: outcomes[one.letter.id].state for one in found} == {
        "billing": "decided",
        "provisioning": "pending",
    }


async def test_one_truncated_record_does_not_stop_the_others(databases: Mapping[str, str]) -> None:
    """It is refused as truncated and stays, and it can be dropped. The others are retried."""
    cut, whole = await given(databases["billing"], truncated=True), await given(databases["billing"])
    handled = await dead_letters.retry(databases, [cut, whole])
    assert [h.outcome for h in handled] == ["truncated", "retried"]
    assert [one.letter.id for one in await dead_letters.listed(databases, reason=None, limit=9)] == [cut]
    assert [h.outcome for h in await dead_letters.drop(databases, [cut])] == ["dropped"]
