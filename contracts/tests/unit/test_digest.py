"""The digest distinguishes a repeat from another event with the same id."""

from typing import Any

import orjson

from didflow_contracts.envelope import decode, digest
from didflow_contracts.events import EVENT_TYPES


def digested(event: dict[str, Any]) -> bytes:
    return digest(decode(orjson.dumps(event), [], types=EVENT_TYPES))


def test_time_trace_and_the_order_of_keys_do_not_change_the_digest(purchase: dict[str, Any]) -> None:
    """A retry may change them, at any depth of the data."""
    retry = purchase | {
        "time": "2026-03-02T09:05:00Z",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "data": dict(reversed(purchase["data"].items())),
    }
    retry["data"]["price"] = dict(reversed(purchase["data"]["price"].items()))
    assert digested(retry) == digested(purchase)
    assert len(digested(purchase)) == 32


def test_other_data_has_another_digest(purchase: dict[str, Any]) -> None:
    """This includes fields that this version does not know."""
    seen = {digested(purchase)}
    for change in ({"order_id": "other"}, {"campaign": "spring"}, {"campaign": "autumn"}):
        seen.add(digested(purchase | {"data": purchase["data"] | change}))
    assert len(seen) == 4


def test_the_type_is_part_of_the_digest(purchase: dict[str, Any]) -> None:
    """The same data with another type is another event."""
    porting = purchase | {"type": "didflow.did.porting_started.v1"}
    assert digested(porting) != digested(purchase)
