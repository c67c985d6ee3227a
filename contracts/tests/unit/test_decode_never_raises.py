"""Whatever bytes and headers a record has, `decode` returns an event or raises `BadEvent`."""

from pathlib import Path
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from didflow_contracts.envelope import BadEvent, decode, digest, encode
from didflow_contracts.events import EVENT_TYPES

EXAMPLES = [
    orjson.loads(path.read_bytes())
    for path in sorted((Path(__file__).parents[3] / "examples" / "events").glob("*.json"))
]
NAMES = sorted({name for example in EXAMPLES for name in (*example, *example["data"])})

texts = st.text(max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
header_names = st.sampled_from(["content-type", *(f"ce_{name}" for name in NAMES)]) | texts | st.binary()
header_values = st.none() | st.binary(max_size=30) | st.just(b"application/cloudevents+json")
headers = st.lists(st.tuples(header_names, header_values), max_size=6)


def read(value: bytes | None, given_headers: Any) -> None:
    try:
        event = decode(value, given_headers, types=EVENT_TYPES)
    except BadEvent as bad:
        bad.reason.encode()
    else:
        again = decode(encode(event), [], types=EVENT_TYPES)
        assert digest(again) == digest(event)


@given(st.none() | st.binary(max_size=200), headers)
def test_any_bytes_with_any_headers(value: bytes | None, given_headers: Any) -> None:
    """Random bytes are refused with a code."""
    read(value, given_headers)


@settings(max_examples=300)
@given(st.sampled_from(EXAMPLES), st.dictionaries(st.sampled_from(NAMES), json_values, max_size=2), headers)
def test_any_json_in_any_field_of_any_event(
    example: dict[str, Any], changed: dict[str, Any], given_headers: Any
) -> None:
    """Every value is accepted or refused, and an accepted event can be encoded again."""
    data = example["data"] | {name: value for name, value in changed.items() if name in example["data"]}
    read(orjson.dumps(example | {"data": data}), [])
    read(orjson.dumps(example | changed), [])
    read(orjson.dumps(data), given_headers)


@given(st.sampled_from(EXAMPLES), st.integers(0, 5000), st.binary(min_size=1, max_size=6))
def test_any_damage_to_the_bytes(example: dict[str, Any], place: int, damage: bytes) -> None:
    """A damaged record is accepted or refused."""
    value = orjson.dumps(example)
    cut = place % len(value)
    read(value[:cut] + damage + value[cut + len(damage) :], [])
