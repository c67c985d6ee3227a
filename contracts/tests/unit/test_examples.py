"""The example of each event is valid for the models and for the released schema."""

from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator

from didflow_contracts.envelope import decode, encode
from didflow_contracts.events import EVENT_TYPES, EVENTS
from didflow_contracts.numbers import is_valid
from didflow_contracts.schemas import released
from didflow_contracts.topics import TOPICS

EXAMPLES = {
    path.stem: path.read_bytes()
    for path in (Path(__file__).parents[3] / "examples" / "events").glob("*.json")
}

EVENT_TOPICS = [event.topic for event in EVENTS]


def test_every_event_has_an_example() -> None:
    """Each has one file, named after its topic."""
    assert set(EXAMPLES) == set(EVENT_TOPICS)


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_an_example_is_accepted(topic: str) -> None:
    """It decodes to the model of its topic, its number exists, and it can be encoded again unchanged."""
    event = decode(EXAMPLES[topic], [], types=EVENT_TYPES, topic=topic)
    assert type(event.data) is TOPICS[topic].event
    assert is_valid(event.data.number)
    assert decode(encode(event), [], types=EVENT_TYPES) == event


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_an_example_is_valid_by_the_schema(topic: str) -> None:
    """It is valid as written, and as the models write it with nulls."""
    validator = Draft202012Validator(released()[topic])
    example = orjson.loads(EXAMPLES[topic])
    validator.validate(example)
    data = decode(EXAMPLES[topic], [], types=EVENT_TYPES).data
    validator.validate(example | {"data": data.wire()})


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_an_example_has_no_unknown_field(topic: str) -> None:
    """Every field is a field of the model."""
    example = orjson.loads(EXAMPLES[topic])
    assert set(example["data"]) <= set(TOPICS[topic].event.model_fields)
