"""The digest tells a retry from another event under the same id."""

from typing import Any

import orjson

from didflow_contracts.envelope import decode, digest
from didflow_contracts.events import EVENT_TYPES


def digested(event: dict[str, Any]) -> bytes:
    return digest(decode(orjson.dumps(event), [], types=EVENT_TYPES))


def test_a_retry_may_renew_time_and_trace_and_reorder_keys(purchase: dict[str, Any]) -> None:
    """Time, trace and the order of keys, at any depth, are not part of what an event says."""
    retry = purchase | {
        "time": "2026-03-02T09:05:00Z",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "data": dict(reversed(purchase["data"].items())),
    }
    retry["data"]["price"] = dict(reversed(purchase["data"]["price"].items()))
    assert digested(retry) == digested(purchase)
    assert len(digested(purchase)) == 32


def test_other_data_is_another_digest(purchase: dict[str, Any]) -> None:
    """A changed field counts, also one that this version does not know."""
    seen = {digested(purchase)}
    for change in ({"order_id": "other"}, {"campaign": "spring"}, {"campaign": "autumn"}):
        seen.add(digested(purchase | {"data": purchase["data"] | change}))
    assert len(seen) == 4


def test_the_type_is_part_of_the_digest(purchase: dict[str, Any]) -> None:
    """The same data under another type is another event."""
    porting = purchase | {"type": "didflow.did.porting_started.v1"}
    assert digested(porting) != digested(purchase)
