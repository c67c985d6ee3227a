"""Which records are accepted, and the code of every refusal."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from didflow_contracts.cloudevents import MAX_HEADERS
from didflow_contracts.envelope import CONTENT_TYPE, MAX_VALUE_BYTES, BadEvent, Event, decode, encode
from didflow_contracts.events import EVENT_TYPES, DidPurchased, DidRemoved

STRUCTURED = [("content-type", CONTENT_TYPE.encode())]


def decoded(value: bytes | None, headers: Any = STRUCTURED) -> Event[Any]:
    return decode(value, headers, types=EVENT_TYPES)


def refused(value: bytes | None, headers: Any = STRUCTURED) -> str:
    with pytest.raises(BadEvent) as caught:
        decoded(value, headers)
    assert caught.value.reason
    return caught.value.code


def as_binary(event: dict[str, Any]) -> tuple[bytes, list[tuple[str, bytes]]]:
    headers = [(f"ce_{name}", text.encode()) for name, text in event.items() if isinstance(text, str)]
    return orjson.dumps(event["data"]), headers


def test_structured_mode_is_accepted(purchase: dict[str, Any]) -> None:
    """Attributes and data are typed, and the time is in UTC."""
    event = decoded(orjson.dumps(purchase))
    assert isinstance(event.data, DidPurchased)
    assert event.data.entity_id == event.data.did_id
    assert (event.id, event.source, event.subject) == (purchase["id"], "/orders/acme", "+3532212345")
    assert event.time == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_structured_mode_needs_no_content_type(purchase: dict[str, Any]) -> None:
    """A value with specversion is in structured mode, even without headers."""
    assert decoded(orjson.dumps(purchase), []) == decoded(orjson.dumps(purchase))


def test_binary_mode_gives_the_same_event_as_structured_mode(purchase: dict[str, Any]) -> None:
    """Header names may be bytes or text."""
    value, headers = as_binary(purchase)
    named_in_bytes = [(name.encode(), text) for name, text in headers]
    plain = ("content-type", b"application/json; charset=utf-8")
    assert decoded(value, [*headers, plain]) == decoded(orjson.dumps(purchase))
    assert decoded(value, named_in_bytes) == decoded(orjson.dumps(purchase))


def test_data_may_be_base64(purchase: dict[str, Any]) -> None:
    """Some SDKs write `data_base64` for data in bytes."""
    import base64

    event = decoded(orjson.dumps(purchase))
    purchase["data_base64"] = base64.b64encode(orjson.dumps(purchase.pop("data"))).decode()
    assert decoded(orjson.dumps(purchase)) == event


def test_an_encoded_event_decodes_to_itself() -> None:
    """Data, extensions and the microseconds of the time are kept."""
    removed = DidRemoved(
        did_id="01980f2c-7c00-7000-8000-000000000001",
        number="+3532212345",
        account="master",
        reason="aged_out",
        refunded=False,
    )
    event = Event(
        id="1",
        source="/didflow/billing",
        time=datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC),
        data=removed,
        sequence=7,
        correlationid="c",
        causationid="k",
        actor="service:billing",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    assert decoded(encode(event)) == event


def test_the_subject_is_optional(purchase: dict[str, Any]) -> None:
    """The number is used instead."""
    del purchase["subject"]
    assert decoded(orjson.dumps(purchase)).subject == "+3532212345"


def test_unknown_fields_are_ignored_and_kept(purchase: dict[str, Any]) -> None:
    """They are not in the typed data but stay in `raw_data`."""
    purchase["data"]["campaign"] = {"name": "spring"}
    purchase["partnerextension"] = "x"
    event = decoded(orjson.dumps(purchase))
    assert orjson.loads(event.raw_data)["campaign"] == {"name": "spring"}
    assert not hasattr(event.data, "campaign")


def test_an_outside_source_may_not_give_a_sequence(purchase: dict[str, Any]) -> None:
    """With a high one, the events that a service publishes later would be outdated."""
    for given in ("7", "A-7", "999999999999999999"):
        assert refused(orjson.dumps(purchase | {"sequence": given})) == "unexpected_source"
    assert decoded(orjson.dumps(purchase | {"sequence": None})).sequence is None


def test_the_sequence_of_a_didflow_service_is_a_number_from_1(purchase: dict[str, Any]) -> None:
    """Any other text is refused."""
    purchase |= {"source": "/didflow/inventory", "sequence": "12"}
    assert decoded(orjson.dumps(purchase)).sequence == 12
    for wrong in ("0", "-1", "1.5", "", "\u0661", 12, "9" * 30):
        assert refused(orjson.dumps(purchase | {"sequence": wrong})) == "not_cloudevents"


REFUSED_ATTRIBUTES: dict[str, tuple[dict[str, Any], str]] = {
    "no specversion": ({"specversion": None}, "not_cloudevents"),
    "another specversion": ({"specversion": "0.3"}, "not_cloudevents"),
    "no id": ({"id": None}, "not_cloudevents"),
    "empty id": ({"id": ""}, "not_cloudevents"),
    "a number as id": ({"id": 7}, "not_cloudevents"),
    "endless id": ({"id": "x" * 2000}, "not_cloudevents"),
    "no source": ({"source": None}, "not_cloudevents"),
    "no time": ({"time": None}, "not_cloudevents"),
    "time without offset": ({"time": "2026-03-02T09:00:00"}, "not_cloudevents"),
    "no type": ({"type": None}, "not_cloudevents"),
    "a list as type": ({"type": []}, "not_cloudevents"),
    "unknown type": ({"type": "com.example.thing"}, "unknown_type"),
    "unknown topic": ({"type": "didflow.did.cloned.v1"}, "unknown_type"),
    "a newer major": ({"type": "didflow.did.purchased.v2"}, "unsupported_version"),
    "a much newer major": ({"type": "didflow.did.cloned.v10"}, "unsupported_version"),
    "a stranger": ({"source": "/intruders/acme"}, "unexpected_source"),
    "nobody in particular": ({"source": "/orders/"}, "unexpected_source"),
    "a look-alike": ({"source": "/didflow/inventory-two"}, "unexpected_source"),
    "another service": ({"source": "/didflow/billing"}, "unexpected_source"),
    "another subject": ({"subject": "+3532212346"}, "subject_mismatch"),
    "an empty subject": ({"subject": ""}, "subject_mismatch"),
    "no data": ({"data": None}, "invalid_data"),
    "data in a string": ({"data": "{}"}, "invalid_data"),
    "NUL in the data": ({"data": {"order_id": "\x00"}}, "not_json"),
    "data that is no base64": ({"data_base64": "?"}, "invalid_data"),
}


@pytest.mark.parametrize(("change", "code"), REFUSED_ATTRIBUTES.values(), ids=REFUSED_ATTRIBUTES)
def test_each_malformed_event_has_its_code(
    purchase: dict[str, Any], change: dict[str, Any], code: str
) -> None:
    """The codes are stable."""
    assert refused(orjson.dumps(purchase | change)) == code


REFUSED_BYTES: dict[str, tuple[bytes | None, str]] = {
    "null": (None, "no_value"),
    "empty": (b"", "not_json"),
    "no JSON": (b"{", "not_json"),
    "no UTF-8": (b'{"specversion": "\xff"}', "not_json"),
    "lone surrogate": (b'{"specversion": "\\ud800"}', "not_json"),
    "NaN": (b'{"specversion": NaN}', "not_json"),
    "beyond a double": (b'{"specversion": 1e999}', "not_json"),
    "deep": (b"[" * 100_000, "not_json"),
    "a list": (b"[]", "not_cloudevents"),
    "an empty object": (b"{}", "not_cloudevents"),
    "too long": (b" " * (MAX_VALUE_BYTES + 1), "too_large"),
}


@pytest.mark.parametrize(("value", "code"), REFUSED_BYTES.values(), ids=REFUSED_BYTES)
@pytest.mark.parametrize("headers", [STRUCTURED, []], ids=["with header", "without"])
def test_bytes_that_are_not_an_event_have_their_code(value: bytes | None, code: str, headers: Any) -> None:
    """The code is the same with and without a content type."""
    assert refused(value, headers) == code


REFUSED_HEADERS: dict[str, tuple[Any, str]] = {
    "bad bytes in a value": ([("ce_id", b"\xff\xfe")], "bad_header"),
    "bad bytes in a stranger's value": ([("x-trace", b"\xff")], "bad_header"),
    "bad bytes in a name": ([(b"ce_\xff", b"1")], "bad_header"),
    "a lone surrogate in a name": ([("ce_\udcff", b"1")], "bad_header"),
    "null": ([("ce_id", None)], "bad_header"),
    "NUL": ([("ce_id", b"a\x00")], "bad_header"),
    "the same twice": ([("ce_id", b"1"), ("ce_id", b"2")], "bad_header"),
    "too many": ([(f"h{n}", b"") for n in range(MAX_HEADERS + 1)], "bad_header"),
    "a batch": ([("content-type", b"application/cloudevents-batch+json")], "not_cloudevents"),
    "binary without the rest": ([("ce_id", b"1")], "not_cloudevents"),
}


@pytest.mark.parametrize(("headers", "code"), REFUSED_HEADERS.values(), ids=REFUSED_HEADERS)
def test_bad_headers_have_their_code(purchase: dict[str, Any], headers: Any, code: str) -> None:
    """A valid value does not make up for headers that cannot be read."""
    assert refused(orjson.dumps(purchase), headers) == code


def test_an_escaped_backslash_before_u0000_is_not_nul(purchase: dict[str, Any]) -> None:
    """The six characters backslash-u-0-0-0-0 are allowed as text. Only the character NUL is refused."""
    purchase["data"]["area"] = "\\u0000"
    assert decoded(orjson.dumps(purchase)).data.area == "\\u0000"


def test_data_that_cannot_be_stored_is_refused(purchase: dict[str, Any]) -> None:
    """An unknown field can be nested too deeply to be written again."""
    deep = b"[" * 500 + b"]" * 500
    purchase["data"]["extra"] = "acme-deep"
    value = orjson.dumps(purchase).replace(b'"acme-deep"', deep)
    assert refused(value) == "invalid_data"


def test_a_type_that_the_consumer_does_not_know_is_refused(purchase: dict[str, Any]) -> None:
    """The types of the consumer count, not all types of the contract."""
    with pytest.raises(BadEvent) as caught:
        decode(orjson.dumps(purchase), STRUCTURED, types={DidRemoved.type(): DidRemoved})
    assert caught.value.code == "unknown_type"


def test_the_source_of_a_type_outside_the_contract_is_not_checked() -> None:
    """Such a type may have any source."""

    class Tried(DidRemoved):
        topic = "tried.out"

    value = {
        "specversion": "1.0",
        "id": "1",
        "source": "/anywhere",
        "type": "didflow.tried.out.v1",
        "time": "2026-03-02T09:00:00Z",
        "data": {
            "did_id": "01980f2c-7c00-7000-8000-000000000001",
            "number": "+3532212345",
            "account": "master",
            "reason": "aged_out",
            "refunded": False,
        },
    }
    assert isinstance(decode(orjson.dumps(value), [], types={Tried.type(): Tried}).data, Tried)


def test_the_reason_names_fields_and_hides_values(purchase: dict[str, Any]) -> None:
    """The reason is short and contains no values, because they can be personal data."""
    purchase["data"] |= {"number": "secret", "features": ["loud"] * 500}
    with pytest.raises(BadEvent) as caught:
        decoded(orjson.dumps(purchase))
    assert caught.value.reason.startswith("number: ")
    assert "secret" not in caught.value.reason
    assert len(caught.value.reason) < 1100


def test_encoding_a_value_that_is_too_long_is_refused(purchase: dict[str, Any]) -> None:
    """The limit applies before anything is stored."""
    event = decoded(orjson.dumps(purchase))
    long = Event(
        id="1",
        source=event.source,
        time=event.time,
        data=event.data.model_copy(update={"area": "x" * MAX_VALUE_BYTES}),
    )
    with pytest.raises(BadEvent) as caught:
        encode(long)
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.pop("number_type"),
        lambda data: data.update(features="voice_in"),
        lambda data: data.update(did_id=7),
        lambda data: data.update(number="0035322123456"),
        lambda data: data.update(number="+3532212345\n"),
        lambda data: data.update(account="Master/Acme"),
        lambda data: data.update(purchased_at=1_772_442_000),
        lambda data: data.update(billing_cycles="3"),
        lambda data: data.update(billing_cycles=1000),
        lambda data: data.update(billing_period=2),
        lambda data: data.update(billing_period=True),
        lambda data: data["price"]["setup"].update(amount=5),
    ],
)
def test_data_is_not_coerced(purchase: dict[str, Any], spoil: Callable[[dict[str, Any]], object]) -> None:
    """A field of the wrong type is invalid data."""
    spoil(purchase["data"])
    assert refused(orjson.dumps(purchase)) == "invalid_data"
