"""F26: a producer is older than the consumer, and both versions of it say things about one DID.

The released schemas are the contract with what runs already: all that they allow is heard, and means the same.
"""

import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from faults.endings import answered, differing, endings
from faults.four import READS, Record, four, raw
from faults.lives import EXAMPLES, Life, Step, told
from faults.test_f12_order import STORIES
from harness.fixtures import DatabaseFor

from didflow_contracts.schemas import released
from didflow_contracts.topics import TOPICS

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
DIDS: Final = 30

Say = Callable[[dict[str, Any], str], dict[str, Any]]


def required(topic: str) -> set[str]:
    """What the released schema of a topic demands of its data."""
    schema = released()[topic]
    data = schema["properties"]["data"]
    while "$ref" in data:
        data = schema["$defs"][data["$ref"].rpartition("/")[2]]
    return set(data["required"])


def sparse(data: dict[str, Any], topic: str) -> dict[str, Any]:
    """As an older producer says it: what is optional and says nothing is left out."""
    needed = required(topic)
    fields = TOPICS[topic].event.model_fields
    return {
        k: v for k, v in data.items() if k in needed or v != fields[k].get_default(call_default_factory=True)
    }


def lavish(data: dict[str, Any], topic: str) -> dict[str, Any]:
    """As a newer producer says it: with words that nobody here knows yet."""
    return {**data, f"{topic}.novelty": {"since": "v1.9", "of": [1, 2, 3]}, "z": None}


VOICES: Final[Mapping[str, Say]] = {"today": lambda data, _: data, "older": sparse, "newer": lavish}


def said(record: Record, voice: Say) -> Record:
    """Say a record's data in another voice."""
    event = json.loads(record.value)
    event["data"] = voice(event["data"], record.topic)
    return raw(json.dumps(event).encode(), record.topic, record.key)


async def test_every_released_example_is_heard_by_all_who_read_it(database_for: DatabaseFor) -> None:
    """F26: the examples as released, as they stand and with all that is optional left out: no dead letter."""
    records = []
    for topic, example in EXAMPLES.items():
        bare = {k: v for k, v in example["data"].items() if k in required(topic)}
        purchase = {k: v for k, v in example["data"].items() if k in ("price", "order_id", "end_user_type")}
        for n, data in enumerate((example["data"], {**bare, **purchase, "billing_period": 1})):
            event = example | {"id": f"{example['id']}-{n}", "data": data}
            if "sequence" in example:
                event["sequence"] = f"{100 * n + int(example['sequence'])}"
            records.append(raw(json.dumps(event).encode(), topic, example["subject"].encode()))
    async with four(database_for) as house:
        await house.receive(records)
        for name in READS:
            rows = await house.stages[name].database.fetch("SELECT reason, detail, topic FROM dead_letters")
            assert [tuple(row) for row in rows] == []


async def test_old_and_new_producers_of_one_story_mean_the_same(database_for: DatabaseFor, seed: int) -> None:
    """F26: each event of a DID in a version drawn by lot: the same state and the same facts as in today's words."""
    chance = random.Random(seed)
    steps: Mapping[str, list[Step]] = {name: stories[0] for name, stories in STORIES.items()}
    async with four(database_for) as house:
        for name in READS:
            lives = [
                Life(name=f"{name} {n}", number=f"+35321{2_000_000 + n}", begin=BEGIN) for n in range(DIDS)
            ]
            spoken = [
                [said(one, chance.choice(list(VOICES.values())) if n else VOICES["today"]) for one in tale]
                for n, tale in enumerate(told(one, steps[name]) for one in lives)
            ]
            await house.receive([one for tale in spoken for one in tale], only=name)
            await answered(house)
            assert not differing(await endings(house, name, lives), range(DIDS)), name
            assert await house.count(name, "parked") + await house.count(name, "dead_letters") == 0
