"""Records of outsiders: events written by hand, so that they can have any value, also one that no model takes."""

import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import orjson
from aiokafka.partitioner import murmur2

from didflow_adapters.simulated_carrier import SCENARIOS
from didflow_chassis.records import Record
from didflow_contracts.envelope import CONTENT_TYPE

ATTACKER: Final = "master/acme"
BYSTANDER: Final = "master/beta"
PARTITIONS: Final = 12
ATTACKED: Final = 0
"""All records of an attack are in this partition of their topics. So is every second purchase of the bystanders."""
_HEADERS: Final = (("content-type", CONTENT_TYPE.encode()),)
_MONEY: Final = {"amount": "1.00", "currency": "USD"}


def numbers(beginning: str, *, first: int = 0, partition: int | None = ATTACKED) -> Iterator[str]:
    """Yield rising numbers of one partition, or of all. The simulated carrier treats none of them specially."""
    for n in itertools.count(first):
        number = f"{beginning}{n:06}"
        if number[-4:] not in SCENARIOS and partition in (None, partition_of(number)):
            yield number


def partition_of(number: str) -> int:
    """Return the partition of a number on each topic. Source: spec events, Envelope."""
    return int(murmur2(number.encode()) & 0x7FFFFFFF) % PARTITIONS


def purchase(number: str, account: str = ATTACKER, **changed: Any) -> dict[str, Any]:
    """Return the data of a purchase that needs nothing more to become active."""
    return {
        "did_id": str(uuid4()),
        "number": number,
        "account": account,
        "number_type": "local",
        "features": ["voice_out"],
        "order_id": f"order {number}",
        "end_user_type": "business",
        "price": {"setup": _MONEY, "recurring": _MONEY},
        "billing_period": 1,
        **changed,
    }


def record(topic: str, data: Mapping[str, Any], *, source: str = "/orders/acme", **attributes: Any) -> Record:
    """Return an event as a record in the partition of its number. None leaves an attribute out."""
    envelope = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": source,
        "type": f"didflow.{topic}.v1",
        "subject": data["number"],
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        **attributes,
        "data": data,
    }
    value = orjson.dumps({name: given for name, given in envelope.items() if given is not None})
    number = str(data["number"])
    return Record(topic, partition_of(number), 0, number.encode(), value, _HEADERS)
