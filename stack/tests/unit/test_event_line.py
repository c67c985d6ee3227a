"""The line that a person sees of a record."""

from pathlib import Path

import orjson
import pytest

from didflow.event_line import line_of
from didflow_contracts.events import EVENTS

AT = 1_772_441_104_007
"""2026-03-02 08:45:04.007 UTC, in ms."""
EXAMPLES = Path(__file__).parents[3] / "examples" / "events"


@pytest.mark.parametrize("topic", [event.topic for event in EVENTS])
def test_every_event_has_a_line_with_its_number_and_main_fields(topic: str) -> None:
    """Date and time of the record, topic, number and some fields, on one line."""
    value = (EXAMPLES / f"{topic}.json").read_bytes()
    line = line_of(topic, value, {}, AT)
    data = orjson.loads(value)["data"]
    assert (line.topic, line.number) == (topic, data["number"])
    assert str(line).startswith("2026-03-02 08:45:04.007  ")
    assert line.text
    assert "\n" not in str(line)


def test_binary_mode_shows_the_same() -> None:
    """The attributes come from the headers, the data from the value."""
    value = (EXAMPLES / "did.purchased.json").read_bytes()
    event = orjson.loads(value)
    headers = {f"ce_{name}": str(text).encode() for name, text in event.items() if name != "data"}
    binary = line_of("did.purchased", orjson.dumps(event["data"]), headers, AT)
    assert binary == line_of("did.purchased", value, {}, AT)


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"[1]", b"{}", b'{"data": 1}', b"x" * 5000])
def test_a_record_that_is_not_an_event_is_shown_too(value: bytes | None) -> None:
    """Nothing raises, nothing is hidden, and the line has a limited length."""
    line = line_of("did.purchased", value, {"ce_id": b"\xff"} if value == b"\xff" else {}, AT)
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
    line = line_of("billing.dlq", b"\xff{", headers, AT)
    assert "not_json from did.purchased/3@7" in str(line)
    assert line.time == "2026-03-02T09:00:00.123+00:00"


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        ("2026-03-02T09:45:00+01:00", ""),
        ("2026-03-02T08:44:10Z", ""),
        ("2026-04-02T08:45:04Z", "2026-04-02T08:45:04Z"),
        ("2026-03-02T08:40:00", "2026-03-02T08:40:00"),
        ("yesterday", "yesterday"),
    ],
)
def test_the_event_s_own_time_is_shown_if_it_is_far_from_that_of_its_record(time: str, shown: str) -> None:
    """After an advance of the clock, and for what an order system sends late."""
    value = orjson.dumps({"time": time, "data": {"number": "+442079460018"}})
    assert line_of("did.changed", value, {}, AT).time == shown


@pytest.mark.parametrize("timestamp", [-1, 2**62])
def test_a_record_without_a_usable_timestamp_has_a_line(timestamp: int) -> None:
    """A producer can send any number."""
    assert str(line_of("did.changed", b"{}", {}, timestamp)).startswith("no time ")
