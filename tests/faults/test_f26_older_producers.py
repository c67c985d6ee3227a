"""F26: a producer is older than its consumer, and both versions publish events about one DID.

The released schemas are the contract with running producers. Every event that they allow is read with the same
meaning.
"""

import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from faults.example_events import EXAMPLES, ExampleDid, Step, events_of
from faults.final_states import answer_carrier_commands, differences, final_states
from faults.services_in_process import READS, raw_record, services_in_process
from faults.test_f12_order import EVENTS
from harness.fixtures import DatabaseFor

from didflow_chassis.records import Record
from didflow_contracts.schemas import released
from didflow_contracts.topics import TOPICS

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
DIDS: Final = 30

Producer = Callable[[dict[str, Any], str], dict[str, Any]]


def required_fields(topic: str) -> set[str]:
    """Return the fields that the released schema of a topic requires."""
    schema = released()[topic]
    data = schema["properties"]["data"]
    while "$ref" in data:
        data = schema["$defs"][data["$ref"].rpartition("/")[2]]
    return set(data["required"])


def as_older_producer(data: dict[str, Any], topic: str) -> dict[str, Any]:
    """Return the data of an older producer, which omits optional fields with their default values."""
    needed = required_fields(topic)
    fields = TOPICS[topic].event.model_fields
    return {
        k: v for k, v in data.items() if k in needed or v != fields[k].get_default(call_default_factory=True)
    }


def as_newer_producer(data: dict[str, Any], topic: str) -> dict[str, Any]:
    """Return the data of a newer producer, which adds unknown fields."""
    return {**data, f"{topic}.novelty": {"since": "v1.9", "of": [1, 2, 3]}, "z": None}


PRODUCERS: Final[Mapping[str, Producer]] = {
    "today": lambda data, _: data,
    "older": as_older_producer,
    "newer": as_newer_producer,
}


def from_producer(record: Record, producer: Producer) -> Record:
    """Return the record with the data of another producer version."""
    event = json.loads(record.value)
    event["data"] = producer(event["data"], record.topic)
    return raw_record(json.dumps(event).encode(), record.topic, record.key)


async def test_every_released_example_is_readable_by_all_its_readers(database_for: DatabaseFor) -> None:
    """F26: the released examples, complete and without their optional fields, cause no dead letter."""
    records = []
    for topic, example in EXAMPLES.items():
        bare = {k: v for k, v in example["data"].items() if k in required_fields(topic)}
        purchase = {k: v for k, v in example["data"].items() if k in ("price", "order_id", "end_user_type")}
        for n, data in enumerate((example["data"], {**bare, **purchase, "billing_period": 1})):
            event = example | {"id": f"{example['id']}-{n}", "data": data}
            if "sequence" in example:
                event["sequence"] = f"{100 * n + int(example['sequence'])}"
            records.append(raw_record(json.dumps(event).encode(), topic, example["subject"].encode()))
    async with services_in_process(database_for) as services:
        await services.receive(records)
        for name in READS:
            rows = await services.stages[name].database.fetch(
                "SELECT reason, detail, topic FROM dead_letters"
            )
            assert [tuple(row) for row in rows] == []


async def test_events_of_old_and_new_producers_have_the_same_result(
    database_for: DatabaseFor, seed: int
) -> None:
    """F26: each event of a DID comes from a random producer version. States and events are those of today's version."""
    random_source = random.Random(seed)
    steps: Mapping[str, list[Step]] = {name: cases[0] for name, cases in EVENTS.items()}
    async with services_in_process(database_for) as services:
        for name in READS:
            dids = [
                ExampleDid(name=f"{name} {n}", number=f"+35321{2_000_000 + n}", begin=BEGIN)
                for n in range(DIDS)
            ]
            records_of = [
                [
                    from_producer(
                        record, random_source.choice(list(PRODUCERS.values())) if n else PRODUCERS["today"]
                    )
                    for record in events
                ]
                for n, events in enumerate(events_of(did, steps[name]) for did in dids)
            ]
            await services.receive([record for events in records_of for record in events], only=name)
            await answer_carrier_commands(services)
            assert not differences(await final_states(services, name, dids), range(DIDS)), name
            assert await services.count(name, "parked") + await services.count(name, "dead_letters") == 0
