"""Mutated events: real examples of all topics, changed in bytes, JSON, attributes and headers. A seed repeats them."""

import copy
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from faults.example_events import EXAMPLES
from faults.raw_records import RawRecord

from didflow_contracts.envelope import CONTENT_TYPE
from didflow_contracts.topics import TOPICS, Topic

STANDARD: Final = ((b"content-type", CONTENT_TYPE.encode()),)
DIDS: Final = 60
"""The mutated events are about so many DIDs, so that several of them meet in one entity."""
READABLE: Final = 0.6
"""The share of records whose changes keep the types of values, so that most of them reach a decision."""

INSTANTS: Final = (
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "1969-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-12-31T23:59:60Z",
    "9999-12-31",
    "0001-01-01",
)
TEXTS: Final = (
    "",
    " ",
    "\0",
    "\ud800",
    "\u202egnp.exe",
    "\x1b[2J\x1b]0;x\x07",
    "e\u0301" * 200,
    "\uff0b\u0663\u0665\u0663",
    "+3532119" * 40,
    "master/../other",
    "master/" * 100,
    "'; DROP TABLE inbox; --",
    "x" * 100_000,
)
NUMBERS: Final = (0, -1, 2**31 - 1, 2**31, 2**63, 10**400, -(10**400), 0.1, 1e308, -0.0, 999_999_999_999_999)
ODD: Final = (None, True, False, [], {}, [[]], {"": None}, *INSTANTS, *TEXTS, *NUMBERS)
AMOUNTS: Final = ("999999999999999.99", "1e400", "-5.00", "0.001", "NaN", "Infinity", "1" * 400, "1,00")

TIMES: Final = (
    "1970-01-01T00:00:00Z",
    "2199-12-31T23:59:59Z",
    "2026-01-31T23:59:59.999999Z",
    "2028-02-29T00:00:00Z",
)
WHOLE: Final = (0, 1, 3, 12, 999, 2**31 - 1)
MONEY: Final = ("0.00", "0.01", "1000000000.00", "999999999.99", "12.50")
WORDS: Final = ("\u0130stanbul", "a", "x" * 200, "\U0001f4de", "=1+1", "<b>")

DEEPEST: Final = 10
"""Values that are nested more deeply are not changed again."""

Change = Callable[[random.Random, dict[str, Any]], Any]


def _odd(chooser: random.Random) -> Any:
    """Return a copy of an odd value, because a later change may write into it."""
    return copy.deepcopy(chooser.choice(ODD))


def mutated(seed: int, topics: list[str]) -> Iterator[tuple[str, RawRecord]]:
    """Yield mutated records without end, each with the topic that it is for. The topics take turns."""
    chooser = random.Random(seed)
    while True:
        for topic in topics:
            yield topic, _record(chooser, TOPICS[topic])


