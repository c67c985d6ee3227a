"""The line that a person sees of a record."""

from pathlib import Path

import orjson
import pytest

from didflow.event_line import line_of
from didflow_contracts.topics import TOPICS

EXAMPLES = Path(__file__).parents[3] / "examples" / "events"


@pytest.mark.parametrize("topic", TOPICS)
def test_every_event_has_a_line_with_its_number_and_main_fields(topic: str) -> None:
    """Time, topic, number and some fields, on one line."""
    value = (EXAMPLES / f"{topic}.json").read_bytes()
    line = line_of(topic, value, {})
    data = orjson.loads(value)["data"]
    assert (line.topic, line.number) == (topic, data["number"])
    assert line.time.count(":") == 2
    assert line.text
    assert "\n" not in str(line)


def test_binary_mode_shows_the_same() -> None:
    """The attributes come from the headers, the data from the value."""
    value = (EXAMPLES / "did.purchased.json").read_bytes()
    event = orjson.loads(value)
    headers = {f"ce_{name}": str(text).encode() for name, text in event.items() if name != "data"}
    assert line_of("did.purchased", orjson.dumps(event["data"]), headers) == line_of(
        "did.purchased", value, {}
    )


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"[1]", b"{}", b'{"data": 1}', b"x" * 5000])
def test_a_record_that_is_not_an_event_is_shown_too(value: bytes | None) -> None:
    """Nothing raises, nothing is hidden, and the line has a limited length."""
    line = line_of("did.purchased", value, {"ce_id": b"\xff"} if value == b"\xff" else {})
    assert "not an event" in line.text
    assert len(str(line)) < 300


def test_a_dead_letter_shows_its_reason_and_origin() -> None:
    """Both come from the headers."""
    headers = {
        "dlq_reason": b"not_json",
        "dlq_topic": b"did.purchased",
        "dlq_partition": b"3",
        "dlq_offset": b"7",
        "dlq_at": b"2026-03-02T09:00:00.123+00:00",
    }
    line = line_of("billing.dlq", b"\xff{", headers)
    assert "not_json from did.purchased/3@7" in str(line)
    assert line.time == "09:00:00.123"