def _record(chooser: random.Random, topic: Topic) -> RawRecord:
    event = json.loads(json.dumps(EXAMPLES[topic.event.topic]))
    source = topic.sources[0]
    event["source"] = f"{source}acme" if source.endswith("/") else source
    event["sequence"] = str(chooser.randrange(1, 1000))
    if source.endswith("/"):
        del event["sequence"]
    n = chooser.randrange(DIDS)
    number = f"+353212{n:06}"
    event |= {"id": str(UUID(int=chooser.getrandbits(128))), "subject": number}
    event["time"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    event["data"] |= {"did_id": str(UUID(int=0xBAD << 64 | n)), "number": number}
    event["data"].pop("purchased_at", None)
    is_readable = chooser.random() < READABLE
    for _ in range(chooser.choice((1, 1, 1, 2, 3))):
        if isinstance(event.get("data"), dict):
            chooser.choice(READABLE_CHANGES if is_readable else CHANGES)(chooser, event)
    value = json.dumps(event).encode("utf-8", "surrogatepass")
    value, headers = (value, STANDARD) if is_readable else chooser.choice(WIRE)(chooser, event, value)
    key = chooser.choice((number.encode(), number.encode(), number.encode(), None, b"\xff\0"))
    return RawRecord(key=key, value=value, headers=headers)


def _places(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Yield each container and key of a JSON value, without those that are nested deeply."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        if depth < DEEPEST:
            yield from _places(inner, depth + 1)


def _place(chooser: random.Random, event: dict[str, Any]) -> tuple[Any, Any]:
    return chooser.choice(list(_places(event["data"])) or [(event, "data")])


def swap(chooser: random.Random, event: dict[str, Any]) -> None:
    """Replace a value by one of another type or beyond the bounds."""
    container, key = _place(chooser, event)
    container[key] = _odd(chooser)


def nest(chooser: random.Random, event: dict[str, Any]) -> None:
    """Replace a value by a deep one."""
    container, key = _place(chooser, event)
    for _ in range(chooser.choice((20, 300))):
        container[key] = [container[key]]


def drop(chooser: random.Random, event: dict[str, Any]) -> None:
    """Remove a value."""
    container, key = _place(chooser, event)
    del container[key]


def add(chooser: random.Random, event: dict[str, Any]) -> None:
    """Add a field that nobody knows."""
    event["data"][chooser.choice(("spin", "Number", "", "__proto__", "x" * 3000))] = _odd(chooser)


def date(chooser: random.Random, event: dict[str, Any]) -> None:
    """Set an instant or a date, of the data or of the event, to one at the bounds."""
    found = [
        (container, key)
        for container, key in _places(event)
        if isinstance(key, str)
        and (key == "time" or key.endswith(("_at", "_until", "_start", "_end", "until")))
    ]
    container, key = chooser.choice(found or [(event, "time")])
    container[key] = chooser.choice(INSTANTS)


def date_of_purchase(chooser: random.Random, event: dict[str, Any]) -> None:
    """Set the instant from which a service calculates others."""
    event["data"]["purchased_at"] = chooser.choice(INSTANTS)


def amount(chooser: random.Random, event: dict[str, Any]) -> None:
    """Set an amount of money beyond the bounds."""
    found = [place for place in _places(event["data"]) if place[1] == "amount"]
    container, key = chooser.choice(found or [_place(chooser, event)])
    container[key] = chooser.choice(AMOUNTS)


def attribute(chooser: random.Random, event: dict[str, Any]) -> None:
    """Replace or remove an attribute of the envelope."""
    name = chooser.choice(
        ("specversion", "id", "source", "type", "subject", "time", "data", "datacontenttype")
    )
    more = ("0.3", "didflow.did.purchased.v2", "didflow.did.removed.v1", "\u0661.0")
    event[name] = copy.deepcopy(chooser.choice((*ODD, *more)))


def forge(chooser: random.Random, event: dict[str, Any]) -> None:
    """Name another source, sequence, cause or actor."""
    sources = (
        "/didflow/billing",
        "/didflow/inventory",
        "/orders/",
        "/orders/x",
        "/carriers/other",
        "//",
        "/didflow",
    )
    forged = {
        "source": chooser.choice(sources),
        "sequence": chooser.choice(("0", "-1", "1", "18446744073709551616", "\u0661", "1e3", 5, None)),
        "causationid": chooser.choice(("x" * 5000, "\0", 5, None)),
        "actor": chooser.choice(("service:billing", "user:\x1b[31m", {}, "")),
    }
    for name in chooser.sample(sorted(forged), 2):
        event[name] = forged[name]


def keep(_: random.Random, __: dict[str, Any]) -> None:
    """Change nothing but the DID."""


def vary(chooser: random.Random, event: dict[str, Any]) -> None:
    """Replace a value by another one of its type, at the bounds, or by that of another example."""
    container, key = _place(chooser, event)
    value = container[key]
    if key in ("did_id", "number", "account"):
        return
    if isinstance(value, bool) or value is None:
        container[key] = not value
    elif isinstance(value, int):
        container[key] = chooser.choice(WHOLE)
    elif isinstance(value, str) and "T" in value and value.endswith("Z"):
        container[key] = chooser.choice(TIMES)
    elif key == "amount":
        container[key] = chooser.choice(MONEY)
    elif isinstance(value, str):
        container[key] = chooser.choice((*VALUES[key], *VALUES[key], *WORDS))
    elif isinstance(value, list):
        container[key] = value * chooser.choice((0, 1, 2, 50))


def _values() -> Mapping[str, tuple[Any, ...]]:
    found = defaultdict(list)
    for example in EXAMPLES.values():
        for container, key in _places(example["data"]):
            if isinstance(container[key], str):
                found[key].append(container[key])
    return defaultdict(tuple, {key: tuple(values) for key, values in found.items()})


VALUES: Final = _values()
"""Field -> its texts in all examples."""

READABLE_CHANGES: Final[tuple[Change, ...]] = (keep, vary, vary, vary, vary, add)
CHANGES: Final[tuple[Change, ...]] = (
    swap, swap, swap, nest, drop, add, date, date_of_purchase, amount, attribute, forge,
)  # fmt: skip


def as_it_is(_: random.Random, __: Any, value: bytes) -> tuple[bytes, Any]:
    """Return the event in structured mode."""
    return value, STANDARD


def flip(chooser: random.Random, _: Any, value: bytes) -> tuple[bytes, Any]:
    """Flip some bits, cut or repeat some bytes."""
    changed = bytearray(value)
    for _ in range(chooser.choice((1, 2, 8))):
        changed[chooser.randrange(len(changed))] ^= 1 << chooser.randrange(8)
    start, length = chooser.randrange(len(changed)), chooser.randrange(40)
    match chooser.randrange(4):
        case 0:
            del changed[start:]
        case 1:
            changed[start:start] = changed[start : start + length]
    return bytes(changed), STANDARD


def twice(chooser: random.Random, event: dict[str, Any], value: bytes) -> tuple[bytes, Any]:
    """Write a key twice in one object, the second time with another value."""
    name = chooser.choice(sorted(event))
    again = json.dumps({name: _odd(chooser)}).encode("utf-8", "surrogatepass")
    return value[:-1] + b", " + again[1:], STANDARD


def binary(chooser: random.Random, event: dict[str, Any], _: bytes) -> tuple[bytes, Any]:
    """Return the event in binary mode, with one header more, less or broken."""
    named = [(f"ce_{name}", text) for name, text in event.items() if name != "data" and isinstance(text, str)]
    headers = [(name.encode(), text.encode("utf-8", "surrogatepass")) for name, text in named]
    headers.append((b"content-type", b"application/json"))
    place = chooser.randrange(len(headers))
    match chooser.randrange(5):
        case 0:
            del headers[place]
        case 1:
            headers.append(headers[place])
        case 2:
            headers[place] = (headers[place][0], chooser.choice((None, b"\xff\xfe", b"\0", b"")))
        case 3:
            headers.append((b"\xc3\x28", b"x"))
    return json.dumps(event.get("data")).encode("utf-8", "surrogatepass"), tuple(headers)


def other_headers(chooser: random.Random, _: Any, value: bytes) -> tuple[bytes, Any]:
    """Return the event with headers that contradict it."""
    kinds = (b"text/plain", b"application/cloudevents+avro", b"\xff", b"application/json", b"")
    return value, chooser.choice(((), ((b"content-type", chooser.choice(kinds)),), (*STANDARD, *STANDARD)))


WIRE: Final = (as_it_is, as_it_is, as_it_is, as_it_is, flip, twice, binary, other_headers)
